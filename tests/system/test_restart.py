# SPDX-License-Identifier: MIT
"""Sessions with stream management (XEP-0198) over a restart in order, and what is left of them after a crash."""
import re
import signal

from harness import eventually, run
from sasl import bound, header, log_in_with, secured

SM = "urn:xmpp:sm:3"


def managed(north, name, resource="raw"):
    """A session with stream management; answers its id as well."""
    raw = bound(north, name, resource)
    got = raw.send(f"<enable xmlns='{SM}' resume='true'/>").expect("/>")
    return raw, re.search(r"id='([^']+)'", got).group(1)


def back(north, name, previd, h):
    """The stream of a client that asks to resume, and the answer."""
    raw, _ = secured(north)
    log_in_with(raw, "PLAIN", name, f"secret-of-{name}")
    raw.send(header(north)).expect("</stream:features>")
    return raw, re.search(r"<(resumed|failed)[^>]*>", raw.send(f"<resume xmlns='{SM}' previd='{previd}' h='{h}'/>").expect(">")).group(0)


def ping(raw, n):
    """Everything that came before the answer."""
    return raw.send(f"<iq type='get' id='p{n}' to='north.example'><ping xmlns='urn:xmpp:ping'/></iq>").expect(f"id='p{n}'")


def start(place, more=""):
    north = place.branch(more=more)
    for name in ("ann", "bob"):
        north.add_user(name, f"secret-of-{name}")
    return north


ROSTER = "<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>"


def befriend(ann, bob):
    ann.send(ROSTER).expect("id='r'")
    bob.send(ROSTER).expect("id='r'")
    ann.send("<presence to='bob@north.example' type='subscribe'/>")
    bob.expect("type='subscribe'")
    bob.send("<presence to='ann@north.example' type='subscribed'/><presence to='ann@north.example' type='subscribe'/>")
    ann.expect("type='subscribe'")
    ann.send("<presence to='bob@north.example' type='subscribed'/>")
    bob.expect("type='subscribed'")


def test_nobody_hears_of_a_restart(place):
    north = start(place)
    ann, ann_id = managed(north, "ann")
    bob, bob_id = managed(north, "bob")
    ann.send("<presence/>"), bob.send("<presence><priority>5</priority></presence>")
    befriend(ann, bob)
    bob.send("<presence><show>away</show><priority>5</priority></presence>")
    ann.expect("<show>away</show>")
    ping(ann, 1), ping(bob, 1)
    assert north.stop() == 0
    ann.expect(f"<a xmlns='{SM}'")
    assert "</stream:stream>" not in ann.expect_close() and "unavailable" not in bob.expect_close()
    north.start()
    assert eventually(lambda: len(north.ask("session", "list")) == 2)
    ann, answer = back(north, "ann", ann_id, 0)
    assert answer.startswith("<resumed"), answer
    heard = ping(ann, 2)
    assert "unavailable" not in heard, heard
    ann.send("<message to='bob@north.example' type='chat'><body>still there?</body></message>")
    ping(ann, 3)
    bob, answer = back(north, "bob", bob_id, 0)
    assert answer.startswith("<resumed"), answer
    bob.expect("still there?")
    bob.send("<message to='ann@north.example' type='chat'><body>still here</body></message>")
    ann.expect("still here")


def messages(text):
    return re.findall(r"<body>(\d+)</body>", text)


