# SPDX-License-Identifier: MIT
# hansactl.

bin_PROGRAMS += hansactl
hansactl_SOURCES = \
	src/ctl/client.c src/ctl/client.h \
	src/ctl/main.c \
	src/ctl/password.c src/ctl/password.h \
	src/ctl/table.c src/ctl/table.h
hansactl_LDADD = libhansa.a $(OPENSSL_LIBS) $(JANSSON_LIBS)
