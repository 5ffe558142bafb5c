# SPDX-License-Identifier: MIT
# The .c files and private headers of src/admin.

libhansa_a_SOURCES += \
	src/admin/control.c \
	src/admin/control.h \
	src/admin/inviting.c \
	src/admin/user.c \
	src/admin/user.h \
	src/admin/session.c \
	src/admin/session.h \
	src/admin/status.c \
	src/admin/status.h
