# SPDX-License-Identifier: MIT
# Rigs: programs that break a server on purpose and look what is left.

# Built by name: make tests/rig/powerloss.so
EXTRA_PROGRAMS += tests/rig/powerloss.so
tests_rig_powerloss_so_SOURCES = tests/rig/powerloss.c
tests_rig_powerloss_so_CFLAGS = $(AM_CFLAGS) -fPIC
tests_rig_powerloss_so_LDFLAGS = -shared -pthread $(SANITIZE_CFLAGS)
tests_rig_powerloss_so_LDADD = $(SQLITE_LIBS)
