# SPDX-License-Identifier: MIT
"""Messages with stock clients: online, offline, several resources, and a connection that dies with something unread."""
import asyncio
import signal
import socket
import struct

from harness import Person, run, soon


async def two_people(north):
    ann = await Person(north.add_user("ann", "secret-of-ann"), "secret-of-ann", north).log_in()
    bob = north.add_user("bob", "secret-of-bob")
    return ann, bob


async def test_offline_messages_come_once_in_order_with_a_delay(place):
    north = place.branch()
    ann, bob = await two_people(north)
    for n in range(20):
        ann.send_message(mto=bob, mbody=f"note {n}", mtype="chat")
    await ann.plugin["xep_0199"].ping("north.example")
    person = Person(bob, "secret-of-bob", north)
    person.register_plugin("xep_0203")
    await person.log_in()
    await person.message("note 19")
    got = [m for kind, m in person.arrived if kind == "message"]
    assert [m["body"] for m in got] == [f"note {n}" for n in range(20)]
    assert all(m["delay"]["stamp"] for m in got)
    await person.leave()
    again = await Person(bob, "secret-of-bob", north).log_in()
    ann.send_message(mto=bob, mbody="live", mtype="chat")
    await again.message("live")
    assert len([m for kind, m in again.arrived if kind == "message"]) == 1
    await again.leave()
    await ann.leave()


async def test_offline_messages_survive_kill(place):
    north = place.branch()
    ann, bob = await two_people(north)
    for n in range(50):
        ann.send_message(mto=bob, mbody=f"note {n}", mtype="chat")
    await soon(lambda: north.ask("status")["store writes"] >= 50)
    await soon(lambda: north.ask("status")["store waiting"] == 0)
    ann.abort()
    north.stop(signal.SIGKILL)
    north.start()
    person = await Person(bob, "secret-of-bob", north).log_in()
    await person.message("note 49")
    assert [m["body"] for kind, m in person.arrived if kind == "message"] == [f"note {n}" for n in range(50)]
    await person.leave()


async def test_what_a_dead_connection_had_not_read_is_kept(place):
    """The reader stops reading and is cut; what its TCP had not acknowledged comes at the next login."""
    north = place.branch()
    ann, bob = await two_people(north)
    reader = await Person(bob, "secret-of-bob", north).log_in()
    sock = reader.transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.transport.pause_reading()
    body = "x" * 4000
    for n in range(400):
        ann.send_message(mto=bob, mbody=f"{n} {body}", mtype="chat")
    await ann.plugin["xep_0199"].ping("north.example")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    reader.transport.abort()
    await asyncio.sleep(0.1)
    await soon(lambda: len(north.ask("session", "list")) == 1)
    person = await Person(bob, "secret-of-bob", north).log_in()
    await person.wait_for("message", lambda m: m["body"].startswith("399 "))
    numbers = [int(m["body"].split()[0]) for kind, m in person.arrived if kind == "message"]
    assert numbers == list(range(numbers[0], 400)), numbers
    await person.leave()
    await ann.leave()


async def test_resources_share_messages_by_priority(place):
    north = place.branch()
    ann, bob = await two_people(north)
    desk = await Person(bob + "/desk", "secret-of-bob", north).log_in()
    phone = await Person(bob + "/phone", "secret-of-bob", north).log_in()
    phone.send_presence(ppriority=-1)
    await phone.plugin["xep_0199"].ping("north.example")
    ann.send_message(mto=bob, mbody="to the bare address", mtype="chat")
    await desk.message("to the bare address")
    ann.send_message(mto=bob + "/phone", mbody="to the phone", mtype="chat")
    await phone.message("to the phone")
    assert len([m for kind, m in phone.arrived if kind == "message"]) == 1
    for person in (ann, desk, phone):
        await person.leave()


async def test_unknown_user_is_said(place):
    north = place.branch()
    ann, _ = await two_people(north)
    ann.send_message(mto="nobody@north.example", mbody="hello?", mtype="chat")
    error = await ann.wait_for("error", lambda m: m["from"].bare == "nobody@north.example")
    assert error["error"]["condition"] == "service-unavailable"
    await ann.leave()


async def test_subscription_roster_presence(place):
    north = place.branch()
    ann, bob_jid = await two_people(north)
    bob = await Person(bob_jid, "secret-of-bob", north).log_in()
    ann.send_presence_subscription(pto=bob_jid, ptype="subscribe")
    await ann.wait_for("presence_available", lambda p: p["from"].bare == bob_jid)
    await ann.get_roster()
    assert ann.client_roster[bob_jid]["subscription"] in ("to", "both")
    await bob.leave()
    await ann.wait_for("presence_unavailable", lambda p: p["from"].bare == bob_jid)
    await ann.leave()


async def test_drain_tells_clients(place):
    north = place.branch()
    ann, _ = await two_people(north)
    told = asyncio.get_event_loop().create_future()
    ann.add_event_handler("stream_error", lambda error: told.done() or told.set_result(error))
    north.ctl("stop")
    assert (await asyncio.wait_for(told, 20))["condition"] == "system-shutdown"
    assert north.process.wait(20) == 0


if __name__ == "__main__":
    run(globals())
