# SPDX-License-Identifier: MIT
"""A disk that is full, and one that hangs: nothing acknowledged is lost, sessions stay, and all goes on when the disk does.
Mounting a small disk takes root.
"""
import asyncio
import contextlib
import os
import subprocess
import sys
import time

from client import CLIENT, Client
from victim import Victim, configuration, power
from harness import run, soon  # noqa: E402

SIZE = "24m"
LEAVING = 20                    # seconds that a server takes at most whose disk hangs
PATIENCE = (4, 9)               # seconds until the sender of a message that nobody can take is told, about 5
ERRORS = "{urn:ietf:params:xml:ns:xmpp-stanzas}"


class Person(Client):
    """Sends bodies, and says what became of them."""

    def __init__(self, name, server):
        super().__init__(name, f"secret-of-{name}", server)
        self.taken, self.refused, self.got, self.answers = [], {}, [], {}
        self.begun = 0

    def began(self, resumed):
        self.begun += 1
        if not resumed:
            self.send("<presence/>")

    def say(self, to, body, size=0):
        self.send(f"<message type='chat' to='{to}@{self.server.domain}' id='{body}'><body>{body}</body>"
                  f"<padding xmlns='urn:example:padding'>{'x' * size}</padding></message>", body)
        self.ask()

    def acknowledged(self, mark):
        self.taken.append(mark)

    def came(self, element):
        error = element.find(CLIENT + "error")
        if error is not None:
            self.refused[element.get("id")] = (error.get("type"), error[0].tag)
        elif element.tag == CLIENT + "message":
            self.got.append(element.findtext(CLIENT + "body"))
        else:
            self.answers[element.get("id")] = element

    def settled(self, *bodies):
        """Acknowledged; a refusal is acknowledged as well."""
        return set(bodies) <= set(self.taken)


def server_of(place, store, environment=None, archive="always"):
    """A server with its database in that folder, and accounts; not started."""
    server = Victim(place.folder / "server", "rig.example", "127.0.0.2", configuration(archive), workers=2)
    place.branches.append(server)
    path = server.folder / "hansa.conf"
    path.write_text(path.read_text().replace(f'path = "{server.folder}/hansa.db"', f'path = "{store}/hansa.db"'))
    server.start()
    for name in ("ann", "bob", "carol"):
        server.add_user(name, f"secret-of-{name}")
    server.stop()
    server.environment = environment or {}
    server.start()
    return server


async def people(server):
    everybody = [Person(name, server) for name in ("ann", "bob", "carol")]
    for person in everybody[:2]:
        await person.begin()
    return everybody


async def before(ann, bob):
    ann.say("carol", "before")
    ann.say("bob", "hello")
    await soon(lambda: ann.settled("before", "hello") and "hello" in bob.got)


async def after(ann, bob, carol, server):
    """The disk is well again: so is the server, for those who stayed and for those who come."""
    ann.say("carol", "after")
    ann.say("bob", "welcome")
    await soon(lambda: ann.settled("after", "welcome") and "welcome" in bob.got)
    assert ann.begun == bob.begun == 1, "a session did not stay"
    assert "after" not in ann.refused
    promised = [body for body in ann.taken if body not in ann.refused and body not in bob.got]
    server.kill()
    server.start()
    await carol.begin()
    await soon(lambda: "after" in carol.got)
    kept = list(dict.fromkeys(carol.got))
    assert [body for body in kept if body in promised] == promised, (promised, kept)
    await carol.leave()


@contextlib.contextmanager
def full(folder):
    filler = folder / "filler"
    with open(filler, "wb", buffering=0) as out, contextlib.suppress(OSError):
        while out.write(b"\0" * 4096):
            continue
    try:
        yield
    finally:
        filler.unlink()


async def disk_full(place, archive):
    if os.geteuid() != 0:
        print("a small disk cannot be mounted without being root: skipped")
        return
    disk = place.folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0755", "tmpfs", disk], check=True)
    try:
        server = server_of(place, disk, archive=archive)
        ann, bob, carol = await people(server)
        await before(ann, bob)
        many = [f"full-{n}" for n in range(60)]
        with full(disk):
            for body in many:
                ann.say("carol", body, 8000)
            ann.say("bob", "live")
            await soon(lambda: "live" in bob.got)
            await soon(lambda: set(many) <= {*ann.refused, *ann.taken})
            assert ann.refused, "nothing was refused on a full disk"
            assert {error for error in ann.refused.values()} == {("wait", ERRORS + "resource-constraint")}, ann.refused
            assert "live" not in ann.refused, "what somebody has got is not refused"
        await soon(lambda: ann.settled(*many, "live"))
        await after(ann, bob, carol, server)
    finally:
        statuses = [branch.stop() for branch in place.branches]
        subprocess.run(["umount", "-l", disk], check=True)
    assert statuses == [0], "hansad did not leave in order"


