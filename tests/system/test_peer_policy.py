# SPDX-License-Identifier: MIT
"""What a peer section lets pass, and how well a stream must be secured: in both directions, and live by a reload."""
import asyncio
import ssl

from harness import Person, Raw, run
from slixmpp.exceptions import IqError

NORTH, SOUTH = "127.0.0.2", "127.0.0.3"
AT = 'peer "{}" {{ address = {{ "{}:5269" }}  {} }}\n'


def agree(north, policy):
    north.configure(AT.format("south.example", SOUTH, policy))
    north.ctl("reload")


async def two_people(place):
    """Linked by dialback: each is told where the other is, and asks it whether the key is its own."""
    north = place.branch("north.example", NORTH, AT.format("south.example", SOUTH, ""))
    south = place.branch("south.example", SOUTH, AT.format("north.example", NORTH, ""))
    ann = await Person(north.add_user("ann", "secret-of-ann"), "secret-of-ann", north).log_in()
    bob = await Person(south.add_user("bob", "secret-of-bob"), "secret-of-bob", south).log_in()
    return north, ann, bob


async def becomes(person, peer, condition):
    """Each worker takes the new configuration into use in its turn."""
    for _ in range(400):
        try:
            await person.plugin["xep_0199"].send_ping(peer)
            answer = None
        except IqError as error:
            answer = error.iq["error"]["condition"]
        if answer == condition:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{answer}, not {condition}")


async def refused(sender, to, words):
    sender.send_message(mto=to, mbody=words, mtype="chat")
    error = await sender.wait_for("error", lambda m: m["body"] == words)
    assert error["error"]["condition"] == "not-allowed", error


async def test_kinds_of_stanzas(place):
    north, ann, bob = await two_people(place)
    await becomes(ann, "south.example", None)
    agree(north, "sends = { message }")
    await becomes(ann, "south.example", "not-allowed")
    await becomes(bob, "north.example", None)
    agree(north, "takes = { message }")
    await becomes(ann, "south.example", None)
    await becomes(bob, "north.example", "not-allowed")
    for one, other in (ann, bob), (bob, ann):
        one.send_message(mto=other.boundjid.bare, mbody="messages pass", mtype="chat")
        await other.message("messages pass", one.boundjid.bare)
    agree(north, "takes = { none }  sends = { none }")
    await becomes(ann, "south.example", "not-allowed")
    await refused(ann, "bob@south.example", "not out")
    await refused(bob, "ann@north.example", "not in")
    assert not [m for kind, m in ann.arrived + bob.arrived if m["type"] == "chat" and m["body"].startswith("not ")]
    await ann.leave()
    await bob.leave()


HEADER = ("<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' from='south.example' "
          "to='north.example' version='1.0'>")


def behind_tls_1_2(north):
    raw = Raw(north.address, north.s2s)
    raw.send(HEADER).expect("<starttls")
    raw.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").expect("<proceed")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    raw.socket, raw.got = context.wrap_socket(raw.socket), b""
    return raw.send(HEADER)


def test_a_newer_tls(place):
    north = place.branch("north.example", NORTH, AT.format("south.example", SOUTH, ""))
    behind_tls_1_2(north).expect("</stream:features>")
    agree(north, "tls = 1.3")
    assert "policy-violation" in behind_tls_1_2(north).expect_close()
    status = north.ctl("peer", "test", "south.example", check=False)
    assert "no server listens" in status.stderr, status.stderr


if __name__ == "__main__":
    run(globals())
