# SPDX-License-Identifier: MIT
# The .c files and private headers of src/client.

libhansa_a_SOURCES +=
