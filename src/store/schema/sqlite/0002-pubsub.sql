-- SPDX-License-Identifier: MIT
--
-- Publish-subscribe nodes and their items (XEP-0060). The owner is an account's address or a domain.

CREATE TABLE pubsub_node (
	id INTEGER PRIMARY KEY,
	owner TEXT NOT NULL,
	name TEXT NOT NULL,
	config TEXT NOT NULL,
	affiliations TEXT NOT NULL,
	UNIQUE (owner, name)
) STRICT;

-- sequence: the order of publishing; an item that is published again gets a new one.
CREATE TABLE pubsub_item (
	sequence INTEGER PRIMARY KEY AUTOINCREMENT,
	node INTEGER NOT NULL REFERENCES pubsub_node ON DELETE CASCADE,
	id TEXT NOT NULL,
	publisher TEXT NOT NULL,
	at_us INTEGER NOT NULL,
	payload TEXT NOT NULL,
	UNIQUE (node, id)
) STRICT;
CREATE INDEX pubsub_item_order ON pubsub_item (node, sequence);

CREATE TRIGGER account_pubsub AFTER DELETE ON account BEGIN
	DELETE FROM pubsub_node WHERE owner = old.name || '@' || old.host;
END;

PRAGMA user_version = 2;
