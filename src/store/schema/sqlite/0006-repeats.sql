-- SPDX-License-Identifier: MIT
--
-- What is asked after a crash: by what a message is known that comes again (repeat, 0: never), and of a message that was sent
-- the stream (XEP-0198, 0: none) with the number of its stanzas that were in safe hands by then.

ALTER TABLE journal_entry ADD COLUMN repeat INTEGER NOT NULL DEFAULT 0;
ALTER TABLE journal_entry ADD COLUMN stream INTEGER NOT NULL DEFAULT 0;
ALTER TABLE journal_entry ADD COLUMN handled INTEGER NOT NULL DEFAULT 0;

PRAGMA user_version = 6;
