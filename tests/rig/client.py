# SPDX-License-Identifier: MIT
"""A client of the rigs' own: XML, SCRAM, and XEP-0198 with a record of every stanza.

What makes it an oracle: it keeps what it has sent until the server acknowledges it, and sends it again as it was, with the
same id; what it has received counts only once it has been *kept*, which happens before it is acknowledged.
"""
import asyncio
import base64
import collections
import hashlib
import hmac
import os
import xml.etree.ElementTree as ElementTree

STREAMS = "{http://etherx.jabber.org/streams}"
SASL = "{urn:ietf:params:xml:ns:xmpp-sasl}"
CLIENT = "{jabber:client}"
SM = "{urn:xmpp:sm:3}"
BIND = "{urn:ietf:params:xml:ns:xmpp-bind}"

salted_passwords = {}           # nothing is derived twice


class Lost(Exception):
    """The connection is no more, or the stream was refused."""


def salted(password, salt, rounds):
    wanted = (password, salt, rounds)
    if wanted not in salted_passwords:
        salted_passwords[wanted] = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), rounds)
    return salted_passwords[wanted]


def text(data):
    return base64.b64encode(data if isinstance(data, bytes) else data.encode()).decode()


class Connection(asyncio.Protocol):
    """One TCP connection: a stream of elements in, text out. Elements wait in a queue until somebody takes the flow."""

    def __init__(self):
        self.transport, self.sink = None, None
        self.waiting = collections.deque()
        self.news = asyncio.Event()
        self.lost = False
        self.renew()

    def renew(self):
        self.parser = ElementTree.XMLPullParser(["start", "end"])
        self.depth, self.root = 0, None

    def connection_made(self, transport):
        self.transport = transport

    def connection_lost(self, error):
        self.lost = True
        self.news.set()
        if self.sink:
            self.sink(None)

    def data_received(self, data):
        """Behind <success/> another stream begins (RFC 6120 §6.4.6), and the server may be the first to say something."""
        head, success, rest = data.partition(b"</success>")
        self.feed(head + success)
        if rest:
            self.renew()
            self.feed(rest)

    def feed(self, data):
        parser = self.parser
        try:
            parser.feed(data)
            for event, element in parser.read_events():
                self.depth += 1 if event == "start" else -1
                if event == "start" and self.depth == 1:
                    self.root = element
                elif event == "end" and self.depth == 1:
                    self.root.clear()
                    self.came(element)
                elif event == "end" and self.depth == 0:
                    self.transport.close()
        except ElementTree.ParseError as error:
            raise AssertionError(f"the server wrote what is not XML: {error}: {data[-300:]!r}")

    def came(self, element):
        if self.sink:
            self.sink(element)
        else:
            self.waiting.append(element)
            self.news.set()

    def flow(self, sink):
        """From now on elements go there; None: the connection is lost."""
        while self.waiting:
            sink(self.waiting.popleft())
        self.sink = sink
        if self.lost:
            sink(None)

    async def next(self):
        while not self.waiting:
            if self.lost:
                raise Lost("closed")
            self.news.clear()
            await self.news.wait()
        return self.waiting.popleft()

    async def expect(self, *tags):
        element = await self.next()
        if element.tag not in tags:
            raise Lost(ElementTree.tostring(element, "unicode"))
        return element

    def send(self, what):
        if not self.lost:
            self.transport.write(what.encode())

    def cut(self):
        """As when a cable is pulled: nothing is said, nothing that is on its way arrives."""
        if self.transport:
            self.transport.abort()

    async def open(self, domain):
        self.renew()
        self.send(f"<?xml version='1.0'?><stream:stream to='{domain}' version='1.0' xmlns='jabber:client' "
                  "xmlns:stream='http://etherx.jabber.org/streams'>")
        return await self.expect(STREAMS + "features")

    async def scram(self, name, password):
        """RFC 5802 §3 with SHA-256."""
        first = f"n={name},r={text(os.urandom(12))}"
        self.send(f"<auth xmlns='{SASL[1:-1]}' mechanism='SCRAM-SHA-256'>{text('n,,' + first)}</auth>")
        challenge = base64.b64decode((await self.expect(SASL + "challenge")).text).decode()
        values = dict(part.split("=", 1) for part in challenge.split(","))
        key = salted(password, values["s"], int(values["i"]))
        client_key = hmac.digest(key, b"Client Key", "sha256")
        without_proof = f"c=biws,r={values['r']}"
        signed = f"{first},{challenge},{without_proof}".encode()
        signature = hmac.digest(hashlib.sha256(client_key).digest(), signed, "sha256")
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        self.send(f"<response xmlns='{SASL[1:-1]}'>{text(f'{without_proof},p={text(proof)}')}</response>")
        await self.expect(SASL + "success")

    async def log_in(self, name, password, domain):
        await self.open(domain)
        await self.scram(name, password)
        features = await self.open(domain)
        if features.find(SM + "sm") is None:
            raise AssertionError("the server does not offer XEP-0198")

    async def bind(self, resource):
        self.send(f"<iq type='set' id='bind'><bind xmlns='{BIND[1:-1]}'><resource>{resource}</resource></bind></iq>")
        answer = await self.expect(CLIENT + "iq")
        if answer.get("type") != "result":
            raise Lost(ElementTree.tostring(answer, "unicode"))


