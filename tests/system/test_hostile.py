# SPDX-License-Identifier: MIT
"""What an attacker sends: every limit exceeded once, and after each attack the server still serves and has let go."""
import select
import socket
import time

from harness import Raw, eventually, run
from sasl import bound, plain, secured

HEADER = ("<?xml version='1.0'?><stream:stream to='north.example' version='1.0' xmlns='jabber:client' "
          "xmlns:stream='http://etherx.jabber.org/streams'>")
STARTTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"


def serves(north):
    """A login and a ping, which is what an attack must not prevent."""
    raw = bound(north, "ann", "after")
    raw.send("<iq type='get' id='p' to='north.example'><ping xmlns='urn:xmpp:ping'/></iq>").expect("id='p'")
    raw.send("</stream:stream>").expect("</stream:stream>")
    raw.close()


def start(place, more=""):
    north = place.branch(more=more)
    north.add_user("ann", "secret-of-ann")
    return north


def test_bytes_behind_starttls(place):
    north = start(place)
    raw = Raw(north.address, north.c2s).send(HEADER)
    raw.expect("</stream:features>")
    raw.send(STARTTLS + "<message xmlns='jabber:client'><body>smuggled</body></message>")
    answer = raw.expect_close()
    assert "smuggled" not in answer and "<proceed" not in answer, answer
    serves(north)


def test_nothing_before_tls(place):
    north = start(place)
    raw = Raw(north.address, north.c2s).send(HEADER)
    features = raw.expect("</stream:features>")
    assert "<required" in features and "mechanism" not in features
    raw.send(plain("ann", "secret-of-ann"))
    assert "encryption-required" in raw.expect("</failure>")


def test_stanza_before_login(place):
    north = start(place)
    raw, _ = secured(north)
    raw.send("<message to='ann@north.example'><body>x</body></message>")
    assert "not-authorized" in raw.expect_close()
    serves(north)


def test_xml_that_is_not_allowed(place):
    north = start(place)
    for sent, condition in (
            ("<!DOCTYPE x [<!ENTITY a 'b'>]>", "restricted-xml"),
            ("<!-- comment -->", "restricted-xml"),
            ("<?instruction x?>", "restricted-xml"),
            ("<message><body>&undefined;</body></message>", "restricted-xml"),
            ("<message><body></message></body>", "not-well-formed"),
            ("<message a='1' a='2'/>", "not-well-formed"),
            ("<p:message/>", "bad-namespace-prefix"),
            ("text between stanzas", "not-well-formed"),
            (b"<message><body>\xff\xfe</body></message>", "unsupported-encoding"),
            ("<message><body>\x01</body></message>", "not-well-formed"),
            ("<frob/>", "unsupported-stanza-type")):
        raw = bound(north, "ann")
        raw.send(sent)
        answer = raw.expect_close()
        assert condition in answer, (sent, answer)
    serves(north)


def test_limits_of_a_stanza(place):
    north = start(place)
    for name, sent in (
            ("size", "<message><body>" + "x" * 300_000),
            ("depth", "<message>" + "<a>" * 100 + "</a>" * 100 + "</message>"),
            ("depth in 105 kB", "<message>" + "<a>" * 15_000 + "</a>" * 15_000 + "</message>"),
            ("attributes", "<message " + " ".join(f"a{n}='x'" for n in range(100)) + "/>"),
            ("declarations", "<message " + " ".join(f"xmlns:a{n}='urn:{n}'" for n in range(60)) + "/>"),
            ("elements", "<message>" + "<a/>" * 12_000 + "</message>")):
        raw = bound(north, "ann")
        raw.send(sent)
        assert "policy-violation" in raw.expect_close(), name
        serves(north)


def test_size_before_login(place):
    north = start(place)
    raw = Raw(north.address, north.c2s).send(HEADER)
    raw.expect("</stream:features>")
    raw.send("<starttls xmlns='" + "x" * 20_000)
    assert "policy-violation" in raw.expect_close()
    raw = Raw(north.address, north.c2s).send("<?xml version='1.0'?><stream:stream to='" + "x" * 20_000)
    assert "policy-violation" in raw.expect_close()
    serves(north)


