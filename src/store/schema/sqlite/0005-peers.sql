-- SPDX-License-Identifier: MIT
--
-- With whom entries are, apart from them: what is asked for rarely is written for many entries at once. A row in an index
-- for each message would cost as much as the message.

-- The entries of an account up to its peers_up_to; those behind it are few and are looked through.
CREATE TABLE journal_peer (
	account INTEGER NOT NULL,
	peer TEXT NOT NULL,
	sequence INTEGER NOT NULL,
	PRIMARY KEY (account, peer, sequence)
) STRICT, WITHOUT ROWID;
ALTER TABLE account ADD COLUMN peers_up_to INTEGER NOT NULL DEFAULT 0;

INSERT INTO journal_peer (account, peer, sequence) SELECT account, peer, sequence FROM journal_entry;
UPDATE account SET peers_up_to =
	coalesce((SELECT max(sequence) FROM journal_entry WHERE journal_entry.account = account.id), 0);
DROP INDEX journal_entry_peer;

DROP TRIGGER journal_entry_gone;
CREATE TRIGGER journal_entry_gone AFTER DELETE ON journal_entry BEGIN
	DELETE FROM journal_peer WHERE account = old.account AND peer = old.peer AND sequence = old.sequence;
	UPDATE journal_body SET holders = holders - 1 WHERE id = old.body;
	DELETE FROM journal_body WHERE id = old.body AND holders = 0;
END;

PRAGMA user_version = 5;
