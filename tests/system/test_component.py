# SPDX-License-Identifier: MIT
"""Components: a stock library attaches, serves, is refused, is replaced, and is missed."""
import asyncio
import hashlib
import subprocess
import sys
import time

from harness import BUILD, Person, ROOT, Raw, eventually, run, soon
from sasl import bound

SECRET = "a-long-enough-secret"
BOT = f'component "bot.north.example" {{ secret = "{SECRET}"  name = "Bot" }}\n'
HEADER = ("<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' "
          "to='{}'>")


def start_bot(place, branch):
    bot = place.keep(subprocess.Popen(
        [sys.executable, "-W", "ignore", ROOT / "docs/demo/bot.py", "bot.north.example", SECRET, branch.address,
         str(branch.component)], stdout=subprocess.PIPE, text=True))
    assert "is attached" in bot.stdout.readline()
    return bot


def attach(branch, domain="bot.north.example", secret=SECRET):
    raw = Raw(branch.address, branch.component).send(HEADER.format(domain))
    head = raw.expect(">") if "?>" not in raw.got.decode() else ""
    while "<stream:stream" not in head or not head.endswith(">"):
        head += raw.expect(">")
    stream_id = head.split(" id='")[1].split("'")[0]
    return raw.send(f"<handshake>{hashlib.sha1((stream_id + secret).encode()).hexdigest()}</handshake>")


async def test_bot_answers_and_its_absence_is_said(place):
    north = place.branch(more=BOT)
    ann = await Person(north.add_user("ann", "secret-of-ann"), "secret-of-ann", north).log_in()
    ann.send_message(mto="x@bot.north.example", mbody="too early", mtype="chat")
    bounced = await ann.wait_for("error", lambda m: m["from"].bare == "x@bot.north.example")
    assert bounced["error"]["condition"] == "remote-server-timeout"
    bot = start_bot(place, north)
    ann.send_message(mto="x@bot.north.example", mbody="hello", mtype="chat")
    await ann.message("HELLO")
    items = await ann.plugin["xep_0030"].get_items("north.example")
    assert "bot.north.example" in [jid for jid, _, _ in items["disco_items"]["items"]]
    bot.terminate()
    bot.wait()
    await soon(lambda: north.ask("component", "list")[0]["state"] == "not attached")
    ann.send_message(mto="x@bot.north.example", mbody="too late", mtype="chat")
    await ann.wait_for("error", lambda m: m["body"] == "too late")
    await ann.leave()


def test_wrong_secret(place):
    north = place.branch(more=BOT)
    assert "not-authorized" in attach(north, secret="wrong-wrong-wrong-wrong").expect_close()
    assert "the handshake does not match" in north.log()


def test_short_secret(place):
    north = place.branch()
    north.configure(BOT.replace(SECRET, "fifteen-letters"))
    checked = subprocess.run([BUILD / "hansad", "-t", "-c", north.folder / "hansa.conf"], capture_output=True, text=True)
    assert checked.returncode == 1 and "at least 16 characters" in checked.stderr, checked


def test_unknown_name(place):
    north = place.branch(more=BOT)
    raw = Raw(north.address, north.component).send(HEADER.format("other.north.example"))
    assert "host-unknown" in raw.expect_close()


def test_stanza_before_handshake(place):
    north = place.branch(more=BOT)
    raw = Raw(north.address, north.component).send(HEADER.format("bot.north.example"))
    raw.expect("<stream:stream")
    raw.send("<message from='bot.north.example' to='ann@north.example'><body>x</body></message>")
    assert "not-authorized" in raw.expect_close()


def test_from_of_another_domain(place):
    north = place.branch(more=BOT)
    for forged in ("ann@north.example", "bot.north.example.evil.example", "xbot.north.example"):
        raw = attach(north)
        raw.expect("<handshake/>")
        raw.send(f"<message from='{forged}' to='ann@north.example'><body>x</body></message>")
        assert "invalid-from" in raw.expect_close(), forged
        eventually(lambda: north.ask("component", "list")[0]["state"] == "not attached")
    assert "from must be an address of the component" in north.log()


