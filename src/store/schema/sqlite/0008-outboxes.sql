-- SPDX-License-Identifier: MIT
--
-- What waits for a link, until its peer has it. Entries come and go in the order of their sequences, so they lie in it.

CREATE TABLE outbox_entry (
	outbox TEXT NOT NULL,                           -- its key
	sequence INTEGER NOT NULL,
	since_us INTEGER NOT NULL,
	bytes INTEGER NOT NULL,                         -- what it weighs in the outbox
	stanza TEXT NOT NULL,
	PRIMARY KEY (outbox, sequence)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 8;
