# SPDX-License-Identifier: MIT
"""slixmpp with the plugins that a client of today has: two devices of one account, and a phone whose cable is pulled."""
import asyncio

from cable import Cable
from harness import Person, run, soon
from phone import Phone

ARCHIVE = "journal { archive = always }\n"
PLUGINS = ("xep_0084", "xep_0153", "xep_0172", "xep_0191", "xep_0203", "xep_0280", "xep_0313", "xep_0334", "xep_0352",
           "xep_0359")


def equipped(person):
    """A device with all plugins; what it sees of its account's talk is kept in `seen`, in order, as (sender, body)."""
    for plugin in PLUGINS:
        person.register_plugin(plugin)
    person.seen, person.ids = [], []

    def see(message):
        person.seen.append((message["from"].bare, message["body"]))
        person.ids += [message["stanza_id"]["id"]] if message["stanza_id"]["by"] == person.boundjid.bare else []
    person.add_event_handler("message", see)
    person.add_event_handler("carbon_received", lambda m: see(m["carbon_received"]))
    person.add_event_handler("carbon_sent", lambda m: see(m["carbon_sent"]))
    return person


async def device(branch, name, resource, kind=Phone, where=None):
    person = equipped(kind(f"{name}@{branch.domain}/{resource}", f"secret-of-{name}", where or branch))
    await person.log_in()
    await person.plugin["xep_0280"].enable()
    return person


async def household(branch, where=None):
    """Two devices of Ann's, the phone by way of `where`, and Bob."""
    for name in ("ann", "bob"):
        branch.add_user(name, f"secret-of-{name}")
    return (await device(branch, "ann", "desk"), await device(branch, "ann", "phone", where=where),
            await device(branch, "bob", "desk"))


async def archived(person, **filters):
    """What the archive has, page by page: the ids, and the talk as it was."""
    ids, talk = [], []
    async for message in person.plugin["xep_0313"].iterate(rsm={"max": 7}, **filters):
        inner = message["mam_result"]["forwarded"]["stanza"]
        ids.append(message["mam_result"]["id"])
        talk.append((inner["from"].bare, inner["body"]))
    return ids, talk


async def test_two_devices_and_the_archive_agree(place):
    north = place.branch(more=ARCHIVE)
    desk, phone, bob = await household(north)
    ann_jid, bob_jid = desk.boundjid.bare, bob.boundjid.bare
    talk = []
    for n in range(15):
        desk.send_message(mto=bob_jid, mbody=f"question {n}", mtype="chat")
        await bob.message(f"question {n}")
        bob.send_message(mto=desk.boundjid.full, mbody=f"answer {n}", mtype="chat")
        await desk.message(f"answer {n}")
        talk += [(ann_jid, f"question {n}"), (bob_jid, f"answer {n}")]
    await soon(lambda: len(phone.seen) >= 30)
    assert phone.seen == talk, phone.seen
    assert desk.seen == [(who, what) for who, what in talk if who == bob_jid]
    ids, kept = await archived(phone)
    assert kept == talk and len(set(ids)) == 30
    assert phone.ids == ids, (phone.ids, ids)
    assert await archived(desk, with_jid=bob_jid) == (ids, talk)
    assert (await archived(bob))[1] == talk
    for person in (desk, phone, bob):
        await person.leave()


async def test_a_pulled_cable_loses_and_doubles_nothing(place):
    """The server hears nothing of it: it writes into a connection that leads nowhere until the phone comes back."""
    north = place.branch(more=ARCHIVE)
    cable = Cable(place, north)
    desk, phone, bob = await household(north, cable)
    talk = []
    for n in range(60):
        if n % 20 == 10:
            cable.pull()
            phone.up.clear()
        desk.send_message(mto=bob.boundjid.bare, mbody=f"question {n}", mtype="chat")
        await bob.message(f"question {n}")
        bob.send_message(mto=desk.boundjid.bare, mbody=f"answer {n}", mtype="chat")
        await desk.message(f"answer {n}")
        talk += [("ann@north.example", f"question {n}"), ("bob@north.example", f"answer {n}")]
        if n % 20 == 19:
            phone.send_message(mto=bob.boundjid.bare, mbody=f"said into the dark {n}", mtype="chat")
            await soon(lambda: any(f"dark {n}<" in str(stanza) for _, stanza in phone.sm.unacked_queue))
            phone.transport.abort()
            await asyncio.wait_for(phone.disconnected, 10)
            cable.mend()
            await phone.come_back()
            await bob.message(f"said into the dark {n}")
    await soon(lambda: len(phone.seen) >= len(talk))
    await phone.acknowledged()
    assert phone.seen == talk
    assert phone.resumed == 3
    assert [what for _, what in bob.seen if "dark" in what] == [f"said into the dark {n}" for n in (19, 39, 59)]
    assert len(north.ask("session", "list")) == 3
    for person in (desk, phone, bob):
        await person.leave()