def test_what_is_too_large_when_written(place):
    """256 kB of apostrophes are 1.5 MB of &apos; : refused to their sender, the component goes on."""
    north = place.branch(more=BOT)
    north.add_user("ann", "secret-of-ann")
    component = attach(north)
    component.expect("<handshake/>")
    ann = bound(north, "ann")
    ann.send("<message id='big' to='x@bot.north.example'><body>" + "'" * 250_000 + "</body></message>")
    assert "policy-violation" in ann.expect("</message>")
    ann.send("<message to='x@bot.north.example'><body>small</body></message>")
    assert "small" in component.expect("</message>")


def test_a_component_that_does_not_read(place):
    """It keeps its connection; what it cannot take goes back, and reading it goes on."""
    north = place.branch(more=BOT + "limits { unsent = 256kB  client-rate = 0 }\n")
    north.add_user("ann", "secret-of-ann")
    component, ann = attach(north), bound(north, "ann")
    component.expect("<handshake/>")
    big = "<message id='{}' to='x@bot.north.example/" + "&apos;" * 900 + "'><body>" + "x" * 100_000 + "</body></message>"
    for n in range(100):
        ann.send(big.format(n))
    assert "resource-constraint" in ann.expect("</message>")
    component.send("<iq type='get' id='still' from='bot.north.example' to='north.example'>"
                   "<ping xmlns='urn:xmpp:ping'/></iq>").expect("id='still'")
    ann.send("<message to='x@bot.north.example'><body>again</body></message>")
    component.expect("<body>again</body>")


def test_faulty_requests_and_forged_claims(place):
    north = place.branch(more=BOT)
    north.add_user("ann", "secret-of-ann")
    component, ann = attach(north), bound(north, "ann")
    component.expect("<handshake/>")
    component.send("<iq type='frobnicate' id='1' from='bot.north.example' to='south.example'/>")
    assert "bad-request" in component.expect("</iq>")
    component.send("<message from='bot.north.example' id='2' to='ann@'><body>x</body></message>")
    assert "jid-malformed" in component.expect("</message>")
    component.send("<message from='bot.north.example' to='ann@north.example/raw' type='chat'><body>x</body>"
                   "<stanza-id xmlns='urn:xmpp:sid:0' by='ann@north.example' id='forged'/></message>")
    assert "forged" not in ann.expect("</message>")


def test_waiting_for_the_handshake(place):
    """Ten seconds, whatever comes; and beyond the limit of an address nothing is read."""
    north = place.branch(more=BOT + "limits { unauthenticated-per-address = 3 }\n")
    began = time.monotonic()
    idle = [Raw(north.address, north.component, 1).send(HEADER.format("bot.north.example")) for _ in range(4)]
    answered = 0
    for raw in idle:
        try:
            raw.expect("<stream:stream")
            answered += 1
        except TimeoutError:
            pass
        raw.socket.settimeout(20)
    assert answered == 3, answered
    for raw in idle:
        raw.expect_close()
    assert 9 < time.monotonic() - began < 20
    attach(north).expect("<handshake/>")


def test_second_connection(place):
    north = place.branch(more=BOT)
    first = attach(north)
    first.expect("<handshake/>")
    assert "conflict" in attach(north).expect_close()
    assert north.ask("component", "list")[0]["state"] == "attached"
    north.configure(BOT.replace("name =", "conflict = replace  name ="))
    north.ctl("reload")
    second = attach(north)
    second.expect("<handshake/>")
    assert "conflict" in first.expect_close()
    assert north.ask("component", "list")[0]["state"] == "attached"


def test_removed_by_reload(place):
    north = place.branch(more=BOT)
    raw = attach(north)
    raw.expect("<handshake/>")
    north.configure("")
    north.ctl("reload")
    assert "host-gone" in raw.expect_close()


async def test_component_name_never_reaches_dns(place):
    from harness import Dns
    dns = Dns("127.0.0.9")
    north = place.branch(more=BOT + f'dns {{ servers = {{ "{dns.address}:{dns.port}" }} }}\n')
    ann = await Person(north.add_user("ann", "secret-of-ann"), "secret-of-ann", north).log_in()
    ann.send_message(mto="x@bot.north.example", mbody="anyone?", mtype="chat")
    await ann.wait_for("error", lambda m: m["body"] == "anyone?")
    assert not [name for name in dns.asked if "bot" in name], dns.asked
    await ann.leave()
    dns.close()


if __name__ == "__main__":
    run(globals())
