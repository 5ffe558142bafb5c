# SPDX-License-Identifier: MIT
"""The crash rig: messages of many pairs at a steady rate, while hansad is killed at random moments and started again.

Senders and recipients speak XEP-0198 (client.py). Recipients are there, away, or die: their connection is cut, or hangs without a
word, and they resume, or they forget what they had not kept and log in anew. Senders lose their connection now and then. Some
rounds end in order, and who was there must be able to resume. At the end everybody logs in once more, and the clients' own
record (oracle.py) says whether what was acknowledged is there.
"""
import asyncio
import contextlib
import random
import signal
import sys
import time

from oracle import Oracle
from people import Reader, Recipient, Sender
from stored import Stored
from victim import FAST, SLOW, Victim, configuration

SENDERS, RECIPIENTS, PARTNERS = 8, 12, 5
RATE = 200                      # messages a second, of all pairs
UNANSWERED = 50                 # a sender waits when so many are not acknowledged: no archive that expires is smaller
ROUND = (0.1, 1.1)              # seconds from the first client that is in to the end of a round: all that a server does, it does
                                # within them
LATE = 2.5                      # but rarely they are so many, and what was delivered FORGETFUL before the end is never again:
FORGETFUL = 1.5                 # the store hears of it within 0.5 s, and a busy machine adds to that
STARTING = 0.15                 # a start takes so long at most where nothing else runs,
STARTED = 30                    # and anywhere,
LEAVING = 0.6                   # and a leave: it collects for 0.3 s, then writes sessions
ENDS = {"killed": 3, "killed_at_ack": 4, "killed_early": 2, "killed_late": 1, "killed_leaving": 2, "left": 2}   # and how often;
POWER_ENDS = {**ENDS, "died_at_commit": 3}      # where the disk can lose its power by itself
COMMITS = 100                   # it does so after one of the first so many
SETTLED = 30                    # seconds until all is delivered at the end
PATIENCE = 120                  # and for the whole, beside the rounds


