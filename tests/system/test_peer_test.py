# SPDX-License-Identifier: MIT
"""hansactl peer test: a link that works is walked to its end, and each fault is named, with whose side can mend it."""
import json
import socket
import ssl
import subprocess
import threading

from authority import DAY, Authority
from harness import BUILD, Dns, eventually, free_port, run
from knot import Knot

NORTH, SOUTH, OTHER, DEAF, DNS = "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.8"
RECORDS = f"""\
xmpp.north A {NORTH}
_xmpp-server._tcp.north SRV 0 5 5269 xmpp.north
xmpp.south A {SOUTH}
_xmpp-server._tcp.south SRV 0 5 5269 xmpp.south
_xmpp-server._tcp.closed SRV 0 0 0 .
"""
STEPS = ["policy", "dns", "connect", "tls", "certificate", "authentication", "ping"]
AT = 'peer "{}" {{ address = {{ "{}:{}" }}  {} }}\n'


def asking(dns):
    return f'dns {{ servers = {{ "{dns.address}:{dns.port}" }} }}\n'


def two_branches(place, at_north="", at_south=""):
    """They find each other by a real DNS server."""
    dns = asking(Knot(place, DNS, RECORDS))
    return place.branch("north.example", NORTH, dns + at_north), place.branch("south.example", SOUTH, dns + at_south)


def tried(branch, domain="south.example"):
    """The steps, and the sentence; every step but the last was fine."""
    done = branch.ctl("--json", "peer", "test", domain, check=False)
    rows = json.loads(done.stdout)
    assert [row["step"] for row in rows] == [step for step in STEPS if step in {row["step"] for row in rows}], rows
    assert all(row["result"] == "ok" and row["ms"] >= 0 for row in rows[:-1]), rows
    return done.returncode, rows, done.stderr


def fails(branch, step, result, mender, *words, domain="south.example"):
    """The trial ends at that step with that fault, and the sentence says who can mend it."""
    status, rows, said = tried(branch, domain)
    assert status == 1 and (rows[-1]["step"], rows[-1]["result"]) == (step, result), (rows, said)
    assert said.startswith(f"hansactl: {domain} ") and f"to be mended {mender}: " in said, said
    for word in words:
        assert word in said, (word, said)


def test_a_link_that_works(place):
    north, south = two_branches(place)
    for branch, peer in (north, "south.example"), (south, "north.example"):
        status, rows, said = tried(branch, peer)
        assert status == 0 and not said and [row["step"] for row in rows] == STEPS, (rows, said)
        detail = {row["step"]: row["detail"] for row in rows}
        assert detail["tls"].startswith("TLSv1.3") and "dialback" in detail["certificate"], detail
        assert detail["authentication"] == "dialback", detail
    # Nothing is left of it but the streams by which the answers came.
    assert all(row["state"] in ("up", "verified") for row in north.ask("peer", "list")), north.ask("peer", "list")
    assert "ping" in north.ctl("peer", "test", "south.example").stdout


def test_names(place):
    north, _ = two_branches(place)
    fails(north, "dns", "no-such-domain", "here or there", domain="nowhere.example")
    fails(north, "dns", "no-service", "there", domain="closed.example")
    assert "served here" in north.ctl("peer", "test", "north.example", check=False).stderr
    assert "no domain" in north.ctl("peer", "test", "so/uth", check=False).stderr
    assert "no such host" in north.ctl("peer", "test", "south.example", "west.example", check=False).stderr


def test_the_name_servers_fail(place):
    dns = Dns(DNS)
    dns.failing.add("_xmpp-server._tcp.south.example")
    north = place.branch("north.example", NORTH, asking(dns))
    fails(north, "dns", "dns", "here or there", "name servers")
    dns.close()
    fails(north, "dns", "dns", "here or there", "name servers")


def test_nobody_listens(place):
    north, south = two_branches(place)
    south.stop()
    fails(north, "connect", "connection-refused", "there", f"{SOUTH}:5269")


def deaf(place):
    """A queue of connections that is full answers nothing, like a firewall; answers its port."""
    port = free_port(DEAF)
    full, fill = socket.socket(), [socket.socket() for _ in range(4)]
    full.bind((DEAF, port))
    full.listen(0)
    for one in fill:
        one.setblocking(False)
        one.connect_ex((DEAF, port))
    place.ends += [one.close for one in (full, *fill)]
    return port


def test_packets_are_swallowed(place):
    port = deaf(place)
    north = place.branch("north.example", NORTH, AT.format("south.example", DEAF, port, ""))
    fails(north, "connect", "no-answer", "here or there", "firewall", f"{DEAF}:{port}")


