# SPDX-License-Identifier: MIT
# The .c files and private headers of s2s.

libhansa_a_SOURCES += \
	s2s/command.c s2s/command.h \
	s2s/dialback.c s2s/dialback.h \
	s2s/doubts.c s2s/doubts.h \
	s2s/incoming.c s2s/incoming.h s2s/incoming_inside.h \
	s2s/incoming_dialback.c \
	s2s/incoming_header.c \
	s2s/incoming_join.c \
	s2s/incoming_sasl.c \
	s2s/incoming_sm.c \
	s2s/incoming_stanza.c \
	s2s/intake.c s2s/intake.h \
	s2s/invited.c s2s/invited.h \
	s2s/joining.c s2s/joining.h \
	s2s/link.c s2s/link.h \
	s2s/link_outbox.c \
	s2s/outgoing.c s2s/outgoing.h s2s/outgoing_inside.h \
	s2s/outgoing_connect.c \
	s2s/outgoing_dialback.c \
	s2s/outgoing_end.c \
	s2s/outgoing_join.c \
	s2s/outgoing_sasl.c \
	s2s/outgoing_sm.c \
	s2s/peer_file.c s2s/peer_file.h \
	s2s/ping.c s2s/ping.h \
	s2s/policy.c s2s/policy.h s2s/policy_inside.h \
	s2s/policy_trust.c \
	s2s/receipts.c s2s/receipts.h \
	s2s/s2s.c s2s/s2s.h \
	s2s/token.c s2s/token.h \
	s2s/trial.c s2s/trial.h \
	s2s/trouble.c s2s/trouble.h \
	s2s/trust.c s2s/trust.h \
	s2s/verify.c s2s/verify.h
