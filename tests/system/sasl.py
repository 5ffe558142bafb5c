# SPDX-License-Identifier: MIT
"""The client's side of STARTTLS and SASL by hand (RFC 5802), to choose the mechanism and the channel binding."""
import base64
import hashlib
import hmac
import os
import ssl

from harness import Raw

NAMESPACE = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"


def header(branch):
    return (f"<?xml version='1.0'?><stream:stream to='{branch.domain}' version='1.0' xmlns='jabber:client' "
            "xmlns:stream='http://etherx.jabber.org/streams'>")


def on_tls(branch, timeout=20, version=None):
    """A connection after STARTTLS, on which nothing has been said yet; version: of TLS, where it matters."""
    raw = Raw(branch.address, branch.c2s, timeout)
    raw.send(header(branch)).expect("</stream:features>")
    raw.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").expect("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if version:
        context.minimum_version = context.maximum_version = version
    context.load_verify_locations(branch.folder / "cert.pem")
    raw.socket, raw.got = context.wrap_socket(raw.socket, server_hostname=branch.domain), b""
    return raw


def secured(branch, timeout=20):
    """A stream after STARTTLS with its features."""
    raw = on_tls(branch, timeout)
    return raw, raw.send(header(branch)).expect("</stream:features>")


def text(data):
    return base64.b64encode(data if isinstance(data, bytes) else data.encode()).decode()


def plain(name, password, authzid=""):
    return f"<auth {NAMESPACE} mechanism='PLAIN'>{text(f'{authzid}{chr(0)}{name}{chr(0)}{password}')}</auth>"


def end_point(raw):
    """tls-server-end-point (RFC 5929 §4)."""
    return hashlib.sha256(raw.socket.getpeercert(True)).digest()


class Scram:
    """RFC 5802 §3; with -PLUS the binding is tls-server-end-point."""

    def __init__(self, raw, mechanism, name, password):
        self.kind = "sha1" if "SHA-1" in mechanism else "sha256"
        self.password, self.verifier = password, None
        self.gs2 = "p=tls-server-end-point,," if mechanism.endswith("-PLUS") else "n,,"
        self.binding = end_point(raw) if mechanism.endswith("-PLUS") else b""
        self.bare = f"n={name},r={text(os.urandom(15))}"
        self.first = self.gs2 + self.bare

    def values(self, challenge):
        return dict(part.split("=", 1) for part in challenge.split(","))

    def check_offer(self, challenge, mechanisms, bindings):
        """XEP-0474 §6.2: nobody has changed what the server offers."""
        offer = "\x1e".join(sorted(mechanisms)) + "\x1f" + "\x1e".join(sorted(bindings))
        assert self.values(challenge)["h"] == text(hashlib.new(self.kind, offer.encode()).digest()), offer

    def final(self, challenge):
        values = self.values(challenge)
        salted = hashlib.pbkdf2_hmac(self.kind, self.password.encode(), base64.b64decode(values["s"]), int(values["i"]))
        client_key = hmac.digest(salted, b"Client Key", self.kind)
        without_proof = f"c={text(self.gs2.encode() + self.binding)},r={values['r']}"
        signed = f"{self.bare},{challenge},{without_proof}".encode()
        signature = hmac.digest(hashlib.new(self.kind, client_key).digest(), signed, self.kind)
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        self.verifier = "v=" + text(hmac.digest(hmac.digest(salted, b"Server Key", self.kind), signed, self.kind))
        return f"{without_proof},p={text(proof)}"


def scram(raw, mechanism, name, password):
    exchange = Scram(raw, mechanism, name, password)
    raw.send(f"<auth {NAMESPACE} mechanism='{mechanism}'>{text(exchange.first)}</auth>")
    raw.expect("<challenge")
    raw.expect(">")
    final = exchange.final(base64.b64decode(raw.expect("</challenge>").split("<")[0]).decode())
    raw.send(f"<response {NAMESPACE}>{text(final)}</response>")
    raw.expect("<success")
    raw.expect(">")
    verifier = base64.b64decode(raw.expect("</success>").split("<")[0]).decode()
    assert verifier == exchange.verifier, verifier


def log_in_with(raw, mechanism, name, password):
    if mechanism == "PLAIN":
        raw.send(plain(name, password)).expect("<success")
        raw.expect(">")
    else:
        scram(raw, mechanism, name, password)
    return raw


def bound(branch, name, resource="raw"):
    """A session by hand: login with PLAIN, bind; no presence yet."""
    raw, _ = secured(branch)
    log_in_with(raw, "PLAIN", name, f"secret-of-{name}")
    raw.send(header(branch)).expect("</stream:features>")
    raw.send(f"<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{resource}</resource>"
             "</bind></iq>").expect("</iq>")
    return raw
