# SPDX-License-Identifier: MIT
"""A branch is away, for a while or for too long: what its people are sent waits in the outbox of the link, over a crash of
the server too, arrives in order with the time when it was said, or comes back."""
import re
import signal

from harness import Dns, eventually, run
from sasl import bound

SM = "urn:xmpp:sm:3"


def two_branches(place, more=""):
    dns = Dns("127.0.0.8")
    where = f'dns {{ servers = {{ "{dns.address}:{dns.port}" }} }}\n'
    north = place.branch("north.example", "127.0.0.2", where + more)
    south = place.branch("south.example", "127.0.0.3", where)
    dns.branch("north.example", north.address, north.s2s)
    dns.branch("south.example", south.address, south.s2s)
    north.add_user("ann", "secret-of-ann")
    south.add_user("bob", "secret-of-bob")
    return north, south


def managed(north, name):
    raw = bound(north, name)
    raw.send(f"<enable xmlns='{SM}'/>").expect("/>")
    return raw


def handled(raw):
    return int(re.search(r"h='(\d+)'", raw.send(f"<r xmlns='{SM}'/>").expect("/>")).group(1))


def message(n):
    return f"<message to='bob@south.example' type='chat' id='m{n}'><body>{n}</body></message>"


def link(north, row="south.example"):
    rows = [r for r in north.ask("peer", "show", row) if r["direction"] == "out"]
    return rows[0]


def numbers(text):
    return [int(n) for n in re.findall(r"<body>(\d+)</body>", text)]


def returned(text):
    return [int(n) for n in re.findall(r"<message [^>]*id='m(\d+)'", text)]


def test_an_outage_and_a_crash(place):
    """A thousand messages, each acknowledged to its sender; then both servers have been dead."""
    north, south = two_branches(place)
    bob = bound(south, "bob")
    ann = managed(north, "ann")
    ann.send(message(0))
    bob.send("<presence/>").expect("<body>0</body>")
    assert eventually(lambda: link(north)["under way"] == 0)
    bob.close()
    south.stop(signal.SIGKILL)
    for n in range(1, 1001):
        ann.send(message(n))
    assert eventually(lambda: handled(ann) == 1001)
    assert link(north)["queued"] == 1000
    north.stop(signal.SIGKILL)
    north.start()
    assert link(north)["queued"] == 1000
    south.start()
    bob = bound(south, "bob")
    bob.send("<presence/>")
    north.ctl("peer", "retry", "south.example")
    got = bob.expect("<body>1000</body>") + bob.expect("</message>")
    assert numbers(got) == list(range(1, 1001)), numbers(got)
    assert len(re.findall(r"<delay xmlns='urn:xmpp:delay' from='north.example' stamp='", got)) == 1000
    assert eventually(lambda: link(north)["queued"] == 0)
    ann = managed(north, "ann")
    ann.send(message(1001))
    assert "<delay" not in bob.expect("<body>1001</body>")


def test_what_is_too_late_comes_back_to_who_is_there_no_more(place):
    north, south = two_branches(place, 'peer "south.example" { lifetime = 2s }\n')
    south.stop()
    ann = managed(north, "ann")
    for n in range(3):
        ann.send(message(n))
    assert eventually(lambda: handled(ann) == 3)
    ann.close()
    assert eventually(lambda: link(north)["queued"] == 0)
    ann = bound(north, "ann")
    got = ann.send("<presence/>").expect("id='m2'") + ann.expect("</message>")
    assert returned(got) == [0, 1, 2] and got.count("remote-server-timeout") == 3, got
    south.start()
    north.ctl("peer", "retry", "south.example")
    bob = bound(south, "bob")
    bob.send("<presence/>").expect("<presence")
    ann.send(message(3))
    assert numbers(bob.expect("<body>3</body>")) == [3]


def test_a_restart_in_order_keeps_what_waits(place):
    north, south = two_branches(place)
    south.stop()
    ann = managed(north, "ann")
    ann.send(message(1))
    ann.send("<presence to='bob@south.example' type='subscribe' id='s'/>")
    assert eventually(lambda: link(north)["queued"] == 2)
    ann.close()
    assert north.stop() == 0
    south.start()
    north.start()
    bob = bound(south, "bob")
    assert eventually(lambda: link(north)["queued"] == 0)
    assert "type='subscribe'" in bob.send("<presence/>").expect("<body>1</body>")


def test_the_administrator_returns_what_waits(place):
    north, south = two_branches(place)
    south.stop()
    ann = managed(north, "ann")
    ann.send(message(1)).send(message(2))
    assert eventually(lambda: handled(ann) == 2)
    row = link(north)
    assert row["queued"] == 2 and row["bytes"] > 0, row
    assert eventually(lambda: link(north).get("error"))
    ann.send("<iq type='get' id='p' to='south.example'><ping xmlns='urn:xmpp:ping'/></iq>").expect("remote-server-timeout")
    north.ctl("peer", "flush", "south.example")
    got = ann.expect("id='m2'") + ann.expect("</message>")
    assert returned(got) == [1, 2], got
    assert link(north)["queued"] == 0


if __name__ == "__main__":
    run(globals())
