# SPDX-License-Identifier: MIT
"""What the clients of the rig know: which message was sent, acknowledged, kept by its recipient, found in an archive.

A message is a key (sender, recipient, number); the numbers of a pair ascend. What must hold at the end:
  - an acknowledged message has been kept by its recipient, and where all is archived it is in both archives, once;
  - the same message is never there under two ids, and one that its recipient acknowledged does not come again, but for what
    the server may forget when it dies;
  - of each pair the messages are there in the order in which they were sent (the first time that each came), in both archives.
What must hold after each end of a server says stored.py.
"""
import collections
import time


class Oracle:
    def __init__(self, expires=False):
        self.expires = expires          # what is old goes from the archives
        self.began = time.monotonic()
        self.sent = []
        self.acknowledged = set()
        self.acknowledged_at = {}
        self.settled = set()            # acknowledged on both sides, long before an end of the server
        self.kept = collections.defaultdict(list)       # recipient -> keys as they were kept
        self.history = collections.defaultdict(list)    # key -> what happened to it, for a person who looks for the cause
        self.lives = collections.defaultdict(list)      # recipient -> when it came and went
        self.events = []
        self.faults = []
        self.halves = 0         # ends after which a message stood in its sender's archive and not yet in its recipient's

    def note(self, key, what):
        self.history[key].append(f"{time.monotonic() - self.began:.3f} {what}")

    def lived(self, recipient, what):
        self.lives[recipient].append(f"{time.monotonic() - self.began:.3f} {what}")

    def event(self, what):
        self.events.append((time.monotonic() - self.began, what))

    def fault(self, key, what):
        self.faults.append((key, what))

    # ---- what the clients tell ----

    def was_sent(self, key):
        self.sent.append(key)
        self.note(key, "sent")

    def was_settled(self, keys, before):
        """Their recipient has acknowledged them before that moment; to their sender they were by then as well."""
        self.settled.update(key for key in keys if self.acknowledged_at.get(key, before) < before)

    def came(self, key):
        self.note(key, "came")
        if key in self.settled:
            self.fault(key, "came again, long after it was acknowledged")

    def was_acknowledged(self, key):
        self.acknowledged.add(key)
        self.acknowledged_at[key] = time.monotonic()
        self.note(key, "acknowledged")

    def was_kept(self, recipient, key, message_id):
        if message_id != id_of(key):
            self.fault(key, f"came with the id {message_id}")
        self.kept[recipient].append(key)
        self.note(key, "kept")

    # ---- what must hold ----

    def check_delivered(self):
        there = {key for keys in self.kept.values() for key in keys}
        for key in self.sent:
            if key in self.acknowledged and key not in there:
                self.fault(key, "was acknowledged and is lost")
        for recipient, keys in self.kept.items():
            self.check_order(keys, f"for {recipient}")
        unknown = there - set(self.sent)
        for key in unknown:
            self.fault(key, "was never sent")

    def check_order(self, keys, where):
        newest, seen = {}, set()
        for key in keys:
            if key in seen:
                continue
            seen.add(key)
            pair = key[:2]
            if key[2] < newest.get(pair, -1):
                later = "; ".join(self.history[pair + (newest[pair],)])
                self.fault(key, f"is behind {newest[pair]} {where} ({later})")
            newest[pair] = max(key[2], newest.get(pair, -1))

    def check_once(self, keys, where):
        for key, count in collections.Counter(keys).items():
            if count > 1:
                self.fault(key, f"is {count} times {where}")

    def check_archive(self, owner, place, keys):
        """place: where the owner stands in a key, 0 as sender or 1 as recipient."""
        owned = (key for key in self.acknowledged if key[place] == owner)
        for key in self.missing(place, owned, keys):
            self.fault(key, f"was acknowledged and is not in the archive of {owner}")
        self.check_once(keys, f"in the archive of {owner}")
        self.check_order(keys, f"in the archive of {owner}")

    def missing(self, place, wanted, keys):
        """What should be there, in an archive or many. The oldest go first: there are no gaps. What a recipient has not got yet
        stays longer, so that he may have some."""
        there = set(keys)
        if not self.expires:
            return [key for key in wanted if key not in there]
        oldest = {}
        for key in keys if place == 0 else []:
            oldest[key[:2]] = min(key[2], oldest.get(key[:2], key[2]))
        return [key for key in wanted if key not in there and key[2] > oldest.get(key[:2], key[2])]

    def check_pair(self, sender, recipient, sent, came):
        """The archives of the two tell the same."""
        pair = (sender, recipient)
        sent, came = ([key for key in keys if key[:2] == pair] for keys in (sent, came))
        for key in set(sent) ^ set(came):
            self.fault(key, f"is in the archive of {sender if key in sent else recipient} only")
        if sent != came and set(sent) == set(came):
            self.fault((*pair, 0), "the two archives have different orders")

    def doubles(self):
        return sum(count - 1 for keys in self.kept.values() for count in collections.Counter(keys).values())

    def told(self, most=12):
        """The faults with the histories that lead to them."""
        lines = []
        for key, what in self.faults[:most]:
            lines.append(f"{key} {what}: " + "; ".join(self.history[key]))
            lines.append(f"   {key[1]}: " + "; ".join(self.lives[key[1]]))
        if len(self.faults) > most:
            lines.append(f"... and {len(self.faults) - most} more")
        if self.faults:
            lines.append("rounds: " + "; ".join(f"{at:.3f} {what}" for at, what in self.events))
        return "\n".join(lines)


def id_of(key):
    return "-".join(str(part) for part in key)


def key_of(body):
    sender, recipient, number = body.split(" ", 3)[:3]
    return sender, recipient, int(number)
