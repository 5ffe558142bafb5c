# SPDX-License-Identifier: MIT
"""Two branches: they find each other by SRV records, link by dialback over TLS, and lose nothing quietly."""
import asyncio

from harness import Dns, Person, Raw, run


def two_branches(place, north_more="", south_more=""):
    dns = Dns("127.0.0.8")
    where = f'dns {{ servers = {{ "{dns.address}:{dns.port}" }} }}\n'
    north = place.branch("north.example", "127.0.0.2", where + north_more)
    south = place.branch("south.example", "127.0.0.3", where + south_more)
    dns.branch("north.example", north.address, north.s2s)
    dns.branch("south.example", south.address, south.s2s)
    return dns, north, south


async def soon(true, seconds=20):
    """Waits until true() holds, while the people go on living."""
    for _ in range(seconds * 20):
        if true():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("did not come true")


async def two_people(north, south):
    ann = await Person(north.add_user("ann", "secret-of-ann"), "secret-of-ann", north).log_in()
    bob = await Person(south.add_user("bob", "secret-of-bob"), "secret-of-bob", south).log_in()
    return ann, bob


async def test_messages_keep_their_order_while_the_link_comes_up(place):
    dns, north, south = two_branches(place)
    ann, bob = await two_people(north, south)
    for n in range(200):
        ann.send_message(mto="bob@south.example", mbody=f"number {n}", mtype="chat")
    await bob.message("number 199")
    got = [m["body"] for kind, m in bob.arrived if kind == "message"]
    assert got == [f"number {n}" for n in range(200)]
    bob.send_message(mto="ann@north.example", mbody="thank you", mtype="chat")
    await ann.message("thank you")
    link = [p for p in north.ask("peer", "list") if p["peer"] == "south.example"]
    assert link, north.ask("peer", "list")
    await ann.leave()
    await bob.leave()


async def test_subscription_and_iq(place):
    dns, north, south = two_branches(place)
    ann, bob = await two_people(north, south)
    ann.send_presence_subscription(pto="bob@south.example", ptype="subscribe")
    await ann.wait_for("presence_subscribed", lambda p: p["from"].bare == "bob@south.example")
    await ann.wait_for("presence_available", lambda p: p["from"].bare == "bob@south.example")
    info = await ann.plugin["xep_0030"].get_info("south.example")
    assert ("server", "im") in [(i[0], i[1]) for i in info["disco_info"]["identities"]]
    assert await ann.plugin["xep_0199"].ping("bob@south.example/" + bob.boundjid.resource) is not None
    await bob.leave()
    await ann.wait_for("presence_unavailable", lambda p: p["from"].bare == "bob@south.example")
    await ann.leave()


SERVER_TLS = 'listen "servers-tls" {{ kind = server-tls  address = "{}"  port = 5270 }}\n'


async def test_tls_from_the_first_byte(place):
    """XEP-0368: the DNS says so on one side, the configuration on the other; STARTTLS is nowhere to be had."""
    dns = Dns("127.0.0.8")
    where = f'dns {{ servers = {{ "{dns.address}:{dns.port}" }} }}\n'
    north = place.branch("north.example", "127.0.0.2", where + SERVER_TLS.format("127.0.0.2"))
    south = place.branch("south.example", "127.0.0.3", SERVER_TLS.format("127.0.0.3") +
                         'peer "north.example" { address = { "127.0.0.2:5270" }  direct-tls = yes }\n')
    dns.host("xmpp.south.example", south.address)
    dns.service("south.example", "xmpp.south.example", 5270, service="_xmpps-server._tcp")
    dns.service("south.example", ".", 0)
    ann, bob = await two_people(north, south)
    ann.send_message(mto="bob@south.example", mbody="under TLS", mtype="chat")
    await bob.message("under TLS")
    bob.send_message(mto="ann@north.example", mbody="likewise", mtype="chat")
    await ann.message("likewise")
    for branch in north, south:
        out = [p for p in branch.ask("peer", "list") if p["direction"] == "out"]
        assert [p["tls"] for p in out] == ["TLSv1.3"], out
    raw = Raw(south.address, 5270)
    raw.send("<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' to='south.example'>")
    raw.expect_close()
    await ann.leave()
    await bob.leave()


async def test_domain_that_does_not_exist(place):
    dns, north, south = two_branches(place)
    ann, bob = await two_people(north, south)
    ann.send_message(mto="x@nowhere.example", mbody="anyone?", mtype="chat")
    error = await ann.wait_for("error", lambda m: m["body"] == "anyone?")
    assert error["error"]["condition"] == "remote-server-not-found", error
    dns.service("closed.example", ".", 0)
    ann.send_message(mto="x@closed.example", mbody="closed?", mtype="chat")
    error = await ann.wait_for("error", lambda m: m["body"] == "closed?")
    assert error["error"]["condition"] == "remote-server-not-found", error
    await ann.leave()
    await bob.leave()


