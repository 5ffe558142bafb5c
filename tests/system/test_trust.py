# SPDX-License-Identifier: MIT
"""How branches prove who they are: certificates of an authority, pinned keys, dialback; and each certificate that is wrong
is refused just where policy says so, with a reason that names what is wrong."""
import asyncio
import ssl

from authority import DAY, Authority
from harness import Dns, Person, Raw, run

PEER = 'peer "{}" {{ address = {{ "{}:5269" }}  {} }}\n'


async def soon(true, seconds=20):
    for _ in range(seconds * 20):
        if true():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("did not come true")


def two_branches(place, policy="", dns=False):
    """North at 127.0.0.2 and south at 127.0.0.3, which know each other by configuration alone."""
    more = ""
    if dns:
        server = Dns("127.0.0.8")
        server.branch("north.example", "127.0.0.2")
        server.branch("south.example", "127.0.0.3")
        more = f'dns {{ servers = {{ "{server.address}:{server.port}" }} }}\n'
    north = place.branch("north.example", "127.0.0.2", more + PEER.format("south.example", "127.0.0.3", policy))
    south = place.branch("south.example", "127.0.0.3", more + PEER.format("north.example", "127.0.0.2", policy))
    return north, south


def agree(branch, peer, address, policy):
    branch.configure(PEER.format(peer, address, policy))
    branch.ctl("reload")


async def two_people(north, south):
    ann = await Person(north.add_user("ann", "secret-of-ann"), "secret-of-ann", north).log_in()
    bob = await Person(south.add_user("bob", "secret-of-bob"), "secret-of-bob", south).log_in()
    return ann, bob


async def talk(ann, bob, words):
    ann.send_message(mto="bob@south.example", mbody=words, mtype="chat")
    await bob.message(words)
    bob.send_message(mto="ann@north.example", mbody=words + ", too", mtype="chat")
    await ann.message(words + ", too")


def shown(branch, peer, direction):
    return [row for row in branch.ask("peer", "show", peer) if row["direction"] == direction][0]


def signed(place, north, south):
    """Both show certificates of one authority."""
    authority = Authority()
    ca = authority.write(place.folder / "ca.pem")
    for branch in north, south:
        authority.sign_for(branch.folder, branch.domain)
    return authority, ca


async def test_an_authority_of_their_own(place):
    north, south = two_branches(place)
    ann, bob = await two_people(north, south)
    authority, ca = signed(place, north, south)
    policy = f'authentication = {{ ca }}  ca = "{ca}"'
    agree(north, "south.example", "127.0.0.3", policy)
    agree(south, "north.example", "127.0.0.2", policy)
    await talk(ann, bob, "signed")
    for branch, peer in (north, "south.example"), (south, "north.example"):
        out, back = shown(branch, peer, "out"), shown(branch, peer, "in")
        assert (out["proven by"], out["we prove by"], back["proven by"]) == ("ca", "external", "ca"), (out, back)
        assert out["certificate until"] == back["certificate until"] and len(out["pin"]) == 44
        assert "dialback" not in branch.log()
    await ann.leave()
    await bob.leave()


async def test_pinned_keys(place):
    """Self-signed certificates, expired even: the key is known, so nobody else can stand there."""
    north, south = two_branches(place)
    ann, bob = await two_people(north, south)
    pins = [Authority("self").sign_for(branch.folder, "somewhere.else", until=-DAY / 24) for branch in (north, south)]
    agree(north, "south.example", "127.0.0.3", f'authentication = {{ pin }}  pins = {{ "{pins[1]}" }}')
    agree(south, "north.example", "127.0.0.2", f'authentication = {{ pin }}  pins = {{ "{"A" * 43}=", "{pins[0]}" }}')
    await talk(ann, bob, "pinned")
    assert shown(north, "south.example", "out")["proven by"] == "pin"
    assert shown(north, "south.example", "out")["pin"] == pins[1]
    # A change of the policy closes what it no longer allows.
    agree(south, "north.example", "127.0.0.2", f'authentication = {{ pin }}  pins = {{ "{"A" * 43}=" }}')
    await soon(lambda: not [row for row in south.ask("peer", "list") if row["direction"] == "in"])
    bob.send_message(mto="ann@north.example", mbody="who is there?", mtype="chat")
    await soon(lambda: shown(south, "north.example", "out").get("error") == "untrusted")
    assert "key" in shown(south, "north.example", "out")["reason"]
    assert not [m for kind, m in ann.arrived if kind == "message" and m["body"] == "who is there?"]
    await ann.leave()
    await bob.leave()


