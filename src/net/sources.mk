# SPDX-License-Identifier: MIT
# The .c files and private headers of src/net.

libhansa_a_SOURCES +=
libhansa_a_SOURCES += src/net/local.c
