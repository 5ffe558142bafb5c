# SPDX-License-Identifier: MIT
"""The crash rig: messages of many pairs at a steady rate, while hansad is killed at random moments and started again.

Senders and recipients speak XEP-0198 (client.py). Recipients are there, away, or die: their connection is cut, or hangs without a
word, and they resume, or they forget what they had not kept and log in anew. Senders lose their connection now and then. Some
rounds end in order, and who was there must be able to resume. At the end everybody logs in once more, and the clients' own
record (oracle.py) says whether what was acknowledged is there.
"""
import asyncio
import contextlib
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

from client import CLIENT, Client, Lost  # noqa: E402
from harness import BUILD, Branch, eventually  # noqa: E402
from oracle import Oracle, id_of, key_of  # noqa: E402

SENDERS, RECIPIENTS, PARTNERS = 8, 12, 5
RATE = 200                      # messages a second, of all pairs
ROUND = (0.3, 2.0)              # seconds between start and kill
ENDS = {"killed": 3, "killed_at_ack": 4, "killed_early": 2, "killed_leaving": 1, "left": 2}     # how rounds end, and how often
LAZY = 0.3                      # seconds: a recipient acknowledges up to so late
SLOW = 20000                    # microseconds: the disk that loses its power synchronises up to so slowly
SETTLED = 30                    # seconds until all is delivered at the end
PATIENCE = 120                  # and for the whole, beside the rounds

CONFIGURATION = """
journal {{ archive = {archive} }}
limits {{ offline-messages = 1000000  offline-size = 1GB }}
"""


