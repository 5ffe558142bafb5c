# SPDX-License-Identifier: MIT
# The .c files and private headers of src/xep.

libhansa_a_SOURCES +=