async def test_disk_full_with_archive(place):
    await disk_full(place, "always")


async def test_disk_full_without_archive(place):
    await disk_full(place, "never")


@contextlib.asynccontextmanager
async def stalled(place):
    """A disk that answers no more, and what ann sent to somebody who is away and to somebody who is there."""
    stall = place.folder / "stall"
    server = server_of(place, place.folder, power(1, stall=stall))
    ann, bob, carol = await people(server)
    await before(ann, bob)
    stall.touch()
    try:
        asked = time.monotonic()
        ann.say("carol", "stalled")
        ann.say("bob", "live")
        await soon(lambda: "live" in bob.got)
        assert time.monotonic() - asked < 1, "delivery waited for the store"
        assert not ann.settled("stalled"), "acknowledged, though nobody has it"
        yield ann, asked
    finally:
        stall.unlink()
    await soon(lambda: ann.settled("stalled", "live"))
    assert "live" not in ann.refused
    await after(ann, bob, carol, server)


async def test_store_stalled_for_a_moment(place):
    async with stalled(place) as (ann, _):
        await asyncio.sleep(2)
        assert not ann.taken[2:] and not ann.refused
    assert not ann.refused


async def test_store_stalled_for_long(place):
    """Who sent what nobody can take is told, and it is the right error."""
    async with stalled(place) as (ann, asked):
        await soon(lambda: "stalled" in ann.refused)
        waited = time.monotonic() - asked
        assert PATIENCE[0] < waited < PATIENCE[1], f"told after {waited:.1f} s"
        assert ann.refused == {"stalled": ("wait", ERRORS + "resource-constraint")}, ann.refused


ASKED = {
    "contact": "<iq type='set' id='contact'><query xmlns='jabber:iq:roster'><item jid='dave@rig.example'/></query></iq>",
    "request": "<presence type='subscribe' id='request' to='erin@rig.example'/>",
    "note": "<iq type='set' id='note'><query xmlns='jabber:iq:private'><note xmlns='urn:example:note'/></query></iq>",
}


async def test_requests_while_it_hangs(place):
    """Who asks for something that must be kept is told, and it does not happen later."""
    async with stalled(place) as (ann, _):
        for asked in ASKED.values():
            ann.send(asked)
        await soon(lambda: set(ASKED) <= set(ann.refused))
        errors = {ann.refused[asked] for asked in ASKED}
        assert errors == {("wait", ERRORS + "resource-constraint")}, ann.refused
        ann.send("<iq type='get' id='contacts'><query xmlns='jabber:iq:roster'/></iq>")
        await soon(lambda: "contacts" in ann.answers)
        assert len(ann.answers["contacts"][0]) == 0, "a contact that was refused is there"


async def test_left_while_it_hangs(place):
    """The server ends, says what it gives up, and what nobody was promised is sent again."""
    stall = place.folder / "stall"
    server = server_of(place, place.folder, power(1, stall=stall))
    ann, bob, carol = await people(server)
    await before(ann, bob)
    stall.touch()
    try:
        ann.say("carol", "stalled")
        ann.say("bob", "live")
        await soon(lambda: "live" in bob.got)
        asked = time.monotonic()
        assert await asyncio.to_thread(server.stop) == 0, server.errors()[-500:]
        waited = time.monotonic() - asked
    finally:
        stall.unlink()
    assert waited < LEAVING, f"left after {waited:.1f} s"
    assert "store hangs and is left" in server.log()
    assert not ann.settled("stalled") and not ann.settled("live"), "acknowledged, though it was given up"
    server.start()
    await ann.begin()
    await carol.begin()
    await soon(lambda: ann.settled("stalled", "live"))
    await soon(lambda: "stalled" in ann.refused or "stalled" in carol.got)
    await ann.leave()
    await carol.leave()


if __name__ == "__main__":
    if os.geteuid() == 0 and "HANSA_OWN_MOUNTS" not in os.environ:
        os.execvpe("unshare", ["unshare", "-m", sys.executable, "-W", "ignore", *sys.argv],
                   {**os.environ, "HANSA_OWN_MOUNTS": "yes"})
    run(globals())
