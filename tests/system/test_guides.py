# SPDX-License-Identifier: MIT
"""The guides in docs/ as written: their configuration, DNS records and commands are taken from the text, so that a guide
that no longer works fails here. Only what a reader would replace is replaced: addresses, folders, the DNS server's port.
"""
import os
import re
import shlex
import subprocess

from harness import BUILD, ROOT, Branch, Person, run, soon
from knot import Knot

NORTH, SOUTH, DNS = "127.0.0.2", "127.0.0.3", "127.0.0.8"
JOINING = re.compile("hansactl peer (invite|join) ")
OWN = """\
server {{ control = "control.sock" }}
listen "clients" {{ kind = client  address = "{address}" }}
store {{ path = "hansa.db" }}
log {{ target = file  path = "hansad.log" }}
"""


class Guide:
    """The indented blocks of a guide, and the commands that stand in its sentences."""

    def __init__(self, name, **replaced):
        text = (ROOT / "docs" / name).read_text()
        for old, new in replaced.pop("places", {}).items():
            assert old in text, f"{name} does not speak of {old}"
            text = text.replace(old, new)
        self.blocks = [re.sub("^    ", "", block, flags=re.M) for block in re.findall(r"(?:^    .*\n)+", text, re.M)]
        self.inline = re.findall(r"`((?:hansactl|hansad) [^`]*)`", text)
        self.said = re.findall(r"`([^`]*)`", text)

    def block(self, beginning):
        found = [block for block in self.blocks if block.startswith(beginning)]
        assert len(found) == 1, (beginning, self.blocks)
        return found[0]

    def commands(self):
        return self.inline + [line for block in self.blocks for line in block.splitlines()
                              if line.startswith(("hansactl ", "hansad "))]


def command(line, branch):
    """Runs a guide's command as the branch's administrator would; answers what it says."""
    environment = {**os.environ, "PATH": f"{BUILD}:{os.environ['PATH']}",
                   "HANSA_CONTROL": str(branch.folder / "control.sock")}
    done = subprocess.run(line, shell=True, env=environment, cwd=ROOT, text=True, capture_output=True)
    assert done.returncode == 0, (line, done.stdout, done.stderr)
    return done.stdout


def link_guide(branch, dns):
    places = {"0.0.0.0": branch.address, "/etc/hansa": str(branch.folder), "192.0.2.53": f"{DNS}:{dns.port}",
              "192.0.2.10": NORTH, "198.51.100.20": SOUTH}
    return Guide("link-two-branches.md", places=places)


def southern(text):
    """What the guide means by "likewise for the south"."""
    swap = {"north": "south", "south": "north", NORTH: SOUTH, SOUTH: NORTH}
    return re.sub("|".join(map(re.escape, swap)), lambda m: swap[m.group()], text)


def linked_branches(place):
    """Both branches by steps 1 and 2 of the guide, asking the guide's DNS server."""
    guide = Guide("link-two-branches.md", places={"192.0.2.10": NORTH, "198.51.100.20": SOUTH})
    records = guide.block("_xmpp-server._tcp.north")
    dns = Knot(place, DNS, records + southern(records) + Guide("attach-a-bot.md").block("_xmpp-server._tcp.bot"))
    north = Branch(place.folder / "north.example", "north.example", NORTH)
    south = Branch(place.folder / "south.example", "south.example", SOUTH)
    for one in (north, south):
        guide = link_guide(one, dns)
        listening = guide.block("host ")
        text = OWN.format(address=one.address) + listening.replace("north.example", one.domain) + guide.block("dns ")
        (one.folder / "hansa.conf").write_text(text)
        place.branches.append(one)
        one.start()
    return dns, north, south


def add_to_configuration(branch, text):
    with open(branch.folder / "hansa.conf", "a") as file:
        file.write(text)


async def people(north, south):
    ann = await Person(north.add_user("ann", "secret-of-ann"), "secret-of-ann", north).log_in()
    bob = await Person(south.add_user("bob", "secret-of-bob"), "secret-of-bob", south).log_in()
    return ann, bob


async def part(*people):
    for person in people:
        await person.leave()


async def greet(sender, recipient, text):
    sender.send_message(mto=recipient.boundjid.bare, mbody=text, mtype="chat")
    await recipient.message(text, sender.boundjid.bare)


