# SPDX-License-Identifier: MIT
# The .c files and private headers of src/admin.

libhansa_a_SOURCES +=
