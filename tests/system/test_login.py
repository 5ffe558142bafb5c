# SPDX-License-Identifier: MIT
"""Stock clients log in: slixmpp over STARTTLS and direct TLS with each mechanism, go-sendxmpp; and who must not."""
import asyncio
import subprocess
import time

from harness import Person, Raw, eventually, run, soon
from sasl import log_in_with, secured

PLAIN = 'host "second.example" { }\n'


async def test_starttls_and_direct_tls(place):
    north = place.branch()
    ann = north.add_user("ann", "secret-of-ann")
    for direct in (False, True):
        person = Person(ann, "secret-of-ann", north, direct_tls=direct)
        await person.log_in()
        assert person.boundjid.bare == ann
        await person.leave()
    await soon(lambda: north.ask("session", "list") == [])


def test_each_mechanism(place):
    """By hand, since stock libraries choose one themselves; slixmpp logs in with its own choice in every other test."""
    north = place.branch()
    north.add_user("ann", "secret-of-ann")
    for mechanism in ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-1", "PLAIN"):
        raw, features = secured(north)
        assert f"<mechanism>{mechanism}</mechanism>" in features
        log_in_with(raw, mechanism, "ann", "secret-of-ann")
    assert north.ask("status")["logins"] == 5


async def test_wrong_password_and_unknown_user_look_alike(place):
    north = place.branch()
    north.add_user("ann", "secret-of-ann")
    for name in ("ann", "nobody"):
        person = Person(f"{name}@north.example", "wrong", north)
        try:
            await person.log_in()
        except RuntimeError:
            pass
        else:
            raise AssertionError(f"{name} logged in with a wrong password")
        person.abort()
    assert north.ask("status")["login failures"] >= 2


async def test_hosts_keep_equal_names_apart(place):
    north = place.branch(more=PLAIN)
    north.add_user("ann", "secret-in-north")
    north.ctl("user", "add", "ann@second.example", password="secret-in-second\n")
    one = await Person("ann@north.example", "secret-in-north", north).log_in()
    two = await Person("ann@second.example", "secret-in-second", north).log_in()
    one.send_message(mto="ann@second.example", mbody="to the other ann", mtype="chat")
    await two.message("to the other ann", "ann@north.example")
    assert not [m for kind, m in one.arrived if kind == "message"]
    stranger = Person("ann@second.example", "secret-in-north", north)
    try:
        await stranger.log_in()
    except RuntimeError:
        stranger.abort()
    else:
        raise AssertionError("a password of one host opened another")
    await one.leave()
    await two.leave()


async def test_go_sendxmpp_sends(place):
    north = place.branch()
    ann, bob = north.add_user("ann", "secret-of-ann"), north.add_user("bob", "secret-of-bob")
    person = await Person(ann, "secret-of-ann", north).log_in()
    sender = await asyncio.create_subprocess_exec(
        "go-sendxmpp", "-n", "-u", bob, "-p", "secret-of-bob", "-j", f"{north.address}:{north.c2s}", ann,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said, _ = await sender.communicate(b"from the command line\n")
    assert sender.returncode == 0, said
    await person.wait_for("message", lambda m: m["body"].strip() == "from the command line")
    await person.leave()


async def test_many_logins_of_one_address(place):
    """The library tries four mechanisms that we refuse before PLAIN: that is no guessing of passwords."""
    north = place.branch()
    ann = north.add_user("ann", "secret-of-ann")
    began = time.monotonic()
    for _ in range(20):
        await (await Person(ann, "secret-of-ann", north).log_in()).leave()
    assert time.monotonic() - began < 15


async def test_new_resource_takes_over(place):
    north = place.branch()
    ann = north.add_user("ann", "secret-of-ann")
    first = await Person(ann + "/desk", "secret-of-ann", north).log_in()
    gone = asyncio.get_event_loop().create_future()
    first.add_event_handler("disconnected", lambda event: gone.done() or gone.set_result(True))
    second = await Person(ann + "/desk", "secret-of-ann", north).log_in()
    await asyncio.wait_for(gone, 20)
    assert [s["session"] for s in north.ask("session", "list")] == [ann + "/desk"]
    await second.leave()


async def test_password_change_and_removal(place):
    north = place.branch()
    ann = north.add_user("ann", "first-secret")
    north.ctl("user", "passwd", ann, password="second-secret\n")
    person = await Person(ann, "second-secret", north).log_in()
    north.ctl("user", "del", ann)
    await soon(lambda: north.ask("session", "list") == [])
    person.abort()
    again = Person(ann, "second-secret", north)
    try:
        await again.log_in()
    except RuntimeError:
        again.abort()
    else:
        raise AssertionError("a removed user logged in")


def test_unknown_host_is_said(place):
    north = place.branch()
    raw = Raw(north.address, north.c2s)
    raw.send("<?xml version='1.0'?><stream:stream to='elsewhere.example' version='1.0' xmlns='jabber:client' "
             "xmlns:stream='http://etherx.jabber.org/streams'>")
    assert "host-unknown" in raw.expect_close()


async def test_the_log_follows_a_connection(place):
    """One name from the first header to the end, and at the level info nothing that went as it should but these two."""
    north = place.branch(level="debug")
    ann = north.add_user("ann", "secret-of-ann")
    person = await Person(ann, "secret-of-ann", north).log_in()
    await person.leave()
    await soon(lambda: "client closed" in north.log())
    lines = [line.split() for line in north.log().splitlines()]
    lines = [line for line in lines if line[3] in ("client", "session", "login")]
    assert len({line[2] for line in lines}) == 1, north.log()
    info = [" ".join(line[3:5]) for line in lines if line[1] == "info"]
    assert info == ["session bound", "client closed"], info


def test_the_log_says_what_was_no_xmpp(place):
    north = place.branch()
    Raw(north.address, north.c2s).send(b"\x16\x03\x01\x00\x05").expect_close()
    eventually(lambda: 'reason="TLS where a stream begins in clear"' in north.log())
    Raw(north.address, north.c2s_tls).send("<stream:stream xmlns='jabber:client'>").expect_close()
    eventually(lambda: 'reason="no TLS where TLS begins"' in north.log())


if __name__ == "__main__":
    run(globals())
