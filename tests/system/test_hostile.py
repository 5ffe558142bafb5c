# SPDX-License-Identifier: MIT
"""What an attacker sends: every limit exceeded once, and after each attack the server still serves and has let go."""
import select
import os
import socket
import ssl
import time

from harness import BUILD, Raw, eventually, run
from sasl import bound, plain, secured

SANITIZED = b"__asan_init" in (BUILD / "hansad").read_bytes() or b"__tsan_init" in (BUILD / "hansad").read_bytes()
DOCTYPE = "<!DOCTYPE a [<!ENTITY b 'c'>]>"

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
    raw, _ = secured(north)
    raw.send(plain("ann", "x")).expect("</failure>")
    assert "login failed user=ann host=north.example" in north.log()
    assert "\x1b" not in north.log() and "\n2026-01-01T00:00:00Z error forged" not in north.log()


def test_no_document_type_on_any_port(place):
    north = start(place, 'component "bot.north.example" { secret = "a-long-enough-secret" }\n')
    for port, namespace, to in ((north.c2s, "jabber:client", "north.example"), (north.s2s, "jabber:server", "north.example"),
                                (north.component, "jabber:component:accept", "bot.north.example")):
        head = f"<stream:stream xmlns='{namespace}' xmlns:stream='http://etherx.jabber.org/streams' to='{to}' version='1.0'>"
        for sent in (DOCTYPE + head, head + DOCTYPE, head + "<a>&b;</a>", head + "<!-- x -->", head + "<?x y?>"):
            assert "restricted-xml" in Raw(north.address, port).send(sent).expect_close(), (port, sent)
    serves(north)


class Accepted(Raw):
    """The same as a server."""

    def __init__(self, listening):
        self.socket, _ = listening.accept()
        self.socket.settimeout(20)
        self.got = b""


def test_bytes_behind_proceed(place):
    """A server that we call says in clear what would count under TLS."""
    with socket.create_server(("127.0.0.9", 5269)) as listening:
        north = start(place, 'peer "far.example" { address = { "127.0.0.9" }  lifetime = 5s }\n')
        ann = bound(north, "ann")
        ann.send("<message to='bob@far.example' type='chat'><body>secret</body></message>")
        listening.settimeout(20)
        raw = Accepted(listening)
        raw.expect("<stream:stream")
        raw.send("<stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' id='1' from='far.example' "
                 "xmlns:stream='http://etherx.jabber.org/streams' to='north.example' version='1.0'>"
                 f"<stream:features>{STARTTLS}</stream:features>").expect("<starttls")
        raw.send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
                 "<db:result from='far.example' to='north.example' type='valid'/>")
        assert "secret" not in raw.expect_close()
        raw.close()
    ann.expect("type='error'")
    serves(north)


def resident(north):
    with open(f"/proc/{north.process.pid}/smaps_rollup") as lines:
        return sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Dirty", "Private_Clean")))


def descriptors(north):
    return len(os.listdir(f"/proc/{north.process.pid}/fd"))


def half_a_hello(north, port):
    raw = Raw(north.address, port)
    if port == north.c2s:
        raw.send(HEADER).expect("</stream:features>")
        raw.send(STARTTLS).expect("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    # The beginning of a record of 4 kB with the beginning of a ClientHello.
    return raw.send(b"\x16\x03\x01\x10\x00\x01\x00\x0f\xfc\x03\x03" + b"r" * 500)


def test_memory_of_unauthenticated_connections(place):
    north = start(place, "limits { unauthenticated-per-address = 1000 }\n")
    serves(north)
    for port in (north.c2s, north.c2s_tls):
        [raw.close() for raw in [half_a_hello(north, port) for _ in range(200)]]
    eventually(lambda: descriptors(north) < 60)
    before, files = resident(north), descriptors(north)
    waiting = [half_a_hello(north, port) for port in (north.c2s, north.c2s_tls) for _ in range(100)]
    time.sleep(0.2)
    each = (resident(north) - before) / len(waiting)
    assert SANITIZED or each <= 16, f"{each} kB for each"
    for raw in waiting:
        raw.close()
    eventually(lambda: descriptors(north) <= files)
    assert SANITIZED or resident(north) <= before + 1024, (resident(north), before)
    serves(north)


def skim(raw):
    """Reads what has come and forgets it."""
    raw.socket.settimeout(0.001)
    try:
        while raw.socket.recv(65536):
            pass
    except (TimeoutError, ssl.SSLWantReadError):
        pass
    raw.socket.settimeout(20)


def test_floods_of_changes(place):
    """What cannot be written to the disk as fast as it comes is refused and does not gather."""
    north = start(place)
    north.add_user("bob", "secret-of-bob")
    serves(north)
    before = resident(north)
    ann, bob = bound(north, "ann"), bound(north, "bob")
    item = "<iq type='set' id='r'><query xmlns='jabber:iq:roster'><item jid='x{}@y.example'/></query></iq>"
    subscription = "<presence type='subscribe' to='ann@north.example'/><presence type='unsubscribe' to='ann@north.example'/>"
    for n in range(100):
        ann.send("".join(item.format(m) for m in range(100)))
        bob.send(subscription * 100)
        skim(ann)
    bob.send("<iq type='get' id='p' to='north.example'><ping xmlns='urn:xmpp:ping'/></iq>").expect("id='p'")
    assert SANITIZED or resident(north) < before + 48_000, (resident(north), before)
    ann.close()
    bob.close()
    serves(north)


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