async def connect(address, port):
    """Patient with a server that is not there yet; Lost when it is gone again."""
    try:
        _, connection = await asyncio.get_running_loop().create_connection(Connection, address, port)
        return connection
    except OSError as error:
        raise Lost(str(error))


class Client:
    """An account's client: one session after another, the same stanzas until they are acknowledged."""

    def __init__(self, name, password, server, resource="rig"):
        self.name, self.password, self.server, self.resource = name, password, server, resource
        self.connection = None
        self.session = None             # the id to resume by
        self.sent = collections.deque()         # not acknowledged: (text, what the owner wants to hear)
        self.sent_count = self.acked_count = 0  # of this session
        self.received_count = 0

    # ---- what an owner overrides ----

    def acknowledged(self, mark):
        """The server has taken what was sent with that mark."""

    def came(self, element):
        """A stanza."""

    def keep(self):
        """What has come shall not be forgotten: it is acknowledged next."""

    def began(self, resumed):
        """The session is ready."""

    # ---- sending ----

    @property
    def is_online(self):
        return self.connection is not None and self.connection.sink is not None

    def send(self, what, mark=None):
        self.sent.append((what, mark))
        self.sent_count += 1
        if self.is_online:
            self.connection.send(what)

    def ask(self):
        if self.is_online:
            self.connection.send(f"<r xmlns='{SM[1:-1]}'/>")

    def asked(self):
        """The server wants to know what has come."""
        self.say_h()

    def say_h(self):
        self.keep()
        self.connection.send(f"<a xmlns='{SM[1:-1]}' h='{self.received_count}'/>")

    def heard_h(self, h):
        """Counts modulo 2^32 do not matter here."""
        if not self.acked_count <= h <= self.sent_count:
            raise AssertionError(f"{self.name}: h={h}, but {self.acked_count} was acknowledged and "
                                 f"{self.sent_count} sent")
        while self.acked_count < h:
            self.acked_count += 1
            what, mark = self.sent.popleft()
            if mark is not None:
                self.acknowledged(mark)

    # ---- a session ----

    async def begin(self):
        """Connects, resumes or else binds anew; what was not acknowledged is sent again."""
        connection = await connect(self.server.address, self.server.c2s)
        try:
            await connection.log_in(self.name, self.password, self.server.domain)
            resumed = bool(self.session) and await self.resume(connection)
            if not resumed:
                await self.bind(connection)
        except BaseException:
            connection.cut()
            raise
        self.connection = connection
        for what, _ in self.sent:
            connection.send(what)
        connection.flow(lambda element: self.element(element) if connection is self.connection else None)
        if self.sent:
            self.ask()
        self.began(resumed)

    async def resume(self, connection):
        self.keep()
        connection.send(f"<resume xmlns='{SM[1:-1]}' previd='{self.session}' h='{self.received_count}'/>")
        answer = await connection.expect(SM + "resumed", SM + "failed")
        h = answer.get("h")
        if h is not None and (answer.tag == SM + "resumed" or int(h) > self.acked_count):
            self.heard_h(int(h))        # what a server remembers after a crash may be less
        return answer.tag == SM + "resumed"

    async def bind(self, connection):
        self.keep()
        await connection.bind(self.resource)
        connection.send(f"<enable xmlns='{SM[1:-1]}' resume='true'/>")
        enabled = await connection.expect(SM + "enabled")
        self.session = enabled.get("id")
        self.received_count, self.acked_count, self.sent_count = 0, 0, len(self.sent)

    def element(self, element):
        if element is None:
            self.connection = None
        elif element.tag == SM + "a":
            self.heard_h(int(element.get("h")))
        elif element.tag == SM + "r":
            self.asked()
        elif element.tag.startswith(CLIENT):
            self.received_count += 1
            self.came(element)
        elif element.tag == STREAMS + "error":
            self.failed(element)

    def failed(self, element):
        """The server may leave; anything else is a fault of somebody's."""
        if element.find("{urn:ietf:params:xml:ns:xmpp-streams}system-shutdown") is not None:
            self.connection.transport.close()
            return
        raise AssertionError(f"{self.name}: {ElementTree.tostring(element, 'unicode')}")

    def cut(self):
        connection, self.connection = self.connection, None
        if connection:
            connection.cut()

    async def leave(self):
        """Closes the stream, and the session with it."""
        connection, self.connection, self.session = self.connection, None, None
        if connection and not connection.lost:
            self.keep()
            connection.send(f"<a xmlns='{SM[1:-1]}' h='{self.received_count}'/></stream:stream>")
            connection.transport.close()
