# SPDX-License-Identifier: MIT
"""Who lives through the crash rig: senders, recipients that are there, away or dying, and who reads their archives at the end.

Each tells the oracle what it did and saw (oracle.py), and nothing else does.
"""
import asyncio
import time

from client import CLIENT, Client, Lost
from oracle import id_of, key_of

LAZY = 0.3                      # seconds: a recipient acknowledges up to so late
DOUBT = 0.2                     # seconds that an acknowledgement may be on its way


class Roamer(Client):
    """A client that comes again until it is told to stop."""

    def __init__(self, rig, name):
        super().__init__(name, f"secret-of-{name}", rig.server)
        self.rig, self.random = rig, rig.random
        self.must_resume = False
        self.wanted = asyncio.Event()
        self.gone = asyncio.Event()

    async def live(self):
        while True:
            await self.wanted.wait()
            try:
                async with asyncio.timeout(10):
                    await self.begin()
                if not self.wanted.is_set():
                    await self.leave()
                while self.connection:
                    await self.gone.wait()
                    self.gone.clear()
            except (Lost, TimeoutError):
                await asyncio.sleep(0.02 + 0.03 * self.random.random())

    def began(self, resumed):
        self.rig.oracle.lived(self.name, "resumed" if resumed else "came")
        self.rig.up.set()
        if self.must_resume and not resumed:
            self.rig.oracle.fault((self.name, self.name, 0), "could not resume after a restart in order")
        self.must_resume = False

    def element(self, element):
        super().element(element)
        if element is None:
            self.gone.set()

    def cut(self):
        super().cut()
        self.gone.set()


class Sender(Roamer):
    def __init__(self, rig, name, partners):
        super().__init__(rig, name)
        self.partners = partners
        self.numbers = dict.fromkeys(partners, 0)
        self.wanted.set()

    def write(self):
        to = self.random.choice(self.partners)
        key = (self.name, to, self.numbers[to])
        self.numbers[to] += 1
        self.rig.oracle.was_sent(key)
        self.send(f"<message type='chat' to='{to}@{self.server.domain}' id='{id_of(key)}'>"
                  f"<body>{' '.join(map(str, key))} {'x' * self.random.randrange(200)}</body>"
                  f"<origin-id xmlns='urn:xmpp:sid:0' id='{id_of(key)}'/></message>", key)
        if self.random.random() < 0.4:
            self.ask()

    def acknowledged(self, mark):
        self.rig.oracle.was_acknowledged(mark)
        if self.rig.armed:
            self.rig.kill()

    def came(self, element):
        if element.tag == CLIENT + "message":
            key = key_of(element.findtext(CLIENT + "body"))
            self.rig.oracle.fault(key, "came back as an error")


class Recipient(Roamer):
    def __init__(self, rig, name):
        super().__init__(rig, name)
        self.unkept, self.ghosts = [], []
        self.told = []                  # when it has acknowledged what, to the server that is running:
        self.life = None                # the one that it has come to
        self.lazy = self.random.choice([0, LAZY])

    def began(self, resumed):
        """The connections that hung are noticed by now, and break."""
        super().began(resumed)
        self.life = self.rig.life
        for ghost in self.ghosts:
            ghost.cut()
        self.ghosts.clear()
        if not resumed:
            self.send("<presence/>")

    def element(self, element):
        if element is None:
            self.doubt()
        super().element(element)

    def came(self, element):
        body = element.findtext(CLIENT + "body") if element.tag == CLIENT + "message" else None
        if body is None:
            return
        self.unkept.append((key_of(body), element.get("id")))
        self.rig.oracle.came(key_of(body))
        if not self.lazy and self.random.random() < 0.1:
            self.say_h()

    def asked(self):
        connection = self.connection
        asyncio.get_running_loop().call_later(
            self.lazy * self.random.random(), lambda: self.say_h() if connection is self.connection else None)

    def say_h(self):
        if self.life == self.rig.life:
            self.told.append((time.monotonic(), [key for key, _ in self.unkept]))
        super().say_h()

    def settle(self, before):
        """The server has ended: what it was told before that moment it never sends again."""
        for at, keys in self.told:
            if at < before:
                self.rig.oracle.was_settled(keys, before)
        self.told.clear()

    def doubt(self):
        """What was told last may not have arrived."""
        self.told = [(at, keys) for at, keys in self.told if at < time.monotonic() - DOUBT]

    def keep(self):
        for key, message_id in self.unkept:
            self.rig.oracle.was_kept(self.name, key, message_id)
        self.unkept.clear()

    def cut(self):
        self.rig.oracle.lived(self.name, "cut")
        self.doubt()
        super().cut()

    def hang(self):
        """The network is gone, and nobody tells the server."""
        self.rig.oracle.lived(self.name, "hung")
        self.doubt()
        connection, self.connection = self.connection, None
        if connection:
            connection.transport.pause_reading()
            self.ghosts.append(connection)
        self.gone.set()

    def forget(self):
        """Dies with all that was not kept; the session stays behind."""
        for key, _ in self.unkept:
            self.rig.oracle.note(key, "forgotten by its recipient")
        self.unkept.clear()
        self.random.choice([self.cut, self.hang])()
        self.session, self.must_resume = None, False

    async def bind(self, connection):
        self.sent.clear()
        await super().bind(connection)

    async def play(self, way):
        """How it spends a round."""
        if way == "away":
            self.wanted.clear()
            self.rig.oracle.lived(self.name, "left")
            self.must_resume = False
            await self.leave()
            self.gone.set()
            return
        self.wanted.set()
        while way == "dying":
            await asyncio.sleep(0.05 + 0.6 * self.random.random())
            self.random.choice([self.cut, self.hang, self.forget])()


class Reader(Client):
    """Reads an account's archive (XEP-0313 with XEP-0059)."""

    def __init__(self, person):
        super().__init__(person.name, person.password, person.server, "archive")
        self.elements = asyncio.Queue()

    def came(self, element):
        self.elements.put_nowait(element)

    async def page(self, after):
        """The keys of a page and what to ask for next; None: that was the last."""
        bound = f"<after>{after}</after>" if after else ""
        self.connection.send("<iq type='set' id='page'><query xmlns='urn:xmpp:mam:2'>"
                             f"<set xmlns='http://jabber.org/protocol/rsm'><max>100</max>{bound}</set></query></iq>")
        keys = []
        while True:
            element = await asyncio.wait_for(self.elements.get(), 30)
            if element.tag == CLIENT + "iq":
                break
            keys.append(key_of(next(element.iter(CLIENT + "body")).text))
        end = element.find("{urn:xmpp:mam:2}fin")
        last = None if end.get("complete") == "true" else next(end.iter("{http://jabber.org/protocol/rsm}last"))
        return keys, last.text if last is not None else None

    async def read(self):
        await self.begin()
        keys, after = await self.page(None)
        while after:
            more, after = await self.page(after)
            keys += more
        await self.leave()
        return keys