async def test_link_two_branches(place):
    dns, north, south = linked_branches(place)
    guide = link_guide(north, dns)
    ann, bob = await people(north, south)
    await greet(ann, bob, "hello south")
    await greet(bob, ann, "hello north")
    said = {line: command(line, north) for line in guide.commands() if not JOINING.match(line)}
    assert said["hansactl peer test south.example"].split()[-1] == "own", said
    assert any(line.startswith("hansad -t ") for line in said)
    assert {"hansactl reload", "hansactl peer list", "hansactl peer show south.example",
            "hansactl peer retry south.example"} <= set(said), said
    assert "up" in said["hansactl peer list"].split() and "up" in said["hansactl peer show south.example"].split()
    await part(ann, bob)


async def test_join_two_branches(place):
    """The short way, with name servers that do not answer."""
    guide = Guide("link-two-branches.md")
    north, south = [place.branch(domain, address, guide.block("include") + f'dns {{ servers = {{ "{DNS}:9" }} }}\n')
                    for domain, address in (("north.example", NORTH), ("south.example", SOUTH))]
    invite, joins, elsewhere = [line for line in guide.commands() if JOINING.match(line)][-2:] + guide.inline[:1]
    assert "xmpp.north.example:5269" in elsewhere and command(elsewhere, north)
    token = command(invite, north).split()[-1]
    said = command(joins.replace("TOKEN", token), south)
    assert "configuration" in said and said.split()[-1] == "own", said
    for one, peer in (north, "south.example"), (south, "north.example"):
        name = f"conf.d/peer-{peer}.conf"
        assert name in guide.said and (one.folder / name).exists()
    ann, bob = await people(north, south)
    await greet(ann, bob, "joined")
    await greet(bob, ann, "both ways")
    await part(ann, bob)


async def test_only_the_branches_may_link(place):
    dns, north, south = linked_branches(place)
    guide = link_guide(north, dns)
    add_to_configuration(north, guide.block('peer "*"'))
    command("hansactl reload", north)
    ann, bob = await people(north, south)
    await greet(bob, ann, "we are allowed")
    ann.send_message(mto="somebody@partner.example", mbody="hello partner", mtype="chat")
    refused = await ann.wait_for("error", lambda m: m["body"] == "hello partner")
    assert refused["error"]["condition"] == "not-allowed", refused
    await part(ann, bob)


async def test_a_branch_without_dns_is_named(place):
    dns, north, south = linked_branches(place)
    guide = link_guide(north, dns)
    named = guide.block('peer "south.example" { address')
    asked = guide.block("dns ")
    for one, text in ((north, named), (south, southern(named))):
        path = one.folder / "hansa.conf"
        path.write_text(path.read_text().replace(asked, f'dns {{ servers = {{ "{DNS}:9" }} }}\n') + text)
        command("hansactl reload", one)
    ann, bob = await people(north, south)
    await greet(ann, bob, "found without DNS")
    await part(ann, bob)


async def test_attach_a_bot(place):
    dns, north, south = linked_branches(place)
    guide = Guide("attach-a-bot.md", places={"127.0.0.1": NORTH})
    add_to_configuration(north, guide.block("component "))
    command("hansactl reload", north)
    line = guide.block("/usr/bin/python3 ")
    bot = place.keep(subprocess.Popen(shlex.split(line), cwd=ROOT, stdout=subprocess.PIPE, text=True))
    attached = bot.stdout.readline().strip()
    assert attached in guide.said, attached
    for inline in guide.commands():
        said = command(inline, north)
    assert "bot.north.example" in said and "attached" in said, said
    ann, bob = await people(north, south)
    for person in (ann, bob):
        person.send_message(mto="anything@bot.north.example", mbody="does it hear me?", mtype="chat")
        await person.message("DOES IT HEAR ME?", "anything@bot.north.example")
    bot.terminate()
    bot.wait()
    await soon(lambda: "not attached" in command("hansactl component list", north))
    ann.send_message(mto="anything@bot.north.example", mbody="gone?", mtype="chat")
    refused = await ann.wait_for("error", lambda m: m["body"] == "gone?")
    assert refused["error"]["condition"] in guide.said, refused
    await part(ann, bob)


def test_invite_people(place):
    guide = Guide("invite-people.md", places={"0123456789ab": "{id}"})
    north = place.branch()
    path = north.folder / "hansa.conf"
    path.write_text(path.read_text().replace('host "north.example" { }', guide.block("host ")))
    north.add_user("ann", "secret-of-ann")
    reload, *rest, revoke = guide.commands()
    for line in (reload, *rest):
        command(line, north)
    rows = north.ask("invite", "list")
    assert [(r["kind"], r["user"], r["inviter"]) for r in rows] == [
        ("account", None, None), ("account", "carol", None), ("contact", None, "ann@north.example")]
    command(revoke.replace("{id}", rows[0]["invitation"]), north)
    assert len(north.ask("invite", "list")) == 2


run(globals())
