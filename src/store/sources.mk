# SPDX-License-Identifier: MIT
# The .c files and private headers of src/store. The steps of a schema are SQL files, in the order of their numbers;
# they become C when the server is built.

libhansa_a_SOURCES += \
	src/store/store.c \
	src/store/sqlite/account.c \
	src/store/sqlite/batch.c \
	src/store/sqlite/batch.h \
	src/store/sqlite/database.c \
	src/store/sqlite/database.h \
	src/store/sqlite/document.c \
	src/store/sqlite/faults.c \
	src/store/sqlite/faults.h \
	src/store/sqlite/file.c \
	src/store/sqlite/file.h \
	src/store/sqlite/journal.c \
	src/store/sqlite/operation.c \
	src/store/sqlite/operation.h \
	src/store/sqlite/outbox.c \
	src/store/sqlite/pubsub.c \
	src/store/sqlite/query.c \
	src/store/sqlite/query.h \
	src/store/sqlite/queue.c \
	src/store/sqlite/queue.h \
	src/store/sqlite/recent.c \
	src/store/sqlite/recent.h \
	src/store/sqlite/roster.c \
	src/store/sqlite/sqlite.c \
	src/store/sqlite/threads.c \
	src/store/sqlite/token.c \
	src/store/sqlite/threads.h \
	src/store/sqlite/watch.c \
	src/store/sqlite/watch.h \
	src/store/sqlite/wal.c \
	src/store/sqlite/wal.h

sqlite_schema = \
	src/store/schema/sqlite/0001-accounts.sql \
	src/store/schema/sqlite/0002-pubsub.sql \
	src/store/schema/sqlite/0003-journal.sql \
	src/store/schema/sqlite/0004-tokens.sql \
	src/store/schema/sqlite/0005-peers.sql \
	src/store/schema/sqlite/0006-repeats.sql \
	src/store/schema/sqlite/0007-document-kinds.sql \
	src/store/schema/sqlite/0008-outboxes.sql

EXTRA_DIST += $(sqlite_schema)
CLEANFILES += src/store/sqlite/schema_steps.c
nodist_libhansa_a_SOURCES = src/store/sqlite/schema_steps.c

src/store/sqlite/schema_steps.c: $(sqlite_schema)
	$(AM_V_GEN)$(MKDIR_P) src/store/sqlite && { \
	  echo 'extern const char *const schema_steps[];'; \
	  echo 'const char *const schema_steps[] = {'; \
	  for step in $(sqlite_schema); do \
	    sed -e 's/[\\"]/\\&/g' -e 's/^/"/' -e 's/$$/\\n"/' $(srcdir)/$$step && echo ',' || exit 1; \
	  done; \
	  echo '0 };'; } > $@.new && mv $@.new $@
