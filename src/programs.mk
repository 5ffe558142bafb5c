# SPDX-License-Identifier: MIT
# hansad.

sbin_PROGRAMS += hansad
hansad_SOURCES = src/main.c src/modules.c
hansad_LDADD = $(HANSA_LIBS)
