# SPDX-License-Identifier: MIT
"""Profanity in a terminal: login, talk, history from the archive, subscriptions, carbons, a connection that breaks."""
from cable import Cable
from harness import Person, run, soon
from terminal import Terminal

ARCHIVE = "journal { archive = always }\n"


class Profanity(Terminal):
    """Ann's, logged in; `where` she connects."""

    @classmethod
    async def log_in(cls, place, where, name="profanity"):
        self = cls(place, name, ["profanity", "-l", "DEBUG", "-f", str(place.folder / f"{name}.log")])
        await self.see("Type '/help' to show complete help.")
        self.type(f"/connect ann@{where.domain} server {where.address} port {where.c2s} tls trust")
        await self.see("Enter password:")
        self.type("secret-of-ann")
        await self.see("logged in successfully, online (priority 0).")
        return self

    async def open(self, window):
        await self.see(f"[{window}]")
        self.type(f"/win {window}")

    async def quit(self):
        self.type("/quit")
        await soon(lambda: not self.run("list-sessions"))


async def people(place, more=ARCHIVE, where=None):
    """Ann with Profanity and Bob with a library."""
    north = place.branch(more=more)
    for name in ("ann", "bob"):
        north.add_user(name, f"secret-of-{name}")
    bob = await Person("bob@north.example", "secret-of-bob", north).log_in()
    return north, await Profanity.log_in(place, where(north) if where else north), bob


async def test_talk_and_history(place):
    """The history is two pages of the archive: Profanity 0.13 asks for no more."""
    north, ann, bob = await people(place)
    for n in range(80):
        bob.send_message(mto="ann@north.example", mbody=f"news {n}", mtype="chat")
    await ann.open(2)
    await ann.see("news 79")
    ann.type("an answer")
    await bob.message("an answer", "ann@north.example")
    await ann.quit()
    again = await Profanity.log_in(place, north, "again")
    again.type("/mam on")
    await again.see("Message Archive Management enabled.")
    again.type("/msg bob@north.example")
    screen = await again.see("me: an answer", ": news 79", ": news 40")
    assert [screen.count(f": news {n}\n") for n in range(40, 80)] == 40 * [1], screen
    assert "doesn't support MAM" not in screen
    await again.quit()
    await bob.leave()


async def test_subscriptions(place):
    _, ann, bob = await people(place)
    bob.auto_authorize = None
    ann.type("/sub request bob@north.example")
    await bob.wait_for("presence_subscribe", lambda p: p["from"].bare == "ann@north.example")
    bob.send_presence_subscription(pto="ann@north.example", ptype="subscribed")
    await ann.see("Subscription received from bob@north.example")
    bob.send_presence_subscription(pto="ann@north.example", ptype="subscribe")
    await ann.see("Received authorization request from bob@north.example")
    ann.type("/sub allow bob@north.example")
    await bob.wait_for("presence_available", lambda p: p["from"].bare == "ann@north.example")
    await ann.quit()
    await bob.wait_for("presence_unavailable", lambda p: p["from"].bare == "ann@north.example")
    await bob.leave()


async def test_carbons(place):
    north, ann, bob = await people(place)
    ann.type("/carbons on")
    await ann.see("Message carbons preference enabled.")
    other = await Person("ann@north.example/other", "secret-of-ann", north).log_in()
    other.send_message(mto="bob@north.example", mbody="from the other device", mtype="chat")
    await bob.message("from the other device")
    bob.send_message(mto=other.boundjid.full, mbody="to the other device", mtype="chat")
    await other.message("to the other device")
    await ann.open(2)
    await ann.see("me: from the other device", "to the other device")
    for person in (other, bob):
        await person.leave()
    await ann.quit()


async def test_a_connection_that_breaks(place):
    cables = []

    def cable(north):
        cables.append(Cable(place, north))
        return cables[0]
    north, ann, bob = await people(place, "", cable)
    ann.type("/reconnect 1")
    bob.send_message(mto="ann@north.example", mbody="before", mtype="chat")
    await ann.open(2)
    await ann.see("before")
    cables[0].cut()
    for n in range(10):
        bob.send_message(mto="ann@north.example", mbody=f"meanwhile {n}", mtype="chat")
    await bob.plugin["xep_0199"].ping("north.example")
    cables[0].mend()
    screen = await ann.see("meanwhile 9", seconds=40)
    assert "session resumed jid=ann@" in north.log()
    told = [line.split(": ")[1].strip() for line in screen.splitlines() if "meanwhile" in line]
    assert told == [f"meanwhile {n}" for n in range(10)], screen
    ann.type("I am back")
    await bob.message("I am back")
    await ann.quit()
    await bob.leave()
    await soon(lambda: north.ask("session", "list") == [])


async def test_blocking_and_questions(place):
    _, ann, bob = await people(place)
    ann.type("/blocked add bob@north.example")
    await ann.see("User bob@north.example successfully blocked.")
    bob.send_message(mto="ann@north.example", mbody="unwanted", mtype="chat")
    await bob.wait_for("error", lambda m: m["body"] == "unwanted")
    ann.type("/blocked remove bob@north.example")
    await ann.see("User bob@north.example successfully unblocked.")
    ann.type("/clear")
    ann.type("/ping")
    await ann.see("Ping response")
    ann.type("/disco info")
    await ann.see("Hansa", "urn:xmpp:blocking")
    ann.type("/bookmark add room@rooms.example autojoin off")
    ann.type("/bookmark list")
    await ann.see("room@rooms.example")
    await ann.quit()
    await bob.leave()


if __name__ == "__main__":
    run(globals())