async def test_dns_failure_is_not_no_record(place):
    """While DNS fails the message waits; when it is back it arrives."""
    dns, north, south = two_branches(place)
    ann, bob = await two_people(north, south)
    dns.failing.add("_xmpp-server._tcp.south.example")
    ann.send_message(mto="bob@south.example", mbody="patience", mtype="chat")
    await soon(lambda: "_xmpp-server._tcp.south.example" in dns.asked)
    await asyncio.sleep(0.5)
    assert not [m for kind, m in ann.arrived if kind == "error"]
    dns.failing.clear()
    north.ctl("peer", "retry", "south.example")
    await bob.message("patience")
    await ann.leave()
    await bob.leave()


async def test_peer_stops_and_returns(place):
    patience = 'peer "*" { lifetime = 3s }\n'
    dns, north, south = two_branches(place, patience, patience)
    ann, bob = await two_people(north, south)
    ann.send_message(mto="bob@south.example", mbody="one", mtype="chat")
    await bob.message("one")
    bob.abort()
    assert south.stop() == 0
    ann.send_message(mto="bob@south.example", mbody="two", mtype="chat")
    error = await ann.wait_for("error", lambda m: m["body"] == "two")
    assert error["error"]["condition"] == "remote-server-timeout", error
    south.start()
    bob = await Person("bob@south.example", "secret-of-bob", south).log_in()
    north.ctl("peer", "retry", "south.example")
    ann.send_message(mto="bob@south.example", mbody="three", mtype="chat")
    await bob.message("three")
    await ann.leave()
    await bob.leave()


async def test_peer_that_connects_ends_our_back_off(place):
    dns, north, south = two_branches(place)
    ann, bob = await two_people(north, south)
    bob.abort()
    south.stop()
    ann.send_message(mto="bob@south.example", mbody="while you were away", mtype="chat")
    await soon(lambda: [p for p in north.ask("peer", "list") if p["peer"] == "south.example" and p.get("error")])
    south.start()
    bob = await Person("bob@south.example", "secret-of-bob", south).log_in()
    bob.send_message(mto="ann@north.example", mbody="back", mtype="chat")
    await ann.message("back")
    await bob.message("while you were away", seconds=10)
    await ann.leave()
    await bob.leave()


async def test_policy_denies(place):
    dns, north, south = two_branches(place, 'peer "south.example" { allow = no }\n')
    ann, bob = await two_people(north, south)
    ann.send_message(mto="bob@south.example", mbody="forbidden?", mtype="chat")
    error = await ann.wait_for("error", lambda m: m["body"] == "forbidden?")
    assert error["error"]["condition"] == "not-allowed", error
    bob.send_message(mto="ann@north.example", mbody="and back?", mtype="chat")
    await bob.wait_for("error", lambda m: m["body"] == "and back?", seconds=90)
    assert not [m for kind, m in ann.arrived if kind == "message" and m["type"] != "error"]
    await ann.leave()
    await bob.leave()


SERVER_HEADER = ("<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' "
                 "xmlns:stream='http://etherx.jabber.org/streams' from='{}' to='{}' version='1.0'>")
NO_TLS = 'peer "*" { tls = optional  lifetime = 5s }\n'


def test_stanza_of_an_unverified_domain(place):
    dns, north, south = two_branches(place, NO_TLS)
    raw = Raw(north.address, north.s2s).send(SERVER_HEADER.format("evil.example", "north.example"))
    raw.expect("</stream:features>")
    raw.send("<message from='x@evil.example' to='ann@north.example'><body>x</body></message>")
    assert "not-authorized" in raw.expect_close()


def test_forged_dialback_result(place):
    """A result that nobody asked for, on a stream that the peer opened, is believed by nobody."""
    dns, north, south = two_branches(place, NO_TLS)
    raw = Raw(north.address, north.s2s).send(SERVER_HEADER.format("evil.example", "north.example"))
    raw.expect("</stream:features>")
    raw.send("<db:result from='evil.example' to='north.example' type='valid'/>"
             "<message from='x@evil.example' to='ann@north.example'><body>x</body></message>")
    answer = raw.expect_close()
    assert "invalid-from" in answer or "not-authorized" in answer, answer


def test_wrong_dialback_key(place):
    dns, north, south = two_branches(place, NO_TLS)
    raw = Raw(north.address, north.s2s).send(SERVER_HEADER.format("south.example", "north.example"))
    raw.expect("</stream:features>")
    raw.send("<db:result from='south.example' to='north.example'>0123456789abcdef</db:result>")
    answer = raw.expect_close()
    assert "type='invalid'" in answer or 'type="invalid"' in answer, answer


def test_our_own_domain_from_outside(place):
    dns, north, south = two_branches(place, NO_TLS)
    raw = Raw(north.address, north.s2s).send(SERVER_HEADER.format("north.example", "north.example"))
    raw.send("<db:result from='north.example' to='north.example'>0123456789abcdef</db:result>")
    answer = raw.expect_close()
    assert "invalid-from" in answer or "not-authorized" in answer or "not-allowed" in answer, answer


def test_tls_is_required(place):
    dns, north, south = two_branches(place)
    raw = Raw(north.address, north.s2s).send(SERVER_HEADER.format("south.example", "north.example"))
    assert "<required" in raw.expect("</stream:features>")
    raw.send("<db:result from='south.example' to='north.example'>0123456789abcdef</db:result>")
    answer = raw.expect_close()
    assert "type='valid'" not in answer and ("not-authorized" in answer or "policy-violation" in answer), answer


if __name__ == "__main__":
    run(globals())
