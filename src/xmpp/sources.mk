# SPDX-License-Identifier: MIT
# The .c files and private headers of src/xmpp.

libhansa_a_SOURCES += \
	src/xmpp/dataform.c \
	src/xmpp/element.c \
	src/xmpp/error.c \
	src/xmpp/framer.c \
	src/xmpp/jid.c \
	src/xmpp/name.c \
	src/xmpp/parser.c \
	src/xmpp/parser_inside.h \
	src/xmpp/parser_unit.c \
	src/xmpp/rsm.c \
	src/xmpp/sm.c \
	src/xmpp/stamp.c \
	src/xmpp/stanza.c \
	src/xmpp/utf8.c \
	src/xmpp/writer.c
