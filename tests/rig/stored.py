# SPDX-License-Identifier: MIT
"""What a server has left in its store when it was killed or had left: looked at in a copy, before the next one changes it.

What must hold after each end, without any repair:
  - the file is whole, each entry of a journal has its text, each text as many entries as it says, and there are no others;
  - a message stands in an account's journal once;
  - where all is archived and does not expire, what was acknowledged stands in both archives, no message stands in its
    recipient's and not in its sender's, and those of a pair stand in the order in which they were sent.
The entry of the sender is written first: one without the other's is a message that nobody has acknowledged, and that its sender
sends again.
"""
import collections
import contextlib
import re
import shutil
import sqlite3
import tempfile

from oracle import key_of

KEY = re.compile(r"<body>(\w+ \w+ \d+ )")
SENT = 1                        # enum store_direction

WHOLE = {
    "texts that not as many entries share as they say":
        "SELECT count(*) FROM journal_body LEFT JOIN (SELECT body, count(*) AS entries FROM journal_entry GROUP BY body)"
        " ON body = id WHERE holders IS NOT entries",
    "entries without a text":
        "SELECT count(*) FROM journal_entry WHERE body NOT IN (SELECT id FROM journal_body)",
    "peers of entries that are not there":
        "SELECT count(*) FROM journal_peer AS known WHERE NOT EXISTS (SELECT 1 FROM journal_entry AS entry"
        " WHERE entry.account = known.account AND entry.sequence = known.sequence)",
    "faults of the file":
        "SELECT count(*) FROM pragma_quick_check WHERE quick_check <> 'ok'",
}
ENTRIES = ("SELECT name, direction, stanza FROM journal_entry JOIN account ON account.id = account"
           " JOIN journal_body ON journal_body.id = body ORDER BY account, sequence")


class Stored:
    def __init__(self, folder):
        """Copies the store of a server that is not running."""
        self.folder = tempfile.TemporaryDirectory(dir=folder)
        for tail in ("", "-wal"):
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(folder / f"hansa.db{tail}", f"{self.folder.name}/hansa.db{tail}")

    def check(self, oracle, when, acknowledged, all_archived):
        with self.folder, contextlib.closing(sqlite3.connect(f"{self.folder.name}/hansa.db")) as base:
            for what, question in WHOLE.items():
                count = base.execute(question).fetchone()[0]
                if count:
                    oracle.fault(("?", "?", 0), f"{count} {what} {when}")
            journals = [collections.defaultdict(list), collections.defaultdict(list)]
            for owner, direction, stanza in base.execute(ENTRIES):
                journals[direction == SENT][owner].append(key_of(KEY.search(stanza)[1]))
        for journal in journals:
            for owner, keys in journal.items():
                oracle.check_once(keys, f"in the journal of {owner} {when}")
        if all_archived:
            came, sent = ({key for keys in journal.values() for key in keys} for journal in journals)
            self.check_archives(oracle, when, acknowledged, sent, came)
            for journal in journals:
                for owner, keys in journal.items():
                    oracle.check_order(keys, f"in the archive of {owner} {when}")

    def check_archives(self, oracle, when, acknowledged, sent, came):
        for place, there in enumerate((sent, came)):
            for key in oracle.missing(place, acknowledged, there):
                oracle.fault(key, f"was acknowledged and is not in the archive of {key[place]} {when}")
        for key in came - sent if not oracle.expires else []:
            oracle.fault(key, f"is in the archive of {key[1]} only {when}")
        oracle.halves += bool(sent - came) and not oracle.expires
