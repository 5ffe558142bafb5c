# SPDX-License-Identifier: MIT
# Rigs: what the tarball carries, and the disk that loses its power.

EXTRA_DIST += \
	tests/rig/README.md \
	tests/rig/client.py \
	tests/rig/crash.py \
	tests/rig/oracle.py \
	tests/rig/people.py \
	tests/rig/stored.py \
	tests/rig/test_crash.py \
	tests/rig/test_disk.py \
	tests/rig/victim.py

# Built by name: make tests/rig/powerloss.so
EXTRA_PROGRAMS += tests/rig/powerloss.so
tests_rig_powerloss_so_SOURCES = tests/rig/powerloss.c
tests_rig_powerloss_so_CFLAGS = $(AM_CFLAGS) -fPIC
tests_rig_powerloss_so_LDFLAGS = -shared -pthread $(SANITIZE_CFLAGS)
tests_rig_powerloss_so_LDADD = $(SQLITE_LIBS)
