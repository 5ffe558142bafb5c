# SPDX-License-Identifier: MIT
"""What a client sends again after kill -9 is delivered once, and <failed/> says how much need not be sent again."""
import re
import signal

from harness import eventually, run
from sasl import bound, header, log_in_with, secured

SM = "urn:xmpp:sm:3"
ARCHIVE = "journal { archive = always }\n"


def message(n, to="bob@north.example"):
    return (f"<message to='{to}' type='chat' id='m{n}'><body>{n}</body>"
            f"<origin-id xmlns='urn:xmpp:sid:0' id='o{n}'/></message>")


def managed(north, name):
    """A session with stream management; answers its id as well."""
    raw = bound(north, name)
    got = raw.send(f"<enable xmlns='{SM}' resume='true'/>").expect("/>")
    return raw, re.search(r"id='([^']+)'", got).group(1)


def handled(raw):
    return int(re.search(r"h='(\d+)'", raw.send(f"<r xmlns='{SM}'/>").expect("/>")).group(1))


def bodies(raw, last):
    return re.findall(r"<body>(\d+)</body>", raw.expect(f"<body>{last}</body>"))


def resume_in_vain(north, name, previd):
    """Logged in, not resumed; answers the stream and <failed/>."""
    raw, _ = secured(north)
    log_in_with(raw, "PLAIN", name, f"secret-of-{name}")
    raw.send(header(north)).expect("</stream:features>")
    return raw, raw.send(f"<resume xmlns='{SM}' previd='{previd}' h='0'/>").expect("</failed>")


def killed_while_sending(place, more):
    north = place.branch(more=more)
    north.add_user("ann", "secret-of-ann")
    north.add_user("bob", "secret-of-bob")
    ann, previd = managed(north, "ann")
    for n in range(1, 21):
        ann.send(message(n))
        if n % 5 == 0:
            assert eventually(lambda: handled(ann) == n)
    north.stop(signal.SIGKILL)
    ann.close()
    north.start()
    return north, previd


def deliveries(north, last):
    bob = bound(north, "bob")
    got = bodies(bob.send("<presence/>"), last)
    bob.close()
    return got


def test_kept_messages_come_once(place):
    north, previd = killed_while_sending(place, "")
    ann, failed = resume_in_vain(north, "ann", previd)
    assert "item-not-found" in failed and " h=" not in failed, failed
    ann.close()
    ann, _ = managed(north, "ann")
    for n in range(1, 23):
        ann.send(message(n))
    assert eventually(lambda: handled(ann) == 22)
    assert deliveries(north, 22) == [str(n) for n in range(1, 23)]


def test_h_is_a_safe_lower_bound(place):
    north, previd = killed_while_sending(place, ARCHIVE)
    ann, failed = resume_in_vain(north, "ann", previd)
    h = int(re.search(r"h='(\d+)'", failed).group(1))
    assert 15 <= h <= 20, failed
    ann.close()
    stranger, failed = resume_in_vain(north, "bob", previd)
    assert " h=" not in failed, failed
    stranger.close()
    ann, _ = managed(north, "ann")
    for n in range(h + 1, 23):
        ann.send(message(n))
    assert eventually(lambda: handled(ann) == 22 - h)
    assert deliveries(north, 22) == [str(n) for n in range(1, 23)]
    ann.send("<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2'/></iq>")
    assert len(re.findall("<result ", ann.expect("</fin>"))) == 22


if __name__ == "__main__":
    run(globals())