def test_the_server_leaves_meanwhile(place):
    north = place.branch(more=AT.format("south.example", DEAF, deaf(place), ""))
    trial = subprocess.Popen([BUILD / "hansactl", "-s", north.folder / "control.sock", "peer", "test", "south.example"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    eventually(lambda: b"hansad" in subprocess.run(["ss", "-tnp", "dst", DEAF], capture_output=True).stdout)
    assert north.stop() == 0
    assert trial.wait(20) != 0 and trial.stderr.read()


class Scripted:
    """A server that says what it is told, one text for each thing that it waits for."""

    def __init__(self, *talk, wrapped=None):
        self.listening = socket.create_server((OTHER, 0))
        self.port, self.talk, self.wrapped = self.listening.getsockname()[1], talk, wrapped
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        conn, _ = self.listening.accept()
        conn.settimeout(20)
        for awaited, said in self.talk:
            got = ""
            while awaited not in got:
                more = conn.recv(65536).decode()
                if not more:
                    return
                got += more
            conn.sendall(said.encode())
        try:
            (self.wrapped or (lambda c: None))(conn)
        except OSError:
            pass
        conn.close()


HEADER = ("<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' xmlns:stream="
          "'http://etherx.jabber.org/streams' id='x' from='south.example' to='north.example' version='1.0'>")
STARTTLS = "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>"
DIALBACK = "<stream:features><dialback xmlns='urn:xmpp:features:dialback'/></stream:features>"


def test_tls_is_too_old(place):
    north = place.branch()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    context.load_cert_chain(north.folder / "cert.pem", north.folder / "key.pem")
    south = Scripted(("<stream:stream", HEADER + STARTTLS),
                     ("<starttls", "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
                     wrapped=lambda conn: context.wrap_socket(conn, server_side=True))
    north.configure(AT.format("south.example", OTHER, south.port, ""))
    north.ctl("reload")
    fails(north, "tls", "tls-handshake", "there", "no version of TLS is allowed on both sides", "TLS 1.2 or newer")


def test_tls_is_missing(place):
    south = Scripted(("<stream:stream", HEADER + DIALBACK))
    north = place.branch(more=AT.format("south.example", OTHER, south.port, ""))
    fails(north, "tls", "tls", "there", "does not offer TLS")


def test_closed_after_authentication(place):
    south = Scripted(("<stream:stream", HEADER + DIALBACK),
                     ("</db:result>", "<db:result from='south.example' to='north.example' type='valid'/>"))
    north = place.branch(more=AT.format("south.example", OTHER, south.port, "tls = optional"))
    fails(north, "ping", "closed", "there", "took this server's proof and then closed the stream")


def certified(place, make, policy='authentication = {{ ca }}  ca = "{ca}"'):
    """South shows what make() wrote, and north asks for proof."""
    authority = Authority()
    ca = authority.write(place.folder / "ca.pem")
    north, south = two_branches(place, AT.format("south.example", SOUTH, 5269, policy.format(ca=ca)))
    make(authority, south)
    south.ctl("reload")
    return north


def test_expired(place):
    north = certified(place, lambda ca, south: ca.sign_for(south.folder, south.domain, until=-DAY / 24))
    fails(north, "certificate", "certificate", "there", "it has expired")


def test_another_name(place):
    north = certified(place, lambda ca, south: ca.sign_for(south.folder, "west.example"))
    fails(north, "certificate", "certificate", "there", "does not name the domain")


def test_unknown_authority(place):
    north = certified(place, lambda ca, south: Authority("Another").sign_for(south.folder, south.domain))
    fails(north, "certificate", "untrusted", "here or there", "signed by nobody who is trusted here")


def test_wrong_pin(place):
    north = certified(place, lambda ca, south: None, f'authentication = {{{{ pin }}}}  pins = {{{{ "{"A" * 43}=" }}}}')
    fails(north, "certificate", "untrusted", "here or there", "its key is none of those that are known")


def test_dialback_is_denied(place):
    """The DNS names another server for our domain, which knows nothing of our key."""
    records = RECORDS.replace(f"xmpp.north A {NORTH}", f"xmpp.north A {OTHER}")
    dns = Knot(place, DNS, records)
    north = place.branch("north.example", NORTH, asking(dns))
    place.branch("north.example", OTHER, asking(dns))
    place.branch("south.example", SOUTH, asking(dns))
    fails(north, "authentication", "key", "here", "SRV record")


def test_their_way_back_is_blocked(place):
    north, south = two_branches(place, at_south=AT.format("north.example", NORTH, 9, ""))
    fails(north, "authentication", "way-back", "here", "cannot reach this server", "port")


def test_no_answer_comes_back(place):
    """Certificates prove both, so nobody calls back before the answer to the ping."""
    north, south = two_branches(place, at_south=AT.format("north.example", NORTH, 9, ""))
    pin = Authority("self").sign_for(north.folder, "north.example")
    north.ctl("reload")
    south.configure(AT.format("north.example", NORTH, 9, f'authentication = {{ pin }}  pins = {{ "{pin}" }}'))
    south.ctl("reload")
    fails(north, "ping", "unanswered", "here or there", "took our ping")


def test_our_policy_forbids_it(place):
    north, _ = two_branches(place, at_north='peer "*" { allow = no }\n')
    fails(north, "policy", "forbidden", "here", 'section peer "*"')


def test_their_policy_forbids_us(place):
    north, _ = two_branches(place, at_south='peer "north.example" { allow = no }\n')
    fails(north, "authentication", "denied", "there", "policy")


def test_they_serve_another_domain(place):
    records = RECORDS + "_xmpp-server._tcp.west SRV 0 5 5269 xmpp.south\n"
    dns = Knot(place, DNS, records)
    north = place.branch("north.example", NORTH, asking(dns))
    place.branch("south.example", SOUTH, asking(dns))
    fails(north, "authentication", "host-unknown", "there", domain="west.example")


if __name__ == "__main__":
    run(globals())
