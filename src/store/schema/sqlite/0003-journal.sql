-- SPDX-License-Identifier: MIT
--
-- The journal as archive, offline messages and recovery in one: thin entries that point at bodies. A message between two
-- accounts of this server is one body with an entry for each. What the first step's journal held was undelivered.

-- holders: the entries that point here; the last one that goes takes the body along.
CREATE TABLE journal_body (
	id INTEGER PRIMARY KEY,
	holders INTEGER NOT NULL,
	stanza TEXT NOT NULL
) STRICT;

-- sequence ascends with time. archived = 0: kept for delivery only. delivered = 1: delivered although the watermark of
-- the account lies below. peer is a bare JID, resource what follows it.
CREATE TABLE journal_entry (
	account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
	sequence INTEGER NOT NULL,
	body INTEGER NOT NULL,
	at_us INTEGER NOT NULL,
	direction INTEGER NOT NULL,
	type INTEGER NOT NULL,
	archived INTEGER NOT NULL,
	delivered INTEGER NOT NULL DEFAULT 0,
	bytes INTEGER NOT NULL,                         -- of the body's stanza
	peer TEXT NOT NULL,
	resource TEXT NOT NULL,
	PRIMARY KEY (account, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX journal_entry_peer ON journal_entry (account, peer, sequence) WHERE archived = 1;

CREATE TRIGGER journal_entry_gone AFTER DELETE ON journal_entry BEGIN
	UPDATE journal_body SET holders = holders - 1 WHERE id = old.body;
	DELETE FROM journal_body WHERE id = old.body AND holders = 0;
END;

INSERT INTO journal_body (id, holders, stanza) SELECT sequence, 1, stanza FROM journal;
INSERT INTO journal_entry (account, sequence, body, at_us, direction, type, archived, bytes, peer, resource)
	SELECT account, sequence, sequence, at_us, direction, type, 0, bytes,
		CASE instr(peer, '/') WHEN 0 THEN peer ELSE substr(peer, 1, instr(peer, '/') - 1) END,
		CASE instr(peer, '/') WHEN 0 THEN '' ELSE substr(peer, instr(peer, '/') + 1) END
	FROM journal;
DROP TABLE journal;

PRAGMA user_version = 3;
