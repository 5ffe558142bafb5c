# SPDX-License-Identifier: MIT
# The .c files and private headers of src/core.

libhansa_a_SOURCES +=
libhansa_a_SOURCES += src/core/command.c