class Rig:
    def __init__(self, folder, seed, archive="always", newest=None, environment=None, address="127.0.0.2", settled=SETTLED):
        self.random = random.Random(seed)
        self.archive, self.settled = archive, settled
        self.server = Victim(folder, "rig.example", address, configuration(archive, newest), workers=2)
        self.environment = environment or {}
        self.ends = POWER_ENDS if environment else ENDS
        self.oracle = Oracle(expires=newest is not None)
        self.writes, self.armed = True, False
        self.hit, self.up = asyncio.Event(), asyncio.Event()
        self.life = 0                   # how many servers there were before
        self.alive = 0                  # until when this one certainly was
        self.looks = []                 # at what they have left
        self.deck = []                  # of ends, so that each comes as often as it shall

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
                if sender.is_online and len(sender.sent) < UNANSWERED:
                    sender.write()
                    if self.random.random() < 0.005:
                        sender.cut()
            await asyncio.sleep(0.01)

    async def round(self, number):
        ways = self.random.choices(["there", "away", "dying"], [4, 3, 3], k=len(self.recipients))
        plays = [asyncio.create_task(r.play(way)) for r, way in zip(self.recipients, ways)]
        self.hit.clear()
        way = self.deal()
        self.launch({**self.environment, **self.faults(way)})
        await getattr(self, way)()
        self.oracle.event(f"round {number} ends: {way}")
        self.look(number)
        for play in plays:
            play.cancel()
        await asyncio.gather(*plays, return_exceptions=True)

    def launch(self, environment):
        self.alive = time.monotonic()
        self.up.clear()
        self.server.environment = environment
        self.server.launch()

    async def serve(self, seconds):
        """From the first client on."""
        async with asyncio.timeout(STARTED):
            await self.up.wait()
        await asyncio.sleep(seconds)

    def deal(self):
        if not self.deck:
            self.deck = [way for way, count in self.ends.items() for _ in range(count)]
            self.random.shuffle(self.deck)
        return self.deck.pop()

    def faults(self, way):
        """Of the disk, in this round. With a fast one the two entries of a message are often two commits."""
        if not self.environment:
            return {}
        dies = {"POWERLOSS_DIES": str(self.random.randint(1, COMMITS))} if way == "died_at_commit" else {}
        return {"POWERLOSS_SLOW": str(self.random.choice([FAST, SLOW])), **dies}

    async def died_at_commit(self):
        """The server, on the thread that has just committed; where it does not commit so often, somewhere."""
        serving = asyncio.create_task(self.serve(ROUND[1]))
        while self.server.process.poll() is None and not serving.done():
            await asyncio.sleep(0.005)
        serving.cancel()
        self.server.stop(signal.SIGKILL)
        self.forget_sessions()

    async def killed_early(self):
        """While it starts, with sessions of before or without."""
        await asyncio.sleep(self.random.uniform(0, STARTING))
        self.kill()

    async def killed(self):
        await self.serve(self.random.uniform(*ROUND))
        self.kill()

    async def killed_late(self):
        await self.serve(LATE)
        self.kill()

    async def killed_at_ack(self):
        """At the very moment in which a client hears an acknowledgement."""
        await self.serve(self.random.uniform(*ROUND))
        self.armed = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self.hit.wait()
        if not self.hit.is_set():
            self.kill()

    async def killed_leaving(self):
        """While it says goodbye, collects, or writes the sessions for the next; perhaps behind it."""
        await self.serve(self.random.uniform(*ROUND))
        self.alive = time.monotonic()
        self.server.process.terminate()
        await asyncio.sleep(self.random.uniform(0, LEAVING))
        self.server.stop(signal.SIGKILL)
        self.forget_sessions()

    async def left(self):
        """In order: whoever was there can resume."""
        await self.serve(self.random.uniform(*ROUND))
        self.alive = time.monotonic()
        for person in self.senders + self.recipients:
            person.must_resume = person.is_online and person.session is not None
        status = await asyncio.to_thread(self.server.stop)
        if status != 0:
            raise AssertionError(f"hansad left with {status}: {self.server.errors()[-500:]}")

    def kill(self):
        self.armed = False
        self.alive = time.monotonic()
        if not self.server.kill():
            raise AssertionError(f"hansad ended by itself: {self.server.errors()[-500:]}")
        self.forget_sessions()
        self.hit.set()

    def look(self, number):
        """What it has left, as it is now; the next one starts meanwhile."""
        self.life += 1
        for recipient in self.recipients:
            recipient.settle(self.alive - FORGETFUL)
        stored = Stored(self.server.folder)
        acknowledged = frozenset(self.oracle.acknowledged)
        self.looks.append(asyncio.create_task(asyncio.to_thread(stored.check, self.oracle, f"after round {number}",
                                                                acknowledged, self.archive == "always")))

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
        self.launch(self.environment)
        for recipient in self.recipients:
            recipient.wanted.set()
        await self.serve(0)
        await self.until(lambda: not any(s.sent for s in self.senders), "all that was sent is acknowledged")
        for recipient in self.recipients:
            if recipient.is_online:
                recipient.say_h()
        await self.until(self.is_all_kept, "all that was acknowledged is there")

    async def read_archives(self):
        archives = {}
        for person in self.senders + self.recipients:
            archives[person.name] = await Reader(person).read()
            self.oracle.check_archive(person.name, 0 if person in self.senders else 1, archives[person.name])
        for sender in self.senders if not self.oracle.expires else []:
            for partner in sender.partners:
                self.oracle.check_pair(sender.name, partner, archives[sender.name], archives[partner])

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
            await asyncio.gather(*self.looks)
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


def trial(place, rounds, seed, **settings):
    """Runs a rig in a test's place; answers its oracle."""
    rig = Rig(place.folder / f"rig-{seed}", seed, **settings)
    place.branches.append(rig.server)
    rig.make_accounts()
    oracle = asyncio.new_event_loop().run_until_complete(rig.run(rounds))
    print(f"{rig.server.address}: seed {seed}, {rounds} rounds, archive {rig.archive}: {len(oracle.sent)} messages, "
          f"{len(oracle.acknowledged)} acknowledged, {oracle.doubles()} came twice, {oracle.halves} ends between two entries, "
          f"{len(oracle.faults)} faults", file=sys.stderr, flush=True)
    return oracle
