-- SPDX-License-Identifier: MIT
--
-- Accounts and what hangs on them. A change of the schema is a new file with the next number, whose last line sets
-- user_version to that number; a file that has been released is never changed. The application id says "Hans".

PRAGMA application_id = 0x48616e73;

-- Account 0, with neither host nor name, is the server itself: it owns documents and nothing else.
CREATE TABLE account (
	id INTEGER PRIMARY KEY,
	host TEXT NOT NULL,
	name TEXT NOT NULL CHECK ((name = '') = (id = 0)),
	created_us INTEGER NOT NULL,
	roster_version INTEGER NOT NULL DEFAULT 0,
	delivered INTEGER NOT NULL DEFAULT 0,           -- the watermark of the journal
	UNIQUE (host, name)
) STRICT;
INSERT INTO account (id, host, name, created_us) VALUES (0, '', '', 0);

-- SCRAM keys (RFC 5802 section 3), one row for each hash.
CREATE TABLE credential (
	account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
	hash TEXT NOT NULL CHECK (hash IN ('SHA-1', 'SHA-256', 'SHA-512')),
	iterations INTEGER NOT NULL,
	salt BLOB NOT NULL,
	stored_key BLOB NOT NULL,
	server_key BLOB NOT NULL,
	PRIMARY KEY (account, hash)
) STRICT, WITHOUT ROWID;

-- groups: the names, each with a NUL behind it.
CREATE TABLE roster (
	account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
	contact TEXT NOT NULL,
	name TEXT,
	groups BLOB NOT NULL,
	state INTEGER NOT NULL,
	approved INTEGER NOT NULL,
	listed INTEGER NOT NULL,
	request TEXT,
	version INTEGER NOT NULL,
	PRIMARY KEY (account, contact)
) STRICT, WITHOUT ROWID;

-- AUTOINCREMENT: the number of an entry that was delivered and forgotten is never given again, or a new entry would
-- lie below the watermark. The index alone answers how much is undelivered.
CREATE TABLE journal (
	sequence INTEGER PRIMARY KEY AUTOINCREMENT,
	account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
	at_us INTEGER NOT NULL,
	direction INTEGER NOT NULL,
	type INTEGER NOT NULL,
	bytes INTEGER NOT NULL,                         -- of stanza
	id TEXT NOT NULL,
	peer TEXT NOT NULL,
	stanza TEXT NOT NULL
) STRICT;
CREATE INDEX journal_account ON journal (account, sequence, bytes);

CREATE TABLE document (
	account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
	kind TEXT NOT NULL,
	key TEXT NOT NULL,
	text TEXT NOT NULL,
	UNIQUE (account, kind, key)
) STRICT;

PRAGMA user_version = 1;