def test_deadline_to_authenticate(place):
    north = start(place, "limits { authenticate = 2s }\n")
    began = time.monotonic()
    silent, busy = Raw(north.address, north.c2s), Raw(north.address, north.c2s).send(HEADER)
    busy.expect("</stream:features>")
    while time.monotonic() < began + 30:
        try:
            busy.send(" ")
            time.sleep(0.1)
        except OSError:
            break
    assert time.monotonic() - began < 15
    silent.expect_close()
    serves(north)


def answered(raws):
    return [raw for raw in raws if select.select([raw.socket], [], [], 0)[0]]


def test_unauthenticated_connections_of_one_address(place):
    north = start(place, 'limits { unauthenticated-per-address = 8 }\n')
    waiting = [Raw(north.address, north.c2s).send(HEADER) for _ in range(12)]
    eventually(lambda: len(answered(waiting)) >= 8)
    time.sleep(1)
    first = answered(waiting)
    assert len(first) == 8, len(first)
    for raw in first[:6]:
        raw.close()
    for raw in waiting:
        if raw not in first:
            raw.expect("</stream:features>")
        raw.close()
    serves(north)


def test_wrong_passwords_on_one_stream(place):
    north = start(place)
    raw, _ = secured(north, timeout=60)
    for _ in range(10):
        try:
            raw.send(plain("ann", "wrong")).expect("</failure>")
        except (AssertionError, OSError):
            break
    else:
        raise AssertionError("ten wrong passwords on one stream")
    serves(north)


def test_authzid_of_somebody_else(place):
    north = start(place)
    north.add_user("bob", "secret-of-bob")
    raw, _ = secured(north)
    raw.send(plain("ann", "secret-of-ann", "bob@north.example"))
    assert "invalid-authzid" in raw.expect("</failure>")


def test_from_is_stamped(place):
    north = start(place)
    north.add_user("bob", "secret-of-bob")
    bob = bound(north, "bob")
    bob.send("<presence/>")
    ann = bound(north, "ann")
    ann.send("<message to='bob@north.example/raw' type='chat'><body>honest</body></message>")
    got = bob.expect("</message>")
    assert "from='ann@north.example/raw'" in got, got
    ann.send("<message from='bob@north.example' to='bob@north.example/raw'><body>forged</body></message>")
    assert "invalid-from" in ann.expect_close()
    serves(north)


def test_too_many_sessions(place):
    north = start(place, "limits { sessions-per-account = 3 }\n")
    kept = [bound(north, "ann", f"r{n}") for n in range(3)]
    raw, _ = secured(north)
    raw.send(plain("ann", "secret-of-ann")).expect("<success")
    raw.expect(">")
    raw.send(HEADER).expect("</stream:features>")
    raw.send("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
    assert "resource-constraint" in raw.expect("</iq>")
    for one in kept:
        one.close()


def test_a_reader_that_does_not_read(place):
    """It is cut when it owes a megabyte; the sender goes on and the memory is given back."""
    north = start(place, "limits { client-rate = 0 }\n")
    north.add_user("bob", "secret-of-bob")
    bob = bound(north, "bob")
    bob.send("<presence/>")
    ann = bound(north, "ann")
    body = "x" * 10_000
    for n in range(1500):
        ann.send(f"<message to='bob@north.example' type='headline'><body>{body}</body></message>")
    ann.send("<iq type='get' id='p' to='north.example'><ping xmlns='urn:xmpp:ping'/></iq>").expect("id='p'")
    eventually(lambda: [s["session"] for s in north.ask("session", "list")] == ["ann@north.example/raw"])
    bob.close()
    serves(north)


def test_log_cannot_be_forged(place):
    north = start(place)
    raw, _ = secured(north)
    raw.send(plain("ann\n2026-01-01T00:00:00Z error forged line\x1b[31m", "x"))
    try:
        raw.expect("</failure>")
    except AssertionError:
        pass
    assert "\x1b" not in north.log() and "\n2026-01-01T00:00:00Z error forged" not in north.log()


def test_garbage_on_every_port(place):
    north = start(place)
    for port in (north.c2s, north.c2s_tls, north.s2s, north.component):
        for garbage in (b"\0" * 5000, b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 100, b"<" * 5000, b"\x16\x03\x01\xff\xff"):
            raw = Raw(north.address, port)
            raw.send(garbage)
            raw.socket.shutdown(socket.SHUT_WR)
            raw.expect_close()
    serves(north)


if __name__ == "__main__":
    run(globals())
