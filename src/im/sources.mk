# SPDX-License-Identifier: MIT
# The .c files and private headers of src/im.

libhansa_a_SOURCES += src/im/change.c
libhansa_a_SOURCES += src/im/delivery.c
libhansa_a_SOURCES += src/im/directed.c
libhansa_a_SOURCES += src/im/ghosts.c
libhansa_a_SOURCES += src/im/im.c
libhansa_a_SOURCES += src/im/presence.c
libhansa_a_SOURCES += src/im/probe.c
libhansa_a_SOURCES += src/im/roster.c
libhansa_a_SOURCES += src/im/roster_query.c
libhansa_a_SOURCES += src/im/shown.c
libhansa_a_SOURCES += src/im/spread.c
libhansa_a_SOURCES += src/im/subscribing.c
libhansa_a_SOURCES += src/im/subscription.c
