-- SPDX-License-Identifier: MIT
--
-- Who has a document of some kind, for walks over those accounts alone: most kinds are of few accounts.

CREATE INDEX document_kind ON document (kind, account);

PRAGMA user_version = 7;
