# SPDX-License-Identifier: MIT
"""SASL 2, Bind 2 and tokens (XEP-0388, XEP-0386, XEP-0484) over TLS: how many flights a login takes, and what ends a token.

No client of Debian 12 speaks these, so the client is a few lines that know the server's features beforehand, as clients
that have been here before do: what it has to say it says at once.
"""
import base64
import hmac
import re
import signal
import ssl
import xml.etree.ElementTree as xml

from harness import run
from sasl import Scram, end_point, header, on_tls, text

SASL2 = "{urn:xmpp:sasl:2}"
BIND = "<bind xmlns='urn:xmpp:bind:0'><tag>test</tag><enable xmlns='urn:xmpp:carbons:2'/></bind>"
RESUMABLE = "<bind xmlns='urn:xmpp:bind:0'><enable xmlns='urn:xmpp:sm:3' resume='true'/></bind>"
AGENT = "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'><software>test</software><device>a rack</device></user-agent>"
REQUEST = "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-ENDP'/>"
PING = "<iq type='get' id='alive' to='{}'><ping xmlns='urn:xmpp:ping'/></iq>"


class Client:
    """flights: how often it has spoken since TLS was up. success, failure: the server's last word, parsed."""

    def __init__(self, branch, version=None):
        self.branch, self.raw, self.flights = branch, on_tls(branch, version=version), 0
        self.success = self.failure = None

    def send(self, words):
        self.flights += 1
        return self.raw.send(words)

    def hear_last_word(self, features=True):
        """Success with the features behind it, or failure."""
        while b"</failure>" not in self.raw.got and b"</success>" not in self.raw.got:
            self.raw.got += self.raw.socket.recv(65536)
        name = "success" if b"</success>" in self.raw.got else "failure"
        heard = self.raw.expect(f"</{name}>")
        setattr(self, name, xml.fromstring(heard[heard.index(f"<{name}"):]))
        if self.success is not None and features:
            self.features = self.raw.expect("</stream:features>")
        return self

    def authenticate(self, mechanism, first, wishes):
        self.send(header(self.branch) + f"<authenticate xmlns='urn:xmpp:sasl:2' mechanism='{mechanism}'>"
                  f"<initial-response>{text(first)}</initial-response>{AGENT}{wishes}</authenticate>")

    def by_password(self, name, password, wishes="", mechanism="SCRAM-SHA-256-PLUS"):
        exchange = Scram(self.raw, mechanism, name, password)
        self.authenticate(mechanism, exchange.first, wishes)
        features = self.raw.expect("<challenge xmlns='urn:xmpp:sasl:2'>")
        challenge = base64.b64decode(self.raw.expect("</challenge>").split("<")[0]).decode()
        offer = features[features.index("<authentication"):features.index("<inline>")]
        exchange.check_offer(challenge, re.findall("<mechanism>(.*?)</mechanism>", offer),
                             re.findall("<channel-binding type='(.*?)'", features))
        final = exchange.final(challenge)
        self.send(f"<response xmlns='urn:xmpp:sasl:2'>{text(final)}</response>")
        self.hear_last_word()
        if self.success is not None:
            assert base64.b64decode(self.success.findtext(SASL2 + "additional-data")).decode() == exchange.verifier
        return self

    def by_token(self, name, token, wishes="", features=True):
        binding = end_point(self.raw)
        proof = hmac.digest(token.encode(), b"Initiator" + binding, "sha256")
        self.authenticate("HT-SHA-256-ENDP", name.encode() + b"\0" + proof, "<fast xmlns='urn:xmpp:fast:0'/>" + wishes)
        self.hear_last_word(features)
        if self.success is not None:
            answer = base64.b64decode(self.success.findtext(SASL2 + "additional-data"))
            assert answer == hmac.digest(token.encode(), b"Responder" + binding, "sha256")
        return self

    def token(self):
        return self.success.find("{urn:xmpp:fast:0}token").get("token")

    def condition(self):
        return self.failure[0].tag.split("}")[1]

    def works(self):
        self.raw.send(PING.format(self.branch.domain)).expect("id='alive'")
        return self


def token_for(branch, name):
    return Client(branch).by_password(name, f"secret-of-{name}", REQUEST).token()


