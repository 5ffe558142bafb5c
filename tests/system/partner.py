# SPDX-License-Identifier: MIT
"""What people here and at a partner organisation's server have with each other; shared by a test of each.

A Partner has domain, address, c2s, folder (as a Branch) and start(), stop(), add_user(). The scenes take both ends, linked.
"""
import asyncio
import signal
import sqlite3

from harness import Person, soon
from knot import Knot

RECORDS = """\
xmpp.north A 127.0.0.2
_xmpp-server._tcp.north SRV 0 5 5269 xmpp.north
xmpp.partner A 127.0.0.6
_xmpp-server._tcp.partner SRV 0 5 5269 xmpp.partner
"""
ANN, ZOE, YAN = "ann@north.example", "zoe@partner.example", "yan@partner.example"


def linked(place, partner_kind):
    """Hansa with Ann and the partner with Zoe and Yan, who find each other by the SRV records of a real DNS server."""
    dns = Knot(place, "127.0.0.7", getattr(partner_kind, "records", RECORDS))
    partner = partner_kind(place, dns)
    for name in ("zoe", "yan"):
        partner.add_user(name, f"secret-of-{name}")
    partner.start()
    north = place.branch(more=f'dns {{ servers = {{ "{dns.address}:{dns.port}" }} }}\npeer "*" {{ lifetime = 5s }}\n'
                         "journal { archive = always }\n" + getattr(partner, "policy", ""))
    north.add_user("ann", "secret-of-ann")
    return north, partner


def noted(branch, text):
    """Does it stand on the disk of a branch, for after a crash, to whom its users are shown elsewhere?"""
    with sqlite3.connect(f"file:{branch.folder}/hansa.db?mode=ro", uri=True) as store:
        return store.execute("SELECT 1 FROM document WHERE kind = 'shown' AND instr(text, ?)", (text,)).fetchone()


def someone(jid, branch, *plugins):
    person = Person(jid, f"secret-of-{jid.split('@')[0]}", branch)
    person.auto_authorize = None
    for plugin in plugins:
        person.register_plugin(plugin)
    return person


async def what_arrives_is_acknowledged(place, partner_kind, by):
    """Until all of it is, and peer show says how the partner does it."""
    north, partner = linked(place, partner_kind)
    if hasattr(partner, "admit"):
        partner.admit(north)
    ann, zoe = await someone(ANN, north).log_in(), await someone(ZOE, partner).log_in()
    for number in range(50):
        ann.send_message(mto=ZOE, mbody=f"north {number}", mtype="chat")
        zoe.send_message(mto=ANN, mbody=f"partner {number}", mtype="chat")
    await zoe.message("north 49")
    await ann.message("partner 49")
    for person, words in (zoe, "north"), (ann, "partner"):
        assert [m["body"] for kind, m in person.arrived if kind == "message"] == [f"{words} {n}" for n in range(50)]

    def shown():
        return [row for row in north.ask("peer", "show", "partner.example") if row["direction"] == "out"][0]

    await soon(lambda: "round trip ms" in shown() and shown()["under way"] == 0)
    assert shown()["acknowledged by"] == by, shown()
    zoe.send_message(mto=ANN, mbody="that was all", mtype="chat")
    await ann.message("that was all")
    for person in ann, zoe:
        await person.leave()
    return north


async def state(person, contact, wanted):
    """Waits until the roster shows the contact in that state."""
    await soon(lambda: person.client_roster[contact]["subscription"] == wanted)


def comes(person, kind, sender):
    """Like wait_for(), of stanzas that come from now on only."""
    past = len(person.arrived)
    return person.wait_for(kind, lambda p: p["from"].bare == sender and
                           any(stanza is p for _, stanza in person.arrived[past:]))


async def subscribe(one, other):
    """One asks, the other agrees."""
    asked, seen = comes(other, "presence_subscribe", one.boundjid.bare), \
        comes(one, "presence_available", other.boundjid.bare)
    one.send_presence_subscription(pto=other.boundjid.bare, ptype="subscribe")
    await asked
    other.send_presence_subscription(pto=one.boundjid.bare, ptype="subscribed")
    await seen


async def the_life_of_a_subscription(place, partner_kind):
    north, partner = linked(place, partner_kind)
    ann, zoe = await someone(ANN, north).log_in(), await someone(ZOE, partner).log_in()
    for one, other in ((ann, zoe), (zoe, ann)):
        one_jid, other_jid = one.boundjid.bare, other.boundjid.bare
        one.send_presence_subscription(pto=other_jid, ptype="subscribe")
        await comes(other, "presence_subscribe", one_jid)
        assert one.client_roster[other_jid]["pending_out"]
        other.send_presence_subscription(pto=one_jid, ptype="unsubscribed")
        await comes(one, "presence_unsubscribed", other_jid)
        await soon(lambda: not one.client_roster[other_jid]["pending_out"])
        await subscribe(one, other)
    for one, other in ((ann, zoe), (zoe, ann)):
        await state(one, other.boundjid.bare, "both")
    gone = comes(zoe, "presence_unavailable", ANN)
    ann.send_presence_subscription(pto=ZOE, ptype="unsubscribed")
    await gone
    await state(ann, ZOE, "to")
    await state(zoe, ANN, "from")
    await subscribe(zoe, ann)
    await state(ann, ZOE, "both")
    gone = comes(zoe, "presence_unavailable", ANN)
    await ann.del_roster_item(ZOE)
    await gone
    await state(zoe, ANN, "none")
    assert ZOE not in (await ann.get_roster())["roster"]["items"]
    for person in (ann, zoe):
        await person.leave()


