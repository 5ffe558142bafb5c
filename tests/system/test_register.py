# SPDX-License-Identifier: MIT
"""Registering, inviting and administering with hansactl and a stock client (slixmpp's XEP-0050 and XEP-0077)."""
import asyncio
import re
import signal
import ssl
import time

from slixmpp.exceptions import IqError
from slixmpp.xmlstream import ET

from harness import Person, Raw, run, soon

DOMAIN = "chat.north.example"
INVITED = f'host "{DOMAIN}" {{ registration = invited  admins = {{ "ann@{DOMAIN}" }}\n' \
          '    invitation-page = "https://north.example/i/#{uri}" }\n'


class Newcomer(Person):
    """Shows a token, registers when the server offers it, and logs in."""

    def __init__(self, jid, password, server, token):
        super().__init__(jid, password, server)
        self.register_plugin("xep_0077")
        self.add_event_handler("register", self.fill_in)
        self.token, self.outcome = token, None
        self._always_send_everything = True     # else slixmpp 1.8 keeps even registrations back until it has logged in
        self.ask = self["xep_0077"].get_registration
        self["xep_0077"].get_registration = self.show_token

    async def show_token(self):
        iq = self.Iq()
        iq["type"], iq["to"] = "set", self.boundjid.domain
        iq.append(ET.Element("{urn:xmpp:pars:0}preauth", token=self.token))
        try:
            await iq.send()
        except IqError:
            self.outcome = "refused"
        return await self.ask()

    async def fill_in(self, form):
        iq = self.Iq()
        iq["type"] = "set"
        iq["register"]["username"], iq["register"]["password"] = self.boundjid.user, self.password
        try:
            await iq.send()
            self.outcome = "registered"
        except IqError as error:
            self.outcome = error.iq["error"]["condition"]


def add(north, name, password):
    north.ctl("user", "add", f"{name}@{DOMAIN}", password=password + "\n")
    return f"{name}@{DOMAIN}"


async def test_registers_by_an_invitation_that_survives(place):
    north = place.branch(more=INVITED)
    ann_jid = add(north, "ann", "secret-of-ann")
    made = north.ask("invite", "create", "--contact", ann_jid, "--expires", "2d")
    token = re.fullmatch(rf"xmpp:ann@{DOMAIN}\?roster;preauth=([0-9a-f]{{32}});ibr=y", made["uri"]).group(1)
    assert made["page"] == "https://north.example/i/#" + made["uri"][len("xmpp:"):]
    assert token not in (north.folder / "hansa.db").read_bytes().decode(errors="replace")
    north.stop(signal.SIGKILL)
    north.start()
    open_now = north.ask("invite", "list")
    assert [(i["kind"], i["inviter"], i["host"]) for i in open_now] == [("contact", ann_jid, DOMAIN)]
    ann = await Person(ann_jid, "secret-of-ann", north).log_in()
    bob = await Newcomer(f"bob@{DOMAIN}", "secret-of-bob", north, token).log_in()
    assert bob.outcome == "registered"
    await soon(lambda: ann.client_roster[f"bob@{DOMAIN}"]["subscription"] == "both")
    await soon(lambda: bob.client_roster[ann_jid]["subscription"] == "both")
    assert north.ask("invite", "list") == []
    bob.send_message(mto=ann_jid, mbody="Here I am", mtype="chat")
    await ann.message("Here I am", f"bob@{DOMAIN}")
    again = Newcomer(f"eve@{DOMAIN}", "secret-of-eve", north, token)
    again.connect(again.where)
    await soon(lambda: again.outcome == "refused")
    assert f"eve@{DOMAIN}" not in [u["user"] for u in north.ask("user", "list")]
    again.abort()
    await ann.leave()
    await bob.leave()


def test_invitations_of_the_administrator(place):
    north = place.branch(more=INVITED)
    named = north.ask("invite", "create", "--host", DOMAIN, "--user", "Carol")
    assert named["uri"].startswith(f"xmpp:carol@{DOMAIN}?register;preauth=")
    anybody = north.ask("invite", "create", "--host", DOMAIN)
    assert anybody["uri"].startswith(f"xmpp:{DOMAIN}?register;preauth=")
    rows = north.ask("invite", "list")
    assert [r["user"] for r in rows] == ["carol", None]
    assert north.ctl("invite", "revoke", rows[0]["invitation"]).returncode == 0
    assert north.ctl("invite", "revoke", rows[0]["invitation"], check=False).returncode == 3
    assert [r["invitation"] for r in north.ask("invite", "list")] == [rows[1]["invitation"]]
    for words, code, told in (
            (["--host", "elsewhere.example"], 3, "which host"),
            ([], 3, "which host"),
            (["--host", "north.example"], 1, "registration"),
            (["--host", DOMAIN, "--user", "a@b"], 1, "no user name"),
            (["--host", DOMAIN, "--expires", "soon"], 1, "a time is like"),
            (["--host", DOMAIN, "--expires", "0d"], 1, "a time is like"),
            (["--contact", "nobody"], 1, "not a user's address"),
            (["--host"], 2, "usage"),
            (["--frob", "x"], 2, "usage")):
        refused = north.ctl("invite", "create", *words, check=False)
        assert refused.returncode == code and told in refused.stderr, (words, refused.stderr)
    add(north, "dora", "secret-of-dora")
    taken = north.ctl("invite", "create", "--host", DOMAIN, "--user", "dora", check=False)
    assert taken.returncode == 1 and "there is a user of this name" in taken.stderr