async def refused(place, make, words, error="certificate", policy='authentication = {{ ca }}  ca = "{ca}"'):
    """South shows what make() wrote; north neither sends to it nor takes anything of it, and says why."""
    north, south = two_branches(place)
    ann, bob = await two_people(north, south)
    authority, ca = signed(place, north, south)
    make(authority, south)
    agree(north, "south.example", "127.0.0.3", policy.format(ca=ca))
    agree(south, "north.example", "127.0.0.2", "authentication = { dialback }")
    ann.send_message(mto="bob@south.example", mbody="is it you?", mtype="chat")
    bob.send_message(mto="ann@north.example", mbody="it is", mtype="chat")
    await soon(lambda: [r for r in north.ask("peer", "list") if r.get("error") == error])
    reason = shown(north, "south.example", "out")["reason"]
    assert words in reason, reason
    await soon(lambda: shown(south, "north.example", "out").get("error"))
    assert not [m for kind, m in ann.arrived + bob.arrived if kind == "message" and m["type"] == "chat"]
    assert not [r for r in north.ask("peer", "list") if r.get("state") == "verified"]
    await ann.leave()
    await bob.leave()


async def test_expired(place):
    await refused(place, lambda authority, south: authority.sign_for(south.folder, south.domain, until=-DAY / 24), "expired")


async def test_not_yet_valid(place):
    await refused(place, lambda authority, south: authority.sign_for(south.folder, south.domain, since=DAY),
                  "not valid yet")


async def test_another_name(place):
    await refused(place, lambda authority, south: authority.sign_for(south.folder, "west.example"), "name")


async def test_another_authority(place):
    await refused(place, lambda authority, south: Authority("Test authority").sign_for(south.folder, south.domain),
                  "its certificate: ca:")


async def test_nobody_in_the_system_knows_it(place):
    await refused(place, lambda authority, south: None, "trusted", "untrusted", "authentication = {{ pki }}")


async def test_dialback_where_a_certificate_proves_nothing(place):
    """The default: a certificate that is good, or else dialback."""
    north, south = two_branches(place, dns=True)
    ann, bob = await two_people(north, south)
    await talk(ann, bob, "by name")
    out = shown(north, "south.example", "out")
    assert (out["proven by"], out["we prove by"]) == ("dns", "dialback"), out
    assert shown(north, "south.example", "in")["proven by"] == "dialback"
    await ann.leave()
    await bob.leave()


async def test_one_side_signed_the_other_not(place):
    """North is known by the authority, south only by its name: each proves itself as it can."""
    north, south = two_branches(place)
    ann, bob = await two_people(north, south)
    authority, ca = signed(place, north, south)
    Authority("self").sign_for(south.folder, south.domain)
    policy = f'authentication = {{ ca, dialback }}  ca = "{ca}"'
    agree(north, "south.example", "127.0.0.3", policy)
    agree(south, "north.example", "127.0.0.2", policy)
    await talk(ann, bob, "as we can")
    assert shown(north, "south.example", "out")["we prove by"] == "external"
    assert shown(north, "south.example", "in")["proven by"] == "dialback"
    assert shown(south, "north.example", "out")["proven by"] == "ca"
    assert shown(south, "north.example", "in")["proven by"] == "ca"
    await ann.leave()
    await bob.leave()


def test_external_without_a_certificate(place):
    """Nothing is offered to one who shows none, and asking for it all the same is answered, three times at most."""
    north = place.branch()
    raw = Raw(north.address, north.s2s)
    header = ("<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "
              "from='south.example' to='north.example' version='1.0'>")
    raw.send(header).expect("<starttls")
    raw.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").expect("<proceed")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    raw.socket, raw.got = context.wrap_socket(raw.socket), b""
    assert "mechanism" not in raw.send(header).expect("</stream:features>")
    for _ in range(3):
        raw.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>").expect("not-authorized")
    raw.expect_close()


if __name__ == "__main__":
    run(globals())
