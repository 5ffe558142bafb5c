# SPDX-License-Identifier: MIT
# The .c files and private headers of src/base.

libhansa_a_SOURCES += \
	src/base/mem.c