def stranger(north):
    """A stream of bytes under TLS, before a login."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(north.folder / "cert.pem")
    raw = Raw(north.address, north.c2s_tls)
    raw.socket = context.wrap_socket(raw.socket, server_hostname=DOMAIN)
    raw.send(f"<?xml version='1.0'?><stream:stream to='{DOMAIN}' version='1.0' xmlns='jabber:client' "
             "xmlns:stream='http://etherx.jabber.org/streams'>").expect("</stream:features>")
    return raw


def show(raw, token):
    raw.send(f"<iq type='set' id='p'><preauth xmlns='urn:xmpp:pars:0' token='{token}'/></iq>").expect("id='p'")


def register(raw, name):
    raw.send("<iq type='set' id='r'><query xmlns='jabber:iq:register'>"
             f"<username>{name}</username><password>secret-of-{name}</password></query></iq>")


def token_of(made):
    return re.search("preauth=([0-9a-f]{32})", made["uri"]).group(1)


def test_one_token_on_many_streams_makes_one_account(place):
    north = place.branch(more=INVITED)
    token = token_of(north.ask("invite", "create", "--host", DOMAIN))
    streams = [stranger(north) for _ in range(8)]
    for raw in streams:
        show(raw, token)
    for number, raw in enumerate(streams):
        register(raw, f"user{number}")
    answers = [raw.expect("id='r'") for raw in streams]
    assert sum("type='result'" in answer for answer in answers) == 1, answers
    assert len(north.ask("user", "list")) == 1 and north.ask("invite", "list") == []
    for raw in streams:
        raw.close()


def test_a_crash_leaves_the_account_or_the_invitation(place):
    north = place.branch(more=INVITED)
    for number in range(8):
        token = token_of(north.ask("invite", "create", "--host", DOMAIN))
        raw = stranger(north)
        show(raw, token)
        register(raw, f"user{number}")
        time.sleep(number * 0.006)      # where in the registration it dies is the point, not what is waited for
        north.stop(signal.SIGKILL)
        raw.close()
        north.start()
        made = f"user{number}@{DOMAIN}" in [u["user"] for u in north.ask("user", "list")]
        rows = north.ask("invite", "list")
        assert made or len(rows) == 1, (number, rows)
        for row in rows:
            north.ctl("invite", "revoke", row["invitation"])


async def test_password_and_removal(place):
    north = place.branch()
    ann = Person(north.add_user("ann", "secret-of-ann"), "secret-of-ann", north)
    ann.register_plugin("xep_0077")
    await ann.log_in()
    await ann["xep_0077"].change_password("another-secret", jid="north.example")
    await ann.leave()
    ann = Person("ann@north.example", "another-secret", north)
    ann.register_plugin("xep_0077")
    await ann.log_in()
    await ann["xep_0077"].cancel_registration()
    await soon(lambda: north.ask("user", "list") == [])
    await soon(lambda: north.ask("session", "list") == [])
    assert "another-secret" not in north.log()
    await asyncio.wait_for(ann.disconnected, 10)


async def command(someone, name, **fields):
    """Runs a command of XEP-0133 with these fields; answers the result's values by name."""
    node = "http://jabber.org/protocol/admin#" + name
    answer = await someone["xep_0050"].send_command(DOMAIN, node)
    if answer["command"]["status"] == "executing":
        form = someone["xep_0004"].make_form(ftype="submit")
        for var, value in fields.items():
            form.add_field(var=var, value=value)
        answer = await someone["xep_0050"].send_command(DOMAIN, node, sessionid=answer["command"]["sessionid"],
                                                        payload=form, action="complete")
    assert answer["command"]["status"] == "completed"
    return answer["command"]["form"].get_values()


async def test_administers_with_a_client(place):
    north = place.branch(more=INVITED)
    ann = Person(add(north, "ann", "secret-of-ann"), "secret-of-ann", north)
    ann.register_plugin("xep_0050")
    await ann.log_in()
    listed = await ann["xep_0050"].get_commands(DOMAIN)
    nodes = [node for _, node, _ in listed["disco_items"]["items"]]
    assert "http://jabber.org/protocol/admin#announce" in nodes and "urn:xmpp:invite#create-account" in nodes
    await command(ann, "add-user", accountjid=f"bob@{DOMAIN}", password="secret-of-bob")
    bob = await Person(f"bob@{DOMAIN}", "secret-of-bob", north).log_in()
    assert (await command(ann, "get-registered-users-num"))["registeredusersnum"] == "2"
    await soon(lambda: [s["presence"] for s in north.ask("session", "list")] == ["available"] * 2)
    await command(ann, "announce", announcement="Tea is ready")
    await bob.message("Tea is ready", DOMAIN)
    await command(ann, "delete-user", accountjids=[f"bob@{DOMAIN}"])
    await soon(lambda: len(north.ask("session", "list")) == 1)
    assert [u["user"] for u in north.ask("user", "list")] == [f"ann@{DOMAIN}"]
    await asyncio.wait_for(bob.disconnected, 10)
    await ann.leave()


if __name__ == "__main__":
    run(globals())
