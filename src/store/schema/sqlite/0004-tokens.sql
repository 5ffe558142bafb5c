-- SPDX-License-Identifier: MIT
--
-- Login tokens (XEP-0484) of an account's clients. AUTOINCREMENT: a higher id is a newer token.

CREATE TABLE token (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
	client TEXT NOT NULL,
	mechanism TEXT NOT NULL,
	secret TEXT NOT NULL,
	issued_us INTEGER NOT NULL,
	expires_us INTEGER NOT NULL,
	used INTEGER NOT NULL DEFAULT 0,
	count INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX token_client ON token (account, client);

PRAGMA user_version = 4;
