# SPDX-License-Identifier: MIT
"""Debian's Prosody as the partner organisation, found by SRV records of a real DNS server, linked in both directions."""
import subprocess

import partner
from authority import Authority
from harness import Person, eventually, make_certificate, run
from partner import linked

PROSODY = """\
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
certificates = "{folder}"
daemonize = false
run_as_root = true
interfaces = {{ "{address}" }}
c2s_ports = {{ 5222 }}
s2s_ports = {{ 5269 }}
c2s_direct_tls_ports = {{ }}
s2s_direct_tls_ports = {{ }}
modules_enabled = {{ "roster", "saslauth", "tls", "dialback", "disco", "ping", "posix" }}
modules_disabled = {{ "s2s_auth_certs" }}
s2s_require_encryption = true
s2s_secure_auth = false
authentication = "internal_plain"
unbound = {{ resolvconf = false, hoststxt = false, forward = "{dns}", options = {{ ["do-not-query-localhost:"] = "no" }} }}
log = {{ debug = "{folder}/log" }}
ssl = {{ key = "{folder}/key.pem", certificate = "{folder}/cert.pem" }}
VirtualHost "partner.example"
"""


class Prosody:
    domain, address, c2s = "partner.example", "127.0.0.6", 5222

    def __init__(self, place, dns):
        self.place, self.folder = place, place.folder / "prosody"
        (self.folder / "data").mkdir(parents=True)
        make_certificate(self.folder, self.domain)
        self.configuration = self.folder / "prosody.cfg.lua"
        self.configuration.write_text(PROSODY.format(folder=self.folder, address=self.address,
                                                     dns=f"{dns.address}@{dns.port}"))
        self.process = None

    def start(self):
        self.process = self.place.keep(subprocess.Popen(
            ["/usr/bin/prosody", "--config", self.configuration, "-F"], stdout=subprocess.DEVNULL,
            stderr=open(self.folder / "stderr", "ab"), stdin=subprocess.DEVNULL))
        eventually(lambda: subprocess.run(["bash", "-c", f"exec 3<>/dev/tcp/{self.address}/5269"],
                                          capture_output=True).returncode == 0)
        return self

    def stop(self):
        self.process.terminate()
        self.process.wait(30)

    def add_user(self, name, password):
        folder = self.folder / "data" / "partner%2eexample" / "accounts"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.dat").write_text(f'return {{ ["password"] = "{password}"; }};\n')
        return f"{name}@{self.domain}"


async def test_messages_subscription_and_iq_both_ways(place):
    north, prosody = linked(place, Prosody)
    zoe, ann = partner.ZOE, await Person("ann@north.example", "secret-of-ann", north).log_in()
    zoe_there = await Person(zoe, "secret-of-zoe", prosody).log_in()
    ann.send_message(mto=zoe, mbody="from hansa", mtype="chat")
    await zoe_there.message("from hansa", "ann@north.example")
    zoe_there.send_message(mto="ann@north.example", mbody="from prosody", mtype="chat")
    await ann.message("from prosody", zoe)
    ann.send_presence_subscription(pto=zoe, ptype="subscribe")
    await ann.wait_for("presence_available", lambda p: p["from"].bare == zoe)
    zoe_there.send_presence_subscription(pto="ann@north.example", ptype="subscribe")
    await zoe_there.wait_for("presence_available", lambda p: p["from"].bare == "ann@north.example")
    info = await ann.plugin["xep_0030"].get_info("partner.example")
    assert info["disco_info"]["identities"]
    info = await zoe_there.plugin["xep_0030"].get_info("north.example")
    assert ("server", "im") in [(i[0], i[1]) for i in info["disco_info"]["identities"]]
    await ann.leave()
    await zoe_there.wait_for("presence_unavailable", lambda p: p["from"].bare == "ann@north.example")
    await zoe_there.leave()


async def test_bounce_while_it_is_stopped_and_flow_when_it_is_back(place):
    north, prosody = linked(place, Prosody)
    zoe, ann = partner.ZOE, await Person("ann@north.example", "secret-of-ann", north).log_in()
    zoe_there = await Person(zoe, "secret-of-zoe", prosody).log_in()
    ann.send_message(mto=zoe, mbody="one", mtype="chat")
    await zoe_there.message("one")
    zoe_there.abort()
    prosody.stop()
    ann.send_message(mto=zoe, mbody="two", mtype="chat")
    error = await ann.wait_for("error", lambda m: m["body"] == "two")
    assert error["error"]["condition"] == "remote-server-timeout"
    prosody.start()
    zoe_there = await Person(zoe, "secret-of-zoe", prosody).log_in()
    zoe_there.send_message(mto="ann@north.example", mbody="back", mtype="chat")
    await ann.message("back")
    ann.send_message(mto=zoe, mbody="three", mtype="chat")
    await zoe_there.message("three")
    await ann.leave()
    await zoe_there.leave()


class ProsodyWithSmacks(Prosody):
    """With its smacks between servers, which it has behind SASL EXTERNAL: both show certificates of one authority."""

    def __init__(self, place, dns):
        super().__init__(place, dns)
        self.authority = Authority()
        self.ca = self.authority.write(self.folder / "ca.pem")
        self.sign_for(self.folder, self.domain)
        text = self.configuration.read_text().replace('"posix" }', '"posix", "smacks" }').replace(
            'modules_disabled = { "s2s_auth_certs" }\n', "").replace('cert.pem" }', f'cert.pem", cafile = "{self.ca}" }}')
        self.configuration.write_text(text)
        self.policy = f'peer "{self.domain}" {{ authentication = {{ ca }}  ca = "{self.ca}" }}\n'

    def sign_for(self, folder, domain):
        """With the authority behind it, which clients trust then."""
        self.authority.sign_for(folder, domain)
        with open(folder / "cert.pem", "ab") as chain:
            chain.write(self.ca.read_bytes())

    def admit(self, north):
        self.sign_for(north.folder, north.domain)
        north.ctl("reload")


async def test_a_ping_shows_what_has_arrived(place):
    await partner.what_arrives_is_acknowledged(place, Prosody, "ping")


async def test_stream_management_between_servers(place):
    north = await partner.what_arrives_is_acknowledged(place, ProsodyWithSmacks, "xep-0198")
    log = place.folder / "prosody" / "log"
    eventually(lambda: "Received ack request" in log.read_text() and "#queue = 0 (acked: 1)" in log.read_text())
    assert "server stream refused" not in north.log()


if __name__ == "__main__":
    run(globals() | partner.tests(Prosody))
