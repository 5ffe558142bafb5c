# SPDX-License-Identifier: MIT
# The .c files and private headers of src/im.

libhansa_a_SOURCES +=
