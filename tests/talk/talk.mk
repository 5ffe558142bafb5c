# SPDX-License-Identifier: MIT
# Conversations: check programs, scripts and what the tarball carries.

EXTRA_DIST += tests/talk/README.md
EXTRA_DIST += tests/talk/bind.talk
EXTRA_DIST += tests/talk/delivery.talk
EXTRA_DIST += tests/talk/limits.talk
EXTRA_DIST += tests/talk/passing.talk
EXTRA_DIST += tests/talk/presence.talk
EXTRA_DIST += tests/talk/roster.talk
EXTRA_DIST += tests/talk/sasl.talk
EXTRA_DIST += tests/talk/stream.talk
EXTRA_DIST += tests/talk/subscription.talk
EXTRA_DIST += tests/talk/tls.talk
EXTRA_DIST += tests/talk/xep-0012.talk
EXTRA_DIST += tests/talk/xep-0049.talk
EXTRA_DIST += tests/talk/xep-0050.talk
EXTRA_DIST += tests/talk/xep-0054.talk
EXTRA_DIST += tests/talk/xep-0060.talk
EXTRA_DIST += tests/talk/xep-0077.talk
EXTRA_DIST += tests/talk/xep-0092.talk
EXTRA_DIST += tests/talk/xep-0133.talk
EXTRA_DIST += tests/talk/xep-0157.talk
EXTRA_DIST += tests/talk/xep-0160.talk
EXTRA_DIST += tests/talk/xep-0163.talk
EXTRA_DIST += tests/talk/xep-0172.talk
EXTRA_DIST += tests/talk/xep-0191.talk
EXTRA_DIST += tests/talk/xep-0198.talk
EXTRA_DIST += tests/talk/xep-0359.talk
EXTRA_DIST += tests/talk/xep-0386.talk
EXTRA_DIST += tests/talk/xep-0388.talk
EXTRA_DIST += tests/talk/xep-0292.talk
EXTRA_DIST += tests/talk/xep-0384.talk
EXTRA_DIST += tests/talk/xep-0357.talk
EXTRA_DIST += tests/talk/xep-0379.talk
EXTRA_DIST += tests/talk/xep-0398.talk
EXTRA_DIST += tests/talk/xep-0484.talk
EXTRA_DIST += tests/talk/xep-0509.talk
EXTRA_DIST += tests/talk/xep-0313.talk
EXTRA_DIST += tests/talk/xep-0401.talk
EXTRA_DIST += tests/talk/xep-0402.talk
EXTRA_DIST += tests/talk/xep-0199.talk
EXTRA_DIST += tests/talk/xep-0202.talk
EXTRA_DIST += tests/talk/xep-0215.talk
EXTRA_DIST += tests/talk/xep-0280.talk
EXTRA_DIST += tests/talk/xep-0352.talk
EXTRA_DIST += tests/talk/xep-0441.talk

check_PROGRAMS += tests/talk/talk
tests_talk_talk_SOURCES = \
	tests/talk/login.c \
	tests/talk/login.h \
	tests/talk/match.c \
	tests/talk/match.h \
	tests/talk/phrases.c \
	tests/talk/scene.h \
	tests/talk/stage.c \
	tests/talk/stage.h \
	tests/talk/talk.c \
	tests/support/asker.c \
	tests/support/asker.h \
	tests/support/folder.c \
	tests/support/folder.h \
	tests/support/store_trial.c \
	tests/support/store_trial.h \
	tests/support/town.c \
	tests/support/town.h
tests_talk_talk_LDADD = $(HANSA_LIBS)
