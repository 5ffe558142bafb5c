# SPDX-License-Identifier: MIT
# The .c files and private headers of src/core.

libhansa_a_SOURCES +=
libhansa_a_SOURCES += src/core/command.c
libhansa_a_SOURCES += src/core/stream_inside.h
libhansa_a_SOURCES += src/core/stream.c
libhansa_a_SOURCES += src/core/stream_input.c
libhansa_a_SOURCES += src/core/stream_move.c
libhansa_a_SOURCES += src/core/stream_unacked.c
libhansa_a_SOURCES += src/core/scram.c
libhansa_a_SOURCES += src/core/sasl.c
