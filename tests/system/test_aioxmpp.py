# SPDX-License-Identifier: MIT
"""python3-aioxmpp: login, roster, carbons, blocking, its stream management over a cable that is pulled."""
import asyncio
import contextlib
import logging
import warnings

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

import aioxmpp  # noqa: E402
import aioxmpp.carbons  # noqa: E402
import aioxmpp.connector  # noqa: E402
import aioxmpp.dispatcher  # noqa: E402
from cable import Cable  # noqa: E402
from harness import run, soon  # noqa: E402


class Device:
    def __init__(self, branch, name, resource):
        self.heard, self.copies = [], []
        self.jid = aioxmpp.JID(name, branch.domain, resource)
        self.client = aioxmpp.PresenceManagedClient(
            self.jid, aioxmpp.make_security_layer(f"secret-of-{name}", no_verify=True),
            override_peer=[(branch.address, branch.c2s, aioxmpp.connector.STARTTLSConnector())])
        self.client.backoff_start = self.client.backoff_cap = aioxmpp.node.timedelta(seconds=0.1)
        self.roster = self.client.summon(aioxmpp.RosterClient)
        self.blocking = self.client.summon(aioxmpp.BlockingClient)
        self.carbons = self.client.summon(aioxmpp.CarbonsClient)
        self.presence = self.client.summon(aioxmpp.PresenceClient)
        dispatcher = self.client.summon(aioxmpp.dispatcher.SimpleMessageDispatcher)
        dispatcher.register_callback(None, None, self.hear)

    def hear(self, message):
        if message.xep0280_sent:
            self.copies.append(message.xep0280_sent.stanza.body.any())
        elif message.xep0280_received:
            self.copies.append(message.xep0280_received.stanza.body.any())
        elif message.body:
            self.heard.append(message.body.any())

    async def log_in(self):
        self.client.presence = aioxmpp.PresenceState(True)
        await soon(lambda: self.client.established)
        return self

    def say(self, to, text):
        message = aioxmpp.Message(aioxmpp.MessageType.CHAT, to=to)
        message.body[None] = text
        return self.client.enqueue(message)

    async def leave(self):
        self.client.stop()
        await soon(lambda: not self.client.running)


@contextlib.asynccontextmanager
async def people(place, where=None, more=""):
    """Ann, by way of what where() makes of the branch, and Bob."""
    north = place.branch(more=more)
    for name in ("ann", "bob"):
        north.add_user(name, f"secret-of-{name}")
    ann = await Device(where(north) if where else north, "ann", "desk").log_in()
    bob = await Device(north, "bob", "desk").log_in()
    try:
        yield north, ann, bob
    finally:
        await ann.leave()
        await bob.leave()
    await soon(lambda: north.ask("session", "list") == [])


async def test_talk_roster_and_presence(place):
    async with people(place) as (_, ann, bob):
        ann.say(bob.jid.bare(), "hello")
        await soon(lambda: bob.heard == ["hello"])
        await ann.roster.set_entry(bob.jid.bare(), name="Bob", add_to_groups={"Work"})
        await soon(lambda: bob.jid.bare() in ann.roster.items)
        assert ann.roster.items[bob.jid.bare()].name == "Bob"
        asked = []
        bob.roster.on_subscribe.connect(asked.append)
        ann.roster.subscribe(bob.jid.bare())
        await soon(lambda: asked)
        bob.roster.approve(ann.jid.bare())
        await soon(lambda: ann.roster.items[bob.jid.bare()].subscription == "to")
        await soon(lambda: ann.presence.get_most_available_stanza(bob.jid.bare()))
        await ann.roster.remove_entry(bob.jid.bare())
        await soon(lambda: bob.jid.bare() not in ann.roster.items)


async def test_carbons_and_blocking(place):
    async with people(place) as (north, ann, bob):
        other = await Device(north, "ann", "other").log_in()
        await ann.carbons.enable()
        other.say(bob.jid.bare(), "from the other device")
        await soon(lambda: ann.copies == ["from the other device"])
        await ann.blocking.block_jids([bob.jid.bare()])
        await soon(lambda: other.blocking.blocklist == frozenset([bob.jid.bare()]))
        bob.say(ann.jid.bare(), "unwanted")
        await other.blocking.unblock_jids([bob.jid.bare()])
        bob.say(ann.jid.bare(), "welcome")
        await soon(lambda: other.heard == ["welcome"] and ann.heard == ["welcome"])
        await other.leave()


async def test_a_cut_cable_loses_and_doubles_nothing(place):
    cables = []

    def cable(north):
        cables.append(Cable(place, north))
        return cables[0]
    async with people(place, cable) as (north, ann, bob):
        lost = []
        ann.client.on_stream_destroyed.connect(lambda reason=None: lost.append(reason))
        for n in range(60):
            if n % 20 == 10:
                cables[0].cut()
            ann.say(bob.jid.bare(), f"question {n}")
            bob.say(ann.jid.bare(), f"answer {n}")
            if n % 20 == 15:
                cables[0].mend()
            await asyncio.sleep(0.01)
        await soon(lambda: len(ann.heard) >= 60 and len(bob.heard) >= 60)
        assert ann.heard == [f"answer {n}" for n in range(60)]
        assert bob.heard == [f"question {n}" for n in range(60)]
        assert not lost, "the session was resumed each time"


if __name__ == "__main__":
    run(globals())