def power(seed, synchronous=None, stall=None):
    """The environment of a server whose disk loses its power when it is killed."""
    subprocess.run(["make", "-s", "-C", BUILD, "tests/rig/powerloss.so"], check=True, stdout=subprocess.DEVNULL)
    more = {"LD_PRELOAD": str(BUILD / "tests/rig/powerloss.so"), "POWERLOSS_SEED": str(seed),
            "POWERLOSS_SLOW": str(SLOW),
            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
    if synchronous:
        more["POWERLOSS_SYNCHRONOUS"] = synchronous
    if stall:
        more["POWERLOSS_STALL"] = str(stall)
    return more


class Victim(Branch):
    """A server that is killed."""

    def __init__(self, *words, **settings):
        self.environment = {}
        super().__init__(*words, **settings)
        path = self.folder / "hansa.conf"       # encryption is not what is tried here
        path.write_text(path.read_text().replace("tls {", "tls {\n    client-required = false", 1))

    def launch(self):
        """Does not wait for it."""
        with open(self.folder / "stderr", "ab") as errors:
            self.process = subprocess.Popen([BUILD / "hansad", "-c", self.folder / "hansa.conf"], stdout=errors,
                                            stderr=errors, env={**os.environ, **self.environment})

    def start(self):
        self.launch()
        eventually(lambda: self.ctl("status", check=False).returncode == 0)
        return self

    def kill(self):
        """False: it had ended by itself."""
        if self.process.poll() is not None:
            return False
        return self.stop(signal.SIGKILL) == -signal.SIGKILL


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
        self.lazy = self.random.choice([0, LAZY])

    def began(self, resumed):
        super().began(resumed)
        if not resumed:
            self.send("<presence/>")

    def came(self, element):
        body = element.findtext(CLIENT + "body") if element.tag == CLIENT + "message" else None
        if body is None:
            return
        self.unkept.append((key_of(body), element.get("id")))
        self.rig.oracle.note(key_of(body), "came")
        if not self.lazy and self.random.random() < 0.1:
            self.say_h()

    def asked(self):
        connection = self.connection
        asyncio.get_running_loop().call_later(
            self.lazy * self.random.random(), lambda: self.say_h() if connection is self.connection else None)

    def keep(self):
        for key, message_id in self.unkept:
            self.rig.oracle.was_kept(self.name, key, message_id)
        self.unkept.clear()

    def cut(self):
        self.rig.oracle.lived(self.name, "cut")
        super().cut()

    def hang(self):
        """The network is gone, and nobody tells the server."""
        self.rig.oracle.lived(self.name, "hung")
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
        self.ghosts.clear()
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


class Rig:
    def __init__(self, folder, seed, archive="always", environment=None, address="127.0.0.2", settled=SETTLED):
        self.random = random.Random(seed)
        self.archive, self.settled = archive, settled
        self.server = Victim(folder, "rig.example", address, CONFIGURATION.format(archive=archive), workers=2)
        self.environment = environment or {}
        self.oracle = Oracle()
        self.writes, self.armed = True, False
        self.hit = asyncio.Event()

    def people(self):
        names = [f"r{n}" for n in range(RECIPIENTS)]
        self.recipients = [Recipient(self, name) for name in names]
        self.senders = [Sender(self, f"s{n}", self.random.sample(names, PARTNERS)) for n in range(SENDERS)]
        return self.senders + self.recipients

    def make_accounts(self):
        """On a disk that keeps everything."""
        self.server.start()
        for person in self.people():
            self.server.add_user(person.name, person.password)
        self.server.stop()
        self.server.environment = self.environment

    async def write(self):
        """The rate holds on average; who is not connected writes nothing."""
        began, written = time.monotonic(), 0
        while self.writes:
            due = (time.monotonic() - began) * RATE
            while written < due:
                written += 1
                sender = self.random.choice(self.senders)
                if sender.is_online:
                    sender.write()
                    if self.random.random() < 0.005:
                        sender.cut()
            await asyncio.sleep(0.01)

    async def round(self, number):
        ways = self.random.choices(["there", "away", "dying"], [4, 3, 3], k=len(self.recipients))
        plays = [asyncio.create_task(r.play(way)) for r, way in zip(self.recipients, ways)]
        self.hit.clear()
        self.server.launch()
        way = self.random.choices(list(ENDS), list(ENDS.values()))[0]
        await getattr(self, way)()
        self.oracle.event(f"round {number} ends: {way}")
        for play in plays:
            play.cancel()
        await asyncio.gather(*plays, return_exceptions=True)

    async def killed_early(self):
        """While it starts."""
        await asyncio.sleep(self.random.uniform(0, ROUND[0]))
        self.kill()

    async def killed(self):
        await asyncio.sleep(self.random.uniform(*ROUND))
        self.kill()

    async def killed_at_ack(self):
        """At the very moment in which a client hears an acknowledgement."""
        await asyncio.sleep(self.random.uniform(*ROUND))
        self.armed = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self.hit.wait()
        if not self.hit.is_set():
            self.kill()

    async def killed_leaving(self):
        """In the middle of its leaving, perhaps behind it."""
        await asyncio.sleep(self.random.uniform(*ROUND))
        self.server.process.terminate()
        await asyncio.sleep(self.random.uniform(0, 0.1))
        self.server.stop(signal.SIGKILL)
        self.forget_sessions()

    async def left(self):
        """In order: whoever was there can resume."""
        await asyncio.sleep(self.random.uniform(*ROUND))
        for person in self.senders + self.recipients:
            person.must_resume = person.is_online and person.session is not None
        status = await asyncio.to_thread(self.server.stop)
        if status != 0:
            raise AssertionError(f"hansad left with {status}: {self.server.errors()[-500:]}")

    def kill(self):
        self.armed = False
        if not self.server.kill():
            raise AssertionError(f"hansad ended by itself: {self.server.errors()[-500:]}")
        self.forget_sessions()
        self.hit.set()

    def forget_sessions(self):
        for person in self.senders + self.recipients:
            person.must_resume = False

    async def until(self, true, what):
        end = time.monotonic() + self.settled
        while not true():
            if time.monotonic() > end:
                self.oracle.event(f"after {self.settled} s still not: {what}")
                return
            await asyncio.sleep(0.05)

    def is_all_kept(self):
        there = {key for keys in self.oracle.kept.values() for key in keys}
        return self.oracle.acknowledged <= there

    async def settle(self):
        """The last start: nobody writes any more, everybody is there."""
        self.writes = False
        self.server.launch()
        for recipient in self.recipients:
            recipient.wanted.set()
        await self.until(lambda: not any(s.sent for s in self.senders), "all that was sent is acknowledged")
        for recipient in self.recipients:
            if recipient.is_online:
                recipient.say_h()
        await self.until(self.is_all_kept, "all that was acknowledged is there")

    async def read_archives(self):
        for person in self.senders + self.recipients:
            keys = await Reader(person).read()
            self.oracle.check_archive(person.name, 0 if person in self.senders else 1, keys)

    async def run(self, rounds):
        """Whatever goes wrong is a fault."""
        try:
            async with asyncio.timeout(PATIENCE + rounds * 5):
                await self.play(rounds)
        except Exception as error:
            self.oracle.fault(("?", "?", 0), f"ended the rig: {error!r}")
        return self.oracle

    async def play(self, rounds):
        asyncio.get_running_loop().set_exception_handler(
            lambda loop, context: self.oracle.fault(("?", "?", 0), repr(context.get("exception", context))))
        everybody = [asyncio.create_task(person.live()) for person in self.senders + self.recipients]
        writing = asyncio.create_task(self.write())
        everybody.append(writing)
        try:
            for number in range(rounds):
                await self.round(number)
                for task in everybody:
                    if task.done():
                        task.result()
            await self.settle()
        finally:
            self.writes = False
            for task in everybody:
                task.cancel()
            await asyncio.gather(*everybody, return_exceptions=True)
        for person in self.senders + self.recipients:
            await person.leave()
        self.oracle.check_delivered()
        if self.archive == "always":
            await self.read_archives()


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


def trial(place, rounds, seed, **settings):
    """Runs a rig in a test's place; answers its oracle."""
    rig = Rig(place.folder / f"rig-{seed}", seed, **settings)
    place.branches.append(rig.server)
    rig.make_accounts()
    oracle = asyncio.new_event_loop().run_until_complete(rig.run(rounds))
    print(f"seed {seed}, {rounds} rounds: {len(oracle.sent)} messages, {len(oracle.acknowledged)} acknowledged, "
          f"{oracle.doubles()} came twice, {len(oracle.faults)} faults", flush=True)
    return oracle
