# SPDX-License-Identifier: MIT
"""The connection is cut at every place: in front of each stanza, behind it and within it, in both directions, with the session
resumed each time and also over restarts. What either side has is compared with what the other has sent: all of it, in order,
once (XEP-0198 §5)."""
import re

from harness import FOOTER, run
from sasl import bound, header, log_in_with, secured

SM = "urn:xmpp:sm:3"
STANZA = re.compile(rb"<(message|presence|iq)\b[^>]*?(?:/>|>.*?</\1>)|<(a|r) xmlns='urn:xmpp:sm:3'[^>]*/>", re.S)


class Wire:
    """A client with stream management that counts for itself. What it reads ends where the test says; the rest is lost."""

    def __init__(self, north, name):
        self.north, self.name = north, name
        self.raw = bound(north, name)
        got = self.raw.send(f"<enable xmlns='{SM}' resume='true'/>").expect("/>")
        self.id = re.search(r"id='([^']+)'", got).group(1)
        self.handled = self.sent = self.acked = 0
        self.unacked, self.numbers = [], []

    def take(self, stanza):
        if stanza.startswith(b"<a "):
            self.acknowledged(int(re.search(rb"h='(\d+)'", stanza).group(1)))
        elif not stanza.startswith(b"<r "):
            self.handled += 1
            self.numbers += [int(n) for n in re.findall(rb"<body>(\d+)</body>", stanza)]

    def acknowledged(self, h):
        assert self.acked <= h <= self.sent, (self.acked, h, self.sent)
        del self.unacked[:h - self.acked]
        self.acked = h

    def read(self, most=1 << 30):
        """What has come, or the first bytes of it; answers how much that was."""
        text = self.raw.got[:most]
        self.raw.got = b""
        for stanza in STANZA.finditer(text):
            self.take(stanza.group(0))
        return len(text)

    def gather(self, text):
        """Reads until text has come, and takes nothing yet."""
        while text.encode() not in self.raw.got:
            more = self.raw.socket.recv(65536)
            assert more and FOOTER not in self.raw.got, self.raw.got[-500:]
            self.raw.got += more

    def send(self, stanza, cut=None):
        """cut: only so many bytes of it, and the connection ends."""
        self.unacked.append(stanza)
        self.sent += 1
        self.write(stanza, cut)

    def write(self, stanza, cut=None):
        self.raw.send(stanza.encode()[:cut])

    def resume(self):
        """Everything again that the server did not have."""
        self.raw.close()
        self.raw, _ = secured(self.north)
        log_in_with(self.raw, "PLAIN", self.name, f"secret-of-{self.name}")
        self.raw.send(header(self.north)).expect("</stream:features>")
        got = self.raw.send(f"<resume xmlns='{SM}' previd='{self.id}' h='{self.handled}'/>").expect("/>")
        assert "<resumed" in got, got
        self.acknowledged(int(re.search(r"h='(\d+)'", got).group(1)))
        for stanza in self.unacked:
            self.write(stanza)

    def ping(self):
        """Both sides have what the other had sent before. Another request than any before it, so never one of theirs."""
        self.sent += 1
        stanza = f"<iq type='get' id='p{self.sent}' to='north.example'><ping xmlns='urn:xmpp:ping'/></iq>"
        self.unacked.append(stanza)
        self.write(stanza)
        self.gather(f"id='p{self.sent}'")
        self.read()


def message(n):
    return f"<message to='bob@north.example/raw' type='chat' id='m{n}'><body>{n}</body></message>"


def restart(north):
    assert north.stop() == 0
    north.start()


def start(place, more):
    north = place.branch(more=more + "\nlimits { resume-wait = 300ms }\n")
    for name in ("ann", "bob"):
        north.add_user(name, f"secret-of-{name}")
    return north, Wire(north, "ann"), Wire(north, "bob")


def cut_what_is_sent(place, more, step):
    """Ann's third of five messages is cut at each byte, its ends included."""
    north, ann, bob = start(place, more)
    n = 0
    for cut in range(0, len(message(100)) + 1, step):
        for at in range(5):
            if at == 2:
                ann.send(message(100 + n), cut)
                ann.resume()
            else:
                ann.send(message(100 + n))
            n += 1
        ann.ping()
    bob.gather(f"<body>{100 + n - 1}</body>")
    bob.read()
    assert bob.numbers == list(range(100, 100 + n)), bob.numbers
    ann.raw.close(), bob.raw.close()


def cut_what_is_received(place, more, step, restarts=False):
    """Of what bob is sent he reads so much and no more, up to each byte of three messages."""
    north, ann, bob = start(place, more)
    n, cut, whole = 0, 0, 1
    while cut <= whole:
        for _ in range(3):
            ann.send(message(100 + n))
            n += 1
        ann.ping()
        bob.gather(f"<body>{100 + n - 1}</body>")
        whole = len(bob.raw.got)
        bob.read(cut)
        if restarts:
            restart(north)
            ann.resume()
        bob.resume()
        bob.ping()
        cut += step
    assert bob.numbers == list(range(100, 100 + n)), bob.numbers
    ann.raw.close(), bob.raw.close()
    north.stop()


def test_within_what_is_sent(place):
    cut_what_is_sent(place, "", 1)


def test_within_what_is_sent_and_archived(place):
    cut_what_is_sent(place, "journal { archive = always }", 7)


def test_within_what_is_received(place):
    cut_what_is_received(place, "", 3)


def test_within_what_is_received_and_archived(place):
    cut_what_is_received(place, "journal { archive = always }", 11)


def test_over_restarts(place):
    for more in "", "journal { archive = always }":
        cut_what_is_received(place, more, 151, True)


if __name__ == "__main__":
    run(globals())
