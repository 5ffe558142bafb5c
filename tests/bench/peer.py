# SPDX-License-Identifier: MIT
"""Debian's Prosody as it is measured beside Hansa: with the modules that the work needs and no others, epoll, passwords
stored as SCRAM-SHA-256 keys, dialback over TLS, its own DNS look-ups through libunbound."""
import base64
import hashlib
import hmac
import socket
import subprocess
import time

from branch import make_certificate

CONFIGURATION = """\
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
certificates = "{folder}"
daemonize = false
run_as_root = true
network_backend = "epoll"
interfaces = {{ "{address}" }}
component_interfaces = {{ "{address}" }}
c2s_ports = {{ 5222 }}
s2s_ports = {{ 5269 }}
component_ports = {{ 5347 }}
c2s_direct_tls_ports = {{ }}
s2s_direct_tls_ports = {{ }}
modules_enabled = {{ "roster", "saslauth", "tls", "dialback", "disco", "ping", "posix" }}
modules_disabled = {{ "s2s_auth_certs" }}
c2s_require_encryption = false
s2s_require_encryption = true
s2s_secure_auth = false
authentication = "internal_hashed"
password_hash = "SHA-256"
unbound = {{ resolvconf = false, hoststxt = false, forward = "{dns}", options = {{ ["do-not-query-localhost:"] = "no" }} }}
log = {{ warn = "{folder}/log" }}
ssl = {{ key = "{folder}/key.pem", certificate = "{folder}/cert.pem" }}
VirtualHost "{domain}"
"""

COMPONENT = """\
Component "{name}"
    component_secret = "{secret}"
"""

ITERATIONS, SALT = 4096, "salt-of-the-benchmark"


def account(password):
    """What Prosody stores of a password (RFC 5802 section 3)."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), SALT.encode(), ITERATIONS)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    return {"iteration_count": ITERATIONS, "salt": SALT, "stored_key": hashlib.sha256(client_key).hexdigest(),
            "server_key": hmac.digest(salted, b"Server Key", "sha256").hex()}


def lua(value):
    return str(value) if isinstance(value, int) else f'"{value}"'


class Prosody:
    def __init__(self, folder, domain, address, users, dns="127.0.0.1@53", component=None, secret=None):
        self.folder, self.domain, self.address = folder, domain, address
        accounts = folder / "data" / domain.replace(".", "%2e") / "accounts"
        accounts.mkdir(parents=True)
        make_certificate(folder, domain)
        text = CONFIGURATION.format(folder=folder, address=address, domain=domain, dns=dns)
        if component:
            text += COMPONENT.format(name=component, secret=secret)
        (folder / "prosody.cfg.lua").write_text(text)
        for number in range(1, users + 1):
            fields = "".join(f'["{name}"] = {lua(value)}; ' for name, value in account(f"pass{number}").items())
            (accounts / f"user{number}.dat").write_text(f"return {{ {fields}}};\n")

    def start(self):
        with open(self.folder / "stderr", "ab") as errors:
            self.process = subprocess.Popen(["prosody", "--config", self.folder / "prosody.cfg.lua", "-F"],
                                            stdin=subprocess.DEVNULL, stdout=errors, stderr=errors)
        for _ in range(200):
            try:
                socket.create_connection((self.address, 5222), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        self.words = ["--host", self.address, "--domain", self.domain, "--pid", self.process.pid]
        return self

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
