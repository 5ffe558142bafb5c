# SPDX-License-Identifier: MIT
# The .c files and private headers of components.

libhansa_a_SOURCES += \
	components/command.c \
	components/component.c \
	components/component.h \
	components/connection.c