def test_flights_of_a_login(place):
    """With SCRAM the client has its session after two, with a token after one; whatever the version of TLS."""
    north = place.branch()
    north.add_user("ann", "secret-of-ann")
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        first = Client(north, version).by_password("ann", "secret-of-ann", BIND + REQUEST)
        assert first.flights == 2 and first.success.find("{urn:xmpp:bind:0}bound") is not None
        assert "xmpp-bind" not in first.features
        first.works()
        second = Client(north, version).by_token("ann", first.token(), BIND)
        assert second.flights == 1 and second.success.find("{urn:xmpp:bind:0}bound") is not None
        full = second.works().success.findtext(SASL2 + "authorization-identifier")
        assert full.startswith("ann@north.example/test/"), full
        assert full == first.success.findtext(SASL2 + "authorization-identifier")


def test_what_a_client_says_of_itself(place):
    """XEP-0388 2.3: for the administrator, never for others."""
    north = place.branch()
    north.add_user("ann", "secret-of-ann")
    client = Client(north).by_password("ann", "secret-of-ann", BIND)
    session, = north.ask("session", "list")
    assert session["client"] == "test on a rack", session
    assert session["session"].startswith("ann@north.example/test/") and "d4565fa7" not in session["session"]
    assert 'client="test on a rack"' in north.log()
    client.works()


def test_a_token_outlives_kill_9(place):
    north = place.branch()
    north.add_user("ann", "secret-of-ann")
    token = token_for(north, "ann")
    north.stop(signal.SIGKILL)
    north.start()
    Client(north).by_token("ann", token, BIND).works()


def test_a_session_goes_on_after_one_flight(place):
    """XEP-0198 9.2: the cable is cut and the client comes back with its token; what was meant for it follows at once."""
    north = place.branch()
    north.add_user("ann", "secret-of-ann")
    north.add_user("bob", "secret-of-bob")
    phone = Client(north).by_password("ann", "secret-of-ann", RESUMABLE + REQUEST)
    token, full = phone.token(), phone.success.findtext(SASL2 + "authorization-identifier")
    enabled = phone.success.find("{urn:xmpp:bind:0}bound/{urn:xmpp:sm:3}enabled")
    phone.works().raw.close()
    bob = Client(north).by_password("bob", "secret-of-bob", BIND)
    bob.raw.send(f"<message to='{full}' type='chat'><body>are you there?</body></message>")
    bob.works()
    again = Client(north).by_token("ann", token, f"<resume xmlns='urn:xmpp:sm:3' previd='{enabled.get('id')}' h='1'/>{BIND}",
                                   features=False)
    assert again.flights == 1 and again.success.find("{urn:xmpp:sm:3}resumed") is not None
    assert again.success.find("{urn:xmpp:bind:0}bound") is None
    assert "<stream:features>" not in again.raw.expect("are you there?")
    again.works()


def test_what_ends_tokens(place):
    north = place.branch()
    north.add_user("ann", "secret-of-ann")
    north.add_user("bob", "secret-of-bob")
    token, bobs = token_for(north, "ann"), token_for(north, "bob")
    north.ctl("user", "passwd", "ann@north.example", password="secret-of-ann\n")
    assert Client(north).by_token("ann", token).condition() == "not-authorized"
    token = token_for(north, "ann")
    Client(north).by_token("ann", token, BIND).works()
    assert north.ask("user", "revoke", "ann@north.example") == {"user": "ann@north.example", "revoked": 1}
    assert north.ask("user", "revoke", "ann@north.example")["revoked"] == 0
    assert Client(north).by_token("ann", token).condition() == "not-authorized"
    token = token_for(north, "ann")
    north.ctl("user", "del", "ann@north.example")
    north.add_user("ann", "secret-of-ann")
    assert Client(north).by_token("ann", token).condition() == "not-authorized"
    assert north.ctl("user", "revoke", "eve@north.example", check=False).returncode == 3
    Client(north).by_token("bob", bobs, BIND).works()


def test_a_token_stands_in_no_log(place):
    north = place.branch(level="debug")
    north.add_user("ann", "secret-of-ann")
    token = token_for(north, "ann")
    Client(north).by_token("ann", token, BIND).works()
    Client(north).by_token("ann", token + "x")
    log = north.log()
    assert token not in log and "mechanism=HT-SHA-256-ENDP" in log


if __name__ == "__main__":
    run(globals())
