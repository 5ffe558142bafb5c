# SPDX-License-Identifier: MIT
# The .c files and private headers of src/base.

libhansa_a_SOURCES += \
	src/base/arena.c \
	src/base/buf.c \
	src/base/clock.c \
	src/base/conf.c \
	src/base/conf_model.c src/base/conf_model.h \
	src/base/conf_source.c src/base/conf_source.h \
	src/base/conf_text.c \
	src/base/digest.c \
	src/base/hash.c \
	src/base/id.c \
	src/base/line.c \
	src/base/log.c \
	src/base/map.c \
	src/base/mem.c
