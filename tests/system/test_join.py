# SPDX-License-Identifier: MIT
"""hansactl peer invite and peer join: two branches that know nothing of each other, without DNS and without an authority."""
import base64
import json
import ssl

from authority import Authority
from harness import Person, Raw, run

NORTH, SOUTH = "127.0.0.2", "127.0.0.3"
# Nobody is allowed, and no name server answers.
ALONE = 'include("conf.d/*.conf")\npeer "*" { allow = no }\ndns { servers = { "127.0.0.8:9" } }\n'
STEPS = ["policy", "dns", "connect", "tls", "certificate"]


def two_branches(place, more=ALONE):
    return place.branch("north.example", NORTH, more), place.branch("south.example", SOUTH, more)


def invite(branch, *words):
    return branch.ask("peer", "invite", *words)["token"]


def join(branch, token, *words):
    """The exit status, the steps and the sentence."""
    done = branch.ctl("--json", "peer", "join", token, *words, check=False)
    return done.returncode, json.loads(done.stdout or "[]"), done.stderr


def own_file(branch, peer):
    path = branch.folder / "conf.d" / f"peer-{peer}.conf"
    return path.read_text() if path.exists() else None


def plain(token):
    return base64.b64decode(token).decode().split(" ")


def changed(token, number, word):
    words = plain(token)
    words[number] = word
    return base64.b64encode(" ".join(words).encode()).decode()


async def test_two_branches_join(place):
    north, south = two_branches(place)
    before = [(branch.folder / "hansa.conf").read_text() for branch in (north, south)]
    token = invite(north, "south.example")
    assert plain(token)[1:3] == ["north.example", f"{NORTH}:5269"], plain(token)
    status, rows, said = join(south, token)
    assert status == 0 and not said, (rows, said)
    assert [row["step"] for row in rows] == STEPS + ["join", "configuration"] + STEPS + ["authentication", "ping"], rows
    assert {row["result"] for row in rows} == {"ok"}, rows
    assert f'"{SOUTH}:5269"' in own_file(north, "south.example") and "pin" in own_file(north, "south.example")
    assert f'"{NORTH}:5269"' in own_file(south, "north.example") and plain(token)[3] in own_file(south, "north.example")
    assert before == [(branch.folder / "hansa.conf").read_text() for branch in (north, south)]
    assert [p.name for p in (north.folder / "conf.d").iterdir()] == ["peer-south.example.conf"]
    # They are linked, by their keys alone, also after a restart.
    assert north.stop() == 0
    north.start()
    ann = await Person(north.add_user("ann", "secret-of-ann"), "secret-of-ann", north).log_in()
    bob = await Person(south.add_user("bob", "secret-of-bob"), "secret-of-bob", south).log_in()
    ann.send_message(mto="bob@south.example", mbody="joined", mtype="chat")
    await bob.message("joined")
    bob.send_message(mto="ann@north.example", mbody="both ways", mtype="chat")
    await ann.message("both ways")
    for branch in north, south:
        assert {row["proven by"] for row in branch.ask("peer", "list")} == {"pin"}, branch.ask("peer", "list")
    await ann.leave()
    await bob.leave()


def refused(branch, token, *words):
    """The join fails, says why, and leaves nothing behind."""
    status, rows, said = join(branch, token)
    assert status == 1 and all(word in said for word in words), (rows, said)
    assert own_file(branch, plain(token)[1]) is None
    return rows


def test_a_token_is_good_once(place):
    north, south = two_branches(place)
    first = invite(north, "south.example")
    token = invite(north, "south.example")
    assert refused(south, first, "does not take the token", "replaced")[-1]["step"] == "join"
    refused(south, changed(token, 4, "A" * 22), "does not take the token")
    assert join(south, token)[0] == 0
    (south.folder / "conf.d" / "peer-north.example.conf").unlink()
    south.ctl("reload")
    refused(south, token, "does not take the token", "was used")


def test_a_token_is_for_one_domain(place):
    north, south = two_branches(place)
    refused(south, invite(north, "west.example"), "does not take the token", "not for this domain")


def test_what_is_no_token(place):
    south = place.branch("south.example", SOUTH, ALONE)
    good = base64.b64encode(b"hansa1 north.example 127.0.0.2:5269 " + b"A" * 43 + b"= " + b"B" * 22).decode()
    for token in ("", "hansa1", "====", base64.b64encode(b"hansa1 x").decode(), good[:-4], changed(good, 0, "hansa2"),
                  changed(good, 1, 'a"b'), changed(good, 2, '127.0.0.2:5269"'), changed(good, 2, "x\n:5269"),
                  changed(good, 3, "A" * 44), changed(good, 4, "B" * 23)):
        status, _, said = join(south, token)
        assert status == 1 and "no token" in said, (token, said)
    assert "served here" in join(south, changed(good, 1, "south.example"))[2]
    refused(south, good, "no server listens there")


