# SPDX-License-Identifier: MIT
"""Older and smaller clients in a terminal: mcabber (loudmouth), poezio, finch (libpurple), and sendxmpp on the command line."""
import asyncio
import os
import shutil
import subprocess

from harness import Person, run, soon
from terminal import Terminal

ARCHIVE = "journal { archive = always }\n"

MCABBER = """\
set jid = ann@north.example
set password = secret-of-ann
set server = {address}
set port = {port}
set tls = 1
set ssl_ignore_checks = 1
set roster_width = 20
"""

POEZIO = """\
[Poezio]
jid = ann@north.example/poezio
password = secret-of-ann
custom_host = {address}
custom_port = {port}
ca_cert_path = {folder}/cert.pem
ignore_certificate = true
force_remote_bookmarks = false
use_remote_bookmarks = false
"""

FINCH = """\
<?xml version='1.0' encoding='UTF-8' ?>
<account version='1.0'><account>
<protocol>prpl-jabber</protocol><name>ann@north.example/finch</name><password>secret-of-ann</password>
<settings>
<setting name='connect_server' type='string'>{address}</setting>
<setting name='port' type='int'>{port}</setting>
<setting name='connection_security' type='string'>require_tls</setting>
</settings>
<settings ui='gnt-purple'><setting name='auto-login' type='bool'>1</setting></settings>
</account></account>
"""


async def people(place):
    north = place.branch(more=ARCHIVE)
    for name in ("ann", "bob"):
        north.add_user(name, f"secret-of-{name}")
    return north, await Person("bob@north.example", "secret-of-bob", north).log_in()


def configured(north, folder, name, text):
    folder.mkdir(parents=True)
    (folder / name).write_text(text.format(address=north.address, port=north.c2s, folder=north.folder))
    (folder / name).chmod(0o600)
    folder.chmod(0o700)


def as_nobody(home):
    """Poezio does not run as root."""
    if os.geteuid() != 0:
        return []
    for path in (home, *home.rglob("*")):
        os.chown(path, 65534, 65534)
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


async def comes_and_goes(north, terminal, sessions):
    """Waits until that many are logged in."""
    try:
        await soon(lambda: len(north.ask("session", "list")) == sessions)
    except AssertionError:
        raise AssertionError(f"not {sessions} sessions; the screen is:\n{terminal.screen()}") from None


async def test_mcabber(place):
    north, bob = await people(place)
    home = place.folder / "mcabber"
    configured(north, home / ".mcabber", "mcabberrc", MCABBER)
    ann = Terminal(place, "mcabber", ["mcabber"])
    await comes_and_goes(north, ann, 2)
    bob.send_message(mto="ann@north.example", mbody="from bob", mtype="chat")
    await ann.see("#{?} bob@north")
    ann.type("/roster unread_first")
    ann.key("Enter")
    await ann.see("from bob")
    ann.type("an answer")
    await bob.message("an answer", "ann@north.example")
    ann.type("/authorization request bob@north.example")
    await bob.wait_for("presence_subscribe", lambda p: p["from"].bare == "ann@north.example")
    await ann.see("has allowed you to receive their presence updates", "{o} bob@north")
    ann.type("/quit")
    await comes_and_goes(north, ann, 1)
    await bob.leave()


async def test_poezio(place):
    north, bob = await people(place)
    configured(north, place.folder / "poezio" / "config" / "poezio", "poezio.cfg", POEZIO)
    for n in range(5):
        bob.send_message(mto="ann@north.example", mbody=f"waiting {n}", mtype="chat")
    ann = Terminal(place, "poezio", [*as_nobody(place.folder / "poezio"), "poezio"])
    await comes_and_goes(north, ann, 2)
    await ann.see("1.bob")
    ann.key("C-n")
    await ann.see("waiting 0", "waiting 4")
    ann.type("an answer")
    await bob.message("an answer", "ann@north.example")
    ann.type("/quit")
    await comes_and_goes(north, ann, 1)
    await bob.leave()


async def test_finch(place):
    north, bob = await people(place)
    purple = place.folder / "finch" / ".purple"
    configured(north, purple, "accounts.xml", FINCH)
    peers = purple / "certificates" / "x509" / "tls_peers"
    peers.mkdir(parents=True)
    shutil.copy(north.folder / "cert.pem", peers / north.address)
    ann = Terminal(place, "finch", ["finch"])
    await comes_and_goes(north, ann, 2)
    bob.send_message(mto="ann@north.example", mbody="from bob", mtype="chat")
    await ann.see("from bob")
    ann.key("M-n")
    ann.type("an answer")
    await bob.message("an answer", "ann@north.example")
    await bob.leave()
    ann.close()


async def test_sendxmpp(place):
    """It finds a host by the system's resolver, so the host is this machine."""
    here = place.branch("localhost", "127.0.0.1")
    ann = await Person(here.add_user("ann", "secret-of-ann"), "secret-of-ann", here).log_in()
    here.add_user("bob", "secret-of-bob")
    for port, kind in ((here.c2s, "--tls"), (here.c2s_tls, "--ssl")):
        sender = await asyncio.create_subprocess_exec(
            "sendxmpp", "-u", "bob", "-j", f"localhost:{port}", "-o", "localhost", "-p", "secret-of-bob", kind,
            "--no-tls-verify", "ann@localhost", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said, _ = await sender.communicate(f"by {kind}\n".encode())
        assert sender.returncode == 0, said
        await ann.wait_for("message", lambda m: m["body"].strip() == f"by {kind}")
    await ann.leave()


if __name__ == "__main__":
    run(globals())
