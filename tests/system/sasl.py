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


def secured(branch, timeout=20):
    """A stream after STARTTLS with its features."""
    raw = Raw(branch.address, branch.c2s, timeout)
    raw.send(header(branch)).expect("</stream:features>")
    raw.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").expect("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(branch.folder / "cert.pem")
    raw.socket, raw.got = context.wrap_socket(raw.socket, server_hostname=branch.domain), b""
    return raw, raw.send(header(branch)).expect("</stream:features>")


def text(data):
    return base64.b64encode(data if isinstance(data, bytes) else data.encode()).decode()


def plain(name, password, authzid=""):
    return f"<auth {NAMESPACE} mechanism='PLAIN'>{text(f'{authzid}{chr(0)}{name}{chr(0)}{password}')}</auth>"


def scram(raw, mechanism, name, password):
    """RFC 5802 §3; with -PLUS the binding is tls-server-end-point (RFC 5929 §4)."""
    kind = "sha1" if "SHA-1" in mechanism else "sha256"
    plus = mechanism.endswith("-PLUS")
    gs2 = "p=tls-server-end-point,," if plus else "n,,"
    binding = hashlib.sha256(raw.socket.getpeercert(True)).digest() if plus else b""
    first = f"n={name},r={text(os.urandom(15))}"
    raw.send(f"<auth {NAMESPACE} mechanism='{mechanism}'>{text(gs2 + first)}</auth>")
    raw.expect("<challenge")
    raw.expect(">")
    challenge = base64.b64decode(raw.expect("</challenge>").split("<")[0]).decode()
    values = dict(part.split("=", 1) for part in challenge.split(","))
    salted = hashlib.pbkdf2_hmac(kind, password.encode(), base64.b64decode(values["s"]), int(values["i"]))
    client_key = hmac.digest(salted, b"Client Key", kind)
    without_proof = f"c={text(gs2.encode() + binding)},r={values['r']}"
    signed = f"{first},{challenge},{without_proof}".encode()
    signature = hmac.digest(hashlib.new(kind, client_key).digest(), signed, kind)
    proof = bytes(a ^ b for a, b in zip(client_key, signature))
    raw.send(f"<response {NAMESPACE}>{text(f'{without_proof},p={text(proof)}')}</response>")
    raw.expect("<success")
    raw.expect(">")
    verifier = base64.b64decode(raw.expect("</success>").split("<")[0]).decode()
    expected = hmac.digest(hmac.digest(salted, b"Server Key", kind), signed, kind)
    assert verifier == "v=" + text(expected), verifier


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
