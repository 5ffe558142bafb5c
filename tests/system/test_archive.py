# SPDX-License-Identifier: MIT
"""The archive with a stock client: pages by slixmpp's XEP-0313 and XEP-0059, and what kill -9 leaves of it."""
import signal

from harness import Person, run, soon

ARCHIVE = "journal { archive = always }\n"


def person(jid, password, branch):
    someone = Person(jid, password, branch)
    someone.register_plugin("xep_0313")
    someone.register_plugin("xep_0359")
    return someone


async def bodies(someone, **filters):
    """All bodies that a query finds, page by page."""
    found = []
    async for message in someone.plugin["xep_0313"].iterate(**filters):
        found.append(message["mam_result"]["forwarded"]["stanza"]["body"])
    return found


async def test_pages_forwards_and_backwards(place):
    north = place.branch(more=ARCHIVE)
    ann = await person(north.add_user("ann", "secret-of-ann"), "secret-of-ann", north).log_in()
    bob = await person(north.add_user("bob", "secret-of-bob"), "secret-of-bob", north).log_in()
    for n in range(25):
        ann.send_message(mto=bob.boundjid.bare, mbody=f"note {n}", mtype="chat")
    await bob.message("note 24")
    expected = [f"note {n}" for n in range(25)]
    for someone, other in ((ann, bob), (bob, ann)):
        assert await bodies(someone, rsm={"max": 10}) == expected
        backwards = await bodies(someone, reverse=True, rsm={"max": 10})
        assert sorted(backwards) == sorted(expected), backwards
        assert await bodies(someone, with_jid=other.boundjid.bare) == expected
        assert await bodies(someone, with_jid="nobody@north.example") == []
    live = [m.xml.find("{urn:xmpp:sid:0}stanza-id").get("id") for kind, m in bob.arrived if kind == "message"]
    archived = [m["mam_result"]["id"] async for m in bob.plugin["xep_0313"].iterate()]
    assert len(live) == 25 and archived == live, (archived, live)
    await ann.leave()
    await bob.leave()


async def test_the_archive_survives_kill_and_is_delivered_once(place):
    north = place.branch(more=ARCHIVE)
    ann = await person(north.add_user("ann", "secret-of-ann"), "secret-of-ann", north).log_in()
    bob_jid = north.add_user("bob", "secret-of-bob")
    for n in range(10):
        ann.send_message(mto=bob_jid, mbody=f"note {n}", mtype="chat")
    await soon(lambda: north.ask("status")["store writes"] >= 20)
    await soon(lambda: north.ask("status")["store waiting"] == 0)
    ann.abort()
    north.stop(signal.SIGKILL)
    north.start()
    expected = [f"note {n}" for n in range(10)]
    bob = await person(bob_jid, "secret-of-bob", north).log_in()
    await bob.message("note 9")
    assert [m["body"] for kind, m in bob.arrived if kind == "message"] == expected
    assert await bodies(bob) == expected
    await bob.leave()
    again = await person(bob_jid, "secret-of-bob", north).log_in()
    assert await bodies(again) == expected
    assert [m for kind, m in again.arrived if kind == "message" and m["body"]] == []
    await again.leave()


if __name__ == "__main__":
    run(globals())
