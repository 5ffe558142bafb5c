# SPDX-License-Identifier: MIT
"""Resumption (XEP-0198) with a stock client whose connection is cut again and again while messages flow."""
import asyncio
import random

from harness import Person, run, soon
from phone import Phone


async def cut_now_and_then(phone, times, rng):
    for _ in range(times):
        await asyncio.sleep(rng.uniform(0.005, 0.08))
        await phone.cut(rng.random() < 0.5)
        await asyncio.sleep(rng.uniform(0, 0.05))
        await phone.come_back()


async def send_numbers(phone, to, count, rng):
    for n in range(count):
        await phone.up.wait()
        phone.send_message(mto=to, mbody=str(n), mtype="chat")
        if rng.random() < 0.3:
            await asyncio.sleep(rng.uniform(0, 0.01))


async def two_phones(north):
    ann = Phone(north.add_user("ann", "secret-of-ann"), "secret-of-ann", north)
    bob = Phone(north.add_user("bob", "secret-of-bob"), "secret-of-bob", north)
    return await ann.log_in(), await bob.log_in()


async def flow(place, cuts_of_ann, cuts_of_bob, count, seed):
    north = place.branch()
    ann, bob = await two_phones(north)
    rng = random.Random(seed)
    await asyncio.gather(send_numbers(ann, bob.boundjid.bare, count, rng), cut_now_and_then(ann, cuts_of_ann, rng),
                         cut_now_and_then(bob, cuts_of_bob, rng))
    await soon(lambda: len(bob.numbers()) >= count)
    ann.sm.request_ack()
    await soon(lambda: not ann.sm.unacked_queue)
    assert bob.numbers() == list(range(count)), bob.numbers()
    assert (ann.resumed, bob.resumed) == (cuts_of_ann, cuts_of_bob)
    assert len(north.ask("session", "list")) == 2
    await ann.leave()
    await bob.leave()


async def test_the_reader_is_cut(place):
    await flow(place, 0, 15, 400, 1)


async def test_the_sender_is_cut(place):
    await flow(place, 15, 0, 400, 2)


async def test_both_are_cut(place):
    await flow(place, 12, 12, 400, 3)


async def test_who_does_not_come_back_has_it_at_the_next_login(place):
    north = place.branch(more="limits { resume-time = 1s }")
    ann, bob = await two_phones(north)
    ann.send_message(mto=bob.boundjid.bare, mbody="0", mtype="chat")
    await bob.message("0")
    await asyncio.sleep(0.1)
    await bob.cut(True)
    for n in range(1, 20):
        ann.send_message(mto=bob.boundjid.bare, mbody=str(n), mtype="chat")
    await soon(lambda: len(north.ask("session", "list")) == 1)
    ann.sm.request_ack()
    await soon(lambda: not ann.sm.unacked_queue)
    later = await Person(bob.boundjid.bare, "secret-of-bob", north).log_in()
    await later.message("19")
    assert [int(m["body"]) for kind, m in later.arrived if kind == "message"] == list(range(1, 20))
    await later.leave()
    await ann.leave()


async def test_what_waits_survives_a_restart(place):
    """The server leaves while somebody's connection is lost: what waited for him still does."""
    north = place.branch()
    ann, bob = await two_phones(north)
    await bob.cut(True)
    for n in range(10):
        ann.send_message(mto=bob.boundjid.bare, mbody=str(n), mtype="chat")
    await ann.plugin["xep_0199"].ping("north.example")
    ann.abort()
    assert north.stop() == 0
    north.start()
    await bob.come_back()
    await bob.message("9")
    assert bob.numbers() == list(range(10)) and bob.resumed == 1
    await bob.leave()


async def restart(north, phones):
    """In order, as for an upgrade; the phones come back to their sessions."""
    for phone in phones:
        phone.up.clear()
    assert await asyncio.to_thread(north.stop) == 0
    await asyncio.to_thread(north.start)
    for phone in phones:
        await phone.come_back()


async def test_restarts_while_messages_flow(place):
    for more in "", "journal { archive = always }":
        north = place.branch(more=more)
        ann, bob = await two_phones(north)
        sending = asyncio.ensure_future(send_numbers(ann, bob.boundjid.bare, 300, random.Random(4)))
        for _ in range(3):
            await asyncio.sleep(0.3)
            await restart(north, (ann, bob))
        await sending
        await soon(lambda: len(bob.numbers()) >= 300)
        await ann.acknowledged()
        assert bob.numbers() == list(range(300)), bob.numbers()
        assert (ann.resumed, bob.resumed) == (3, 3)
        await ann.leave()
        await bob.leave()
        north.stop()


async def test_the_log_names_the_stream_that_goes_on(place):
    north = place.branch()
    ann = await Phone(north.add_user("ann", "secret-of-ann"), "secret-of-ann", north).log_in()
    await ann.cut(False)
    await ann.come_back()
    await ann.leave()
    await soon(lambda: north.log().count("client closed") == 2)
    lines = [line.split() for line in north.log().splitlines() if "jid=ann" in line][2:]
    assert [" ".join(line[3:5]) for line in lines] == ["session resumed", "client closed"], lines
    assert lines[0][2] == lines[1][2], lines


if __name__ == "__main__":
    run(globals())