def test_somebody_else_at_the_address(place):
    """The token's key is asked for before the secret is said."""
    north, south = two_branches(place)
    token = invite(north, "south.example")
    Authority("self").sign_for(north.folder, "north.example")
    north.ctl("reload")
    rows = refused(south, token, "nothing here vouches for")
    assert rows[-1]["step"] == "certificate" and own_file(north, "south.example") is None


def test_a_new_key(place):
    """Who has joined before joins again, by the same files."""
    north, south = two_branches(place)
    assert join(south, invite(north, "south.example"))[0] == 0
    pin = Authority("self").sign_for(north.folder, "north.example")
    north.ctl("reload")
    assert south.ctl("peer", "test", "north.example", check=False).returncode == 1
    assert join(south, invite(north, "south.example"))[0] == 0
    assert pin in own_file(south, "north.example")


def test_files_of_the_administrator(place):
    north, south = two_branches(place, ALONE.replace('include("conf.d/*.conf")', ""))
    said = north.ctl("peer", "invite", "south.example", check=False).stderr
    assert "would not be read" in said and 'add include("conf.d/*.conf")' in said, said
    north.configure(ALONE + 'peer "south.example" { }\n')
    north.ctl("reload")
    assert "already" in north.ctl("peer", "invite", "south.example", check=False).stderr
    north.configure(ALONE)
    north.ctl("reload")
    token = invite(north, "south.example")
    refused(south, token, "would not be read")
    south.configure(ALONE)
    south.ctl("reload")
    # What the administrator is about to break is not made worse.
    north.configure(ALONE + "nonsense {\n")
    refused(south, token, "does not take the token", "hansa.conf")
    assert own_file(north, "south.example") is None
    north.configure(ALONE)
    (north.folder / "conf.d").rmdir()
    (north.folder / "conf.d").write_text("no folder")
    refused(south, invite(north, "south.example"), "cannot be written")


def test_where_we_are(place):
    north = place.branch("north.example", NORTH, ALONE)
    assert plain(invite(north, "south.example", "xmpp.north.example:5270"))[2] == "xmpp.north.example:5270"
    assert plain(invite(north, "south.example", "-", "north.example"))[1:3] == ["north.example", f"{NORTH}:5269"]
    for words in (("north.example",), ("so/uth",), ("south.example", 'x"'), ("south.example", "-", "west.example")):
        assert north.ctl("peer", "invite", *words, check=False).returncode in (1, 2), words


JOIN = "<join xmlns='urn:hansa:join:0' domain='{}' address='{}' secret='{}'/>"
HEADER = ("<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' to='north.example' "
          "version='1.0'>")


def stranger(north, certificate=True):
    """Up to where one who joins may speak."""
    raw = Raw(north.address, north.s2s)
    raw.send(HEADER).expect("<starttls")
    raw.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").expect("<proceed")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(north.folder / "cert.pem", north.folder / "key.pem")
    raw.socket, raw.got = context.wrap_socket(raw.socket), b""
    raw.send(HEADER).expect("</stream:features>")
    return raw


def test_strangers_who_join(place):
    north = place.branch("north.example", NORTH, ALONE)
    secret = plain(invite(north, "south.example"))[4]
    good = JOIN.format("south.example", f"{SOUTH}:5269", secret)
    assert "not-authorized" in Raw(NORTH, 5269).send(HEADER + good).expect_close()
    assert "not-authorized" in stranger(north, certificate=False).send(good).expect_close()
    for domain, address in (("south.example", '1.2.3.4:5269" }'), ("south.example", "a b"), ("south.example", ""),
                            ("north.example", f"{SOUTH}:5269"), ("so/uth", f"{SOUTH}:5269")):
        answer = stranger(north).send(JOIN.format(domain, address.replace('"', "&quot;"), secret)).expect_close()
        assert "improper-addressing" in answer, (domain, address, answer)
    for wrong in "", "A" * 22, secret + "A", "A" * 5000:
        assert "<refused" in stranger(north).send(JOIN.format("south.example", f"{SOUTH}:5269", wrong)).expect_close()
    # One who does not wait for the answer, and one who asks twice.
    stranger(north).send(JOIN.format("south.example", f"{SOUTH}:5269", "A" * 22)).close()
    twice = JOIN.format("south.example", f"{SOUTH}:5269", "A" * 22)
    assert "not-authorized" in stranger(north).send(twice + twice).expect_close()
    assert own_file(north, "south.example") is None
    assert "<joined" in stranger(north).send(good).expect_close()
    # Nothing else is allowed to one who says no name.
    answer = stranger(north).send("<message from='x@south.example' to='ann@north.example'/>").expect_close()
    assert "not-authorized" in answer, answer


if __name__ == "__main__":
    run(globals())
