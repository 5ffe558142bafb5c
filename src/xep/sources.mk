# SPDX-License-Identifier: MIT
# The .c files and private headers of src/xep.

libhansa_a_SOURCES += src/xep/addresses.c
libhansa_a_SOURCES += src/xep/archiving.c src/xep/archiving.h
libhansa_a_SOURCES += src/xep/archiving_rule.c
libhansa_a_SOURCES += src/xep/administration.c
libhansa_a_SOURCES += src/xep/avatar.c src/xep/avatar.h
libhansa_a_SOURCES += src/xep/avatar_presence.c
libhansa_a_SOURCES += src/xep/blocking.c
libhansa_a_SOURCES += src/xep/blocklist.c src/xep/blocklist.h
libhansa_a_SOURCES += src/xep/bookmark.c src/xep/bookmark.h
libhansa_a_SOURCES += src/xep/bookmarks.c src/xep/bookmarks.h
libhansa_a_SOURCES += src/xep/bookmarks_change.c
libhansa_a_SOURCES += src/xep/bookmarks_legacy.c
libhansa_a_SOURCES += src/xep/bookmarks_list.c
libhansa_a_SOURCES += src/xep/carbons.c
libhansa_a_SOURCES += src/xep/csi.c
libhansa_a_SOURCES += src/xep/document.c src/xep/document.h
libhansa_a_SOURCES += src/xep/invitation.c
libhansa_a_SOURCES += src/xep/last.c
libhansa_a_SOURCES += src/xep/pep.c src/xep/pep.h
libhansa_a_SOURCES += src/xep/mam.c src/xep/mam.h
libhansa_a_SOURCES += src/xep/mam_query.c
libhansa_a_SOURCES += src/xep/ping.c
libhansa_a_SOURCES += src/xep/preferences.c src/xep/preferences.h
libhansa_a_SOURCES += src/xep/private.c src/xep/private.h
libhansa_a_SOURCES += src/xep/push.c src/xep/push.h
libhansa_a_SOURCES += src/xep/push_publish.c
libhansa_a_SOURCES += src/xep/services.c
libhansa_a_SOURCES += src/xep/time.c
libhansa_a_SOURCES += src/xep/vcard.c src/xep/vcard.h
libhansa_a_SOURCES += src/xep/vcard4.c
libhansa_a_SOURCES += src/xep/vcard4_map.c src/xep/vcard4_map.h
libhansa_a_SOURCES += src/xep/version.c