async def a_request_waits_for_who_is_away(place, partner_kind):
    north, partner = linked(place, partner_kind)
    ann, zoe = someone(ANN, north), someone(ZOE, partner)
    for one, other in ((ann, zoe), (zoe, ann)):
        one_jid, other_jid = one.boundjid.bare, other.boundjid.bare
        await one.log_in()
        one.send_presence_subscription(pto=other_jid, ptype="subscribe")
        await one.plugin["xep_0199"].ping(partner.domain if one is ann else "north.example")
        await one.leave()
        other = someone(other_jid, north if one is zoe else partner)
        await other.log_in()
        await other.wait_for("presence_subscribe", lambda p: p["from"].bare == one_jid)
        other.send_presence_subscription(pto=one_jid, ptype="subscribed")
        await other.plugin["xep_0199"].ping("north.example")
        await other.leave()
        again = someone(one_jid, north if one is ann else partner)
        await again.log_in()
        await state(again, other_jid, "to" if one is ann else "both")
        await again.leave()


async def contacts_are_told_that_the_server_leaves(place, partner_kind):
    north, partner = linked(place, partner_kind)
    ann, zoe = await someone(ANN, north).log_in(), await someone(ZOE, partner).log_in()
    await subscribe(zoe, ann)
    gone = comes(zoe, "presence_unavailable", ANN)
    assert await asyncio.to_thread(north.stop) == 0
    await gone
    await zoe.leave()


async def presence_after_each_comes_back(place, partner_kind):
    """Who comes sees who is there, also when a whole server was away."""
    north, partner = linked(place, partner_kind)
    ann, zoe = await someone(ANN, north).log_in(), await someone(ZOE, partner).log_in()
    await subscribe(ann, zoe)
    await subscribe(zoe, ann)
    gone = comes(zoe, "presence_unavailable", ANN)
    await ann.leave()
    await gone
    back = comes(zoe, "presence_available", ANN)
    ann = await someone(ANN, north).log_in()
    await ann.wait_for("presence_available", lambda p: p["from"].bare == ZOE)
    await back
    gone = comes(zoe, "presence_unavailable", ANN)
    ann.abort()
    await gone
    assert north.stop() == 0
    north.start()
    ann = await someone(ANN, north).log_in()
    await ann.wait_for("presence_available", lambda p: p["from"].bare == ZOE)
    zoe.abort()
    partner.stop()
    partner.start()
    zoe = await someone(ZOE, partner).log_in()
    await zoe.wait_for("presence_available", lambda p: p["from"].bare == ANN)
    back = comes(ann, "presence_available", ZOE)
    zoe.send_presence(pstatus="I am back")
    await back
    for person in (ann, zoe):
        await person.leave()


async def archive_and_carbons_with_somebody_there(place, partner_kind):
    north, partner = linked(place, partner_kind)
    desk, phone = [await someone(f"{ANN}/{resource}", north, "xep_0280", "xep_0313", "xep_0359").log_in()
                   for resource in ("desk", "phone")]
    zoe = await someone(ZOE, partner).log_in()
    copies = []
    await phone.plugin["xep_0280"].enable()
    phone.add_event_handler("carbon_sent", lambda m: copies.append(m["carbon_sent"]))
    phone.add_event_handler("carbon_received", lambda m: copies.append(m["carbon_received"]))
    talk = []
    for n in range(5):
        desk.send_message(mto=ZOE, mbody=f"question {n}", mtype="chat")
        await zoe.message(f"question {n}", ANN)
        zoe.send_message(mto=desk.boundjid.full, mbody=f"answer {n}", mtype="chat")
        await desk.message(f"answer {n}", ZOE)
        talk += [(ANN, f"question {n}"), (ZOE, f"answer {n}")]
    await soon(lambda: len(copies) >= len(talk))
    assert [(m["from"].bare, m["body"]) for m in copies] == talk
    kept, ids = [], []
    async for message in phone.plugin["xep_0313"].iterate(with_jid=ZOE, rsm={"max": 3}):
        inner = message["mam_result"]["forwarded"]["stanza"]
        kept.append((inner["from"].bare, inner["body"]))
        ids.append(message["mam_result"]["id"])
    assert kept == talk
    assert [m["stanza_id"]["id"] for m in copies] == ids
    for person in (desk, phone, zoe):
        await person.leave()


async def a_crash_leaves_no_ghosts(place, partner_kind):
    """Zoe is subscribed to Ann, and Yan got directed presence from her; both see her go when her server is back."""
    north, partner = linked(place, partner_kind)
    ann, zoe = await someone(ANN, north).log_in(), await someone(ZOE, partner).log_in()
    yan = await someone(YAN, partner).log_in()
    await subscribe(zoe, ann)
    seen = comes(yan, "presence_available", ANN)
    ann.send_presence(pto=yan.boundjid.full)
    await seen
    await soon(lambda: noted(north, "*") and noted(north, ">" + yan.boundjid.full))
    gone = [comes(person, "presence_unavailable", ANN) for person in (zoe, yan)]
    await asyncio.to_thread(north.stop, signal.SIGKILL)
    await asyncio.to_thread(north.start)
    for told in gone:
        await told
    for person in (zoe, yan):
        await person.leave()


SCENES = (the_life_of_a_subscription, a_request_waits_for_who_is_away,
          contacts_are_told_that_the_server_leaves, a_crash_leaves_no_ghosts,
          presence_after_each_comes_back, archive_and_carbons_with_somebody_there)


def tests(partner_kind):
    """The scenes as tests with that partner, for run()."""
    def bound(scene):
        async def test(place):
            await scene(place, partner_kind)
        return test
    return {f"test_{scene.__name__}": bound(scene) for scene in SCENES}