def queue_over_restart(place, more, taken):
    """Of ten messages bob has read five and said so of `taken`; two more are sent while he is away."""
    north = start(place, more)
    ann = bound(north, "ann")
    bob, previd = managed(north, "bob")
    bob.send("<presence/>").expect("<presence")
    for n in range(10):
        ann.send(f"<message to='bob@north.example' type='chat'><body>{n}</body></message>")
    bob.expect("<body>9</body>")
    bob.send(f"<a xmlns='{SM}' h='{1 + taken}'/>")
    ping(ann, 1), ping(bob, 1)
    bob.close()
    ann.send("<message to='bob@north.example/raw' type='chat'><body>10</body></message>")
    ping(ann, 2)
    assert north.stop() == 0
    north.start()
    ann = bound(north, "ann")
    ann.send("<message to='bob@north.example' type='chat'><body>11</body></message>")
    ping(ann, 3)
    bob, answer = back(north, "bob", previd, 1 + 5)
    assert answer.startswith("<resumed"), answer
    got = bob.expect("<body>11</body>")
    assert messages(got) == [str(n) for n in range(5, 12)], got
    assert len(re.findall("<stanza-id", got)) in (0, 6, 7), got
    ping(bob, 2)
    bob.send(f"<a xmlns='{SM}' h='100'/>").expect("handled-count-too-high")
    bob.close()
    again = bound(north, "bob", "other")
    assert messages(again.send("<presence/>").expect("<body>11</body>")) == [str(n) for n in range(5, 12)]


def test_the_queue_comes_along(place):
    queue_over_restart(place, "", 3)


def test_the_queue_comes_along_from_the_archive(place):
    queue_over_restart(place, "journal { archive = always }", 0)


def test_what_was_taken_is_not_delivered_again(place):
    north = start(place)
    ann = bound(north, "ann")
    bob, previd = managed(north, "bob")
    bob.send("<presence/>").expect("<presence")
    for n in range(3):
        ann.send(f"<message to='bob@north.example' type='chat'><body>{n}</body></message>")
    bob.expect("<body>2</body>")
    assert north.stop() == 0
    north.start()
    bob, answer = back(north, "bob", previd, 4)
    assert answer.startswith("<resumed"), answer
    assert messages(ping(bob, 1)) == []
    bob.send("</stream:stream>").expect("</stream:stream>")
    later = bound(north, "bob", "later")
    assert messages(ping(later.send("<presence/>"), 2)) == []
    north.stop()
    north.start()
    later = bound(north, "bob", "later")
    assert messages(ping(later.send("<presence/>"), 3)) == []


def test_carbons_and_client_state(place):
    north = start(place)
    ann = bound(north, "ann")
    bob, previd = managed(north, "bob", "phone")
    bob.send("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>").expect("id='c'")
    bob.send("<inactive xmlns='urn:xmpp:csi:0'/>")
    ping(bob, 0)
    assert north.stop() == 0
    north.start()
    desk = bound(north, "bob", "desk")
    desk.send("<message to='ann@north.example' type='chat'><body>7</body></message>")
    ping(desk, 1)
    bob, answer = back(north, "bob", previd, 2)
    assert answer.startswith("<resumed"), answer
    assert "<sent xmlns='urn:xmpp:carbons:2'" in bob.expect("<body>7</body>")
    ann.close()


def test_time_goes_on(place):
    north = start(place, "limits { resume-time = 3s }")
    ann, _ = managed(north, "ann")
    bob, previd = managed(north, "bob")
    ann.send("<presence/>"), bob.send("<presence/>")
    befriend(ann, bob)
    ann.send("<message to='bob@north.example' type='chat'><body>1</body></message>")
    bob.expect("<body>1</body>")
    assert north.stop() == 0
    north.start()
    ann = bound(north, "ann", "new")
    ann.send("<presence/>").expect("from='bob@north.example/raw'")
    ann.expect("type='unavailable'")
    assert eventually(lambda: len(north.ask("session", "list")) == 1)
    bob, answer = back(north, "bob", previd, 0)
    assert answer.startswith("<failed"), answer
    bob.close()
    bob = bound(north, "bob")
    bob.send("<presence/>").expect("<body>1</body>")


def test_a_crash_leaves_none(place):
    north = start(place)
    bob, previd = managed(north, "bob")
    bob.send("<presence/>").expect("<presence")
    assert north.stop() == 0
    north.start()
    assert eventually(lambda: len(north.ask("session", "list")) == 1)
    north.stop(signal.SIGKILL)
    north.start()
    bob, answer = back(north, "bob", previd, 0)
    assert answer.startswith("<failed"), answer
    assert north.ask("session", "list") == []


if __name__ == "__main__":
    run(globals())