async def test_who_does_not_resume_finds_all_in_the_archive(place):
    """The phone comes back with nothing but the last id it has seen, as after its application was ended."""
    north = place.branch(more=ARCHIVE)
    cable = Cable(place, north)
    desk, phone, bob = await household(north, cable)
    bob.send_message(mto=phone.boundjid.bare, mbody="seen", mtype="chat")
    await phone.message("seen")
    await phone.acknowledged()
    cable.pull()
    for n in range(20):
        bob.send_message(mto=phone.boundjid.bare, mbody=f"missed {n}", mtype="chat")
        desk.send_message(mto=bob.boundjid.bare, mbody=f"reply {n}", mtype="chat")
        await bob.message(f"reply {n}")
    await desk.message("missed 19")
    cable.cut()
    cable.mend()
    again = await device(north, "ann", "phone", where=cable)
    found = []
    async for message in again.plugin["xep_0313"].iterate(rsm={"after": phone.ids[-1], "max": 7}):
        found.append(message["mam_result"]["forwarded"]["stanza"]["body"])
    assert sorted(found) == sorted([f"missed {n}" for n in range(20)] + [f"reply {n}" for n in range(20)]), found
    for person in (desk, again, bob):
        await person.leave()


async def test_blocking_is_told_to_all_devices(place):
    north = place.branch()
    desk, phone, bob = await household(north)
    assert not (await phone.plugin["xep_0191"].get_blocked())["blocklist"]["items"]
    told = asyncio.get_event_loop().create_future()
    phone.add_event_handler("blocked", lambda iq: told.set_result(iq))
    await desk.plugin["xep_0191"].block(bob.boundjid.bare)
    assert bob.boundjid.bare in (await asyncio.wait_for(told, 20))["block"]["items"]
    assert (await phone.plugin["xep_0191"].get_blocked())["blocklist"]["items"] == {bob.boundjid.bare}
    bob.send_message(mto=desk.boundjid.bare, mbody="unwanted", mtype="chat")
    error = await bob.wait_for("error", lambda m: m["body"] == "unwanted")
    assert error["error"]["condition"] == "service-unavailable"
    await phone.plugin["xep_0191"].unblock(bob.boundjid.bare)
    bob.send_message(mto=desk.boundjid.bare, mbody="welcome", mtype="chat")
    await desk.message("welcome")
    assert [what for _, what in desk.seen] == ["welcome"]
    for person in (desk, phone, bob):
        await person.leave()


async def test_an_inactive_phone_is_left_alone(place):
    north = place.branch()
    desk, phone, bob = await household(north)
    bob.send_presence_subscription(pto=phone.boundjid.bare, ptype="subscribe")
    phone.send_presence_subscription(pto=bob.boundjid.bare, ptype="subscribe")
    await phone.wait_for("presence_available", lambda p: p["from"].bare == bob.boundjid.bare)
    phone.plugin["xep_0352"].send_inactive()
    await phone.plugin["xep_0199"].ping("north.example")
    for n in range(5):
        bob.send_presence(pstatus=f"mood {n}")
        await desk.wait_for("presence_available", lambda p: p["status"] == f"mood {n}")
    assert "mood 4" not in [p["status"] for kind, p in phone.arrived if kind == "presence_available"]
    bob.send_message(mto=phone.boundjid.bare, mbody="wake up", mtype="chat")
    await phone.message("wake up")
    moods = [p["status"] for kind, p in phone.arrived if kind == "presence_available" and "mood" in p["status"]]
    assert moods == ["mood 4"], moods
    for person in (desk, phone, bob):
        await person.leave()


if __name__ == "__main__":
    run(globals())
