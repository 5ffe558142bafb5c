# SPDX-License-Identifier: MIT
# The .c files and private headers of src/client.

libhansa_a_SOURCES += src/client/client.h
libhansa_a_SOURCES += src/client/client.c
libhansa_a_SOURCES += src/client/connection.c
libhansa_a_SOURCES += src/client/login.c
libhansa_a_SOURCES += src/client/newcomer.c
libhansa_a_SOURCES += src/client/registration.c
libhansa_a_SOURCES += src/client/registration.h
libhansa_a_SOURCES += src/client/features.c
libhansa_a_SOURCES += src/client/exchange.c
libhansa_a_SOURCES += src/client/auth.c
libhansa_a_SOURCES += src/client/sasl2.c
libhansa_a_SOURCES += src/client/fast.c
libhansa_a_SOURCES += src/client/bind.c
libhansa_a_SOURCES += src/client/bind2.c
libhansa_a_SOURCES += src/client/outlet.c
libhansa_a_SOURCES += src/client/smacks.c
libhansa_a_SOURCES += src/client/smacks.h
libhansa_a_SOURCES += src/client/resume.c
libhansa_a_SOURCES += src/client/freeze.c
libhansa_a_SOURCES += src/client/past.c
libhansa_a_SOURCES += src/client/failures.c
