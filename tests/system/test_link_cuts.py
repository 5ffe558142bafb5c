# SPDX-License-Identifier: MIT
"""The line between two branches breaks at random moments while people write to each other, both ways at once. What has come is
compared with what was sent: all of it, in order, once (XEP-0198 between servers)."""
import asyncio
import random
import signal
import sqlite3

from cable import Cable
from harness import Dns, Person, run, soon

MESSAGES, CUTS = 600, 12


def cabled_branches(place, more=""):
    """Each is reached over a cable of its own."""
    dns = Dns("127.0.0.8")
    where = f'dns {{ servers = {{ "{dns.address}:{dns.port}" }} }}\n'
    branches = place.branch("north.example", "127.0.0.2", where + more), place.branch("south.example", "127.0.0.3", where + more)
    cables = [Cable(place, branch, address) for branch, address in zip(branches, ("127.0.0.12", "127.0.0.13"))]
    for cable in cables:
        dns.branch(cable.domain, cable.address, cable.s2s)
    return branches, cables


async def two_people(north, south):
    people = [Person(branch.add_user(name, "a-secret"), "a-secret", branch) for branch, name in ((north, "ann"), (south, "bob"))]
    return [await person.log_in() for person in people]


def bodies(person):
    return [m["body"] for kind, m in person.arrived if kind == "message"]


async def write(person, to, words):
    for number in range(MESSAGES):
        person.send_message(mto=to, mbody=f"{words} {number}", mtype="chat")
        if number % 10 == 0:
            await asyncio.sleep(0.05)


def retry(branches):
    for branch, other in zip(branches, reversed(branches)):
        branch.ctl("peer", "retry", other.domain)


async def test_random_cuts_lose_and_double_nothing(place):
    branches, cables = cabled_branches(place)
    ann, bob = await two_people(*branches)
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    writing = asyncio.gather(write(ann, "bob@south.example", "north"), write(bob, "ann@north.example", "south"))
    for _ in range(CUTS):
        await asyncio.sleep(chance.uniform(0.1, 0.5))
        cable = chance.choice(cables)
        cable.cut()
        cable.mend()
        retry(branches)
    await writing
    await soon(lambda: retry(branches) or (len(bodies(ann)) >= MESSAGES and len(bodies(bob)) >= MESSAGES), seconds=60, every=1)
    assert bodies(bob) == [f"north {n}" for n in range(MESSAGES)]
    assert bodies(ann) == [f"south {n}" for n in range(MESSAGES)]
    assert any("server stream resumed" in branch.log() for branch in branches)
    await ann.leave()
    await bob.leave()


async def test_a_line_that_says_nothing_any_more(place):
    """Neither server is told: the one that has something to say finds out, and goes on over the next connection."""
    branches, cables = cabled_branches(place)
    ann, bob = await two_people(*branches)
    ann.send_message(mto="bob@south.example", mbody="one", mtype="chat")
    await bob.message("one")
    assert shown(branches[0], "acknowledged by") == "xep-0198"
    cables[1].pull()
    cables[1].mend()
    for number in range(20):
        ann.send_message(mto="bob@south.example", mbody=f"into nowhere {number}", mtype="chat")
    await bob.message("into nowhere 19", seconds=60)
    assert bodies(bob) == ["one"] + [f"into nowhere {number}" for number in range(20)]
    await ann.leave()
    await bob.leave()


def shown(branch, figure):
    return [row for row in branch.ask("peer", "show", "south.example") if row["direction"] == "out"][0].get(figure)


def left_in_outbox(branch):
    with sqlite3.connect(f"file:{branch.folder}/hansa.db?mode=ro", uri=True) as store:
        return store.execute("SELECT count(*) FROM outbox_entry").fetchone()[0]


async def test_a_killed_server_says_nothing_twice(place):
    """It has not heard that its words have arrived, is killed, and says them again when it is back."""
    (north, south), cables = cabled_branches(place)
    ann, bob = await two_people(north, south)
    ann.send_message(mto="bob@south.example", mbody="one", mtype="chat")
    await bob.message("one")
    await soon(lambda: shown(north, "under way") == 0 and left_in_outbox(north) == 0)
    cables[1].mute()
    for number in range(20):
        ann.send_message(mto="bob@south.example", mbody=f"never acknowledged {number}", mtype="chat")
    await bob.message("never acknowledged 19")
    await soon(lambda: left_in_outbox(north) == 20)
    north.stop(signal.SIGKILL)
    cables[1].cut()
    cables[1].mend()
    ann.abort()
    north.start()
    ann = await Person("ann@north.example", "a-secret", north).log_in()
    ann.send_message(mto="bob@south.example", mbody="that was all", mtype="chat")
    await bob.message("that was all")
    assert bodies(bob) == ["one"] + [f"never acknowledged {number}" for number in range(20)] + ["that was all"]
    await ann.leave()
    await bob.leave()


async def test_restarts_in_order_lose_and_double_nothing(place):
    """One server after the other leaves in order and comes back while somebody writes; the reader is away meanwhile."""
    (north, south), cables = cabled_branches(place)
    ann, bob = await two_people(north, south)
    await bob.leave()
    sent = []

    async def say(count):
        for _ in range(count):
            sent.append(f"number {len(sent)}")
            ann.send_message(mto="bob@south.example", mbody=sent[-1], mtype="chat")
        await asyncio.sleep(0)

    for _ in range(4):
        await say(10)
        await soon(lambda: shown(north, "state") == "up" and shown(north, "stanzas") > 0)
        await say(40)
        south.stop()
        await say(10)
        south.start()
        north.ctl("peer", "retry", "south.example")
    await say(50)
    await soon(lambda: left_in_outbox(north) == 0)
    await ann.plugin["xep_0199"].ping("south.example")
    await ann.leave()
    north.stop()
    bob = await Person("bob@south.example", "a-secret", south).log_in()
    await bob.message(sent[-1])
    assert bodies(bob) == sent
    await bob.leave()


if __name__ == "__main__":
    run(globals())
