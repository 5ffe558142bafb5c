# SPDX-License-Identifier: MIT
"""Debian's Prosody and ejabberd as they are measured beside Hansa: with the modules that the work needs and no others.

Prosody: epoll, passwords stored as SCRAM-SHA-256 keys, dialback over TLS, its own DNS look-ups through libunbound. Both with
XEP-0198, and on demand with the archive of every account in SQLite, as durable as they make it without being told."""
import base64
import hashlib
import hmac
import os
import shutil
import socket
import sqlite3
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
modules_enabled = {{ "roster", "saslauth", "tls", "dialback", "disco", "ping", "posix", "smacks"{more} }}
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

ARCHIVE = """\
storage = {{ archive = "sql" }}
sql = {{ driver = "SQLite3", database = "{folder}/archive.sqlite" }}
default_archive_policy = true
archive_expires_after = "never"
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


HEADER = ("<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
          " to='{domain}' version='1.0'>")


def has_features(address, domain):
    """Whether a stream to the domain gets as far as its features."""
    heard = b""
    try:
        with socket.create_connection((address, 5222), 1) as connection:
            connection.sendall(HEADER.format(domain=domain).encode())
            while b"</stream:features>" not in heard:
                more = connection.recv(65536)
                if not more:
                    return False
                heard += more
        return True
    except OSError:
        return False


def wait_for_server(process, address, domain):
    """ejabberd listens before it serves its hosts: who comes too early has his stream ended."""
    for _ in range(1200):
        if has_features(address, domain):
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    process.terminate()
    process.wait()
    raise RuntimeError(f"{domain} is not served at {address}")


class Prosody:
    def __init__(self, folder, domain, address, users, dns="127.0.0.1@53", component=None, secret=None, archive=False):
        self.folder, self.domain, self.address = folder, domain, address
        accounts = folder / "data" / domain.replace(".", "%2e") / "accounts"
        accounts.mkdir(parents=True)
        make_certificate(folder, domain)
        text = CONFIGURATION.format(folder=folder, address=address, domain=domain, dns=dns,
                                    more=', "mam"' if archive else "")
        if archive:
            text = ARCHIVE.format(folder=folder) + text
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
        wait_for_server(self.process, self.address, self.domain)
        self.words = ["--host", self.address, "--domain", self.domain, "--pid", self.process.pid]
        return self

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


EJABBERD = """\
hosts: ["{domain}"]
loglevel: error
certfiles: ["{folder}/both.pem"]
auth_method: sql
sql_type: sqlite
sql_database: "{folder}/ejabberd.sqlite"
shaper_rules: {{ max_user_sessions: 1000 }}
listen:
  - {{ port: 5222, ip: "{address}", module: ejabberd_c2s, starttls: true, max_stanza_size: 262144 }}
modules:
  mod_roster: {{}}
  mod_disco: {{}}
  mod_stream_mgmt: {{}}
"""

LIBRARIES = "/usr/lib/x86_64-linux-gnu"


class Ejabberd:
    """In a folder of its own, without the script that changes to another user."""

    def __init__(self, folder, domain, address, users, archive=False):
        self.folder, self.domain, self.address = folder, domain, address
        folder.mkdir(parents=True)
        make_certificate(folder, domain)
        (folder / "both.pem").write_text((folder / "cert.pem").read_text() + (folder / "key.pem").read_text())
        text = EJABBERD.format(folder=folder, domain=domain, address=address)
        if archive:
            text += "  mod_mam: { db_type: sql, default: always, cache_size: 10000 }\n"
        (folder / "ejabberd.yml").write_text(text)
        with sqlite3.connect(folder / "ejabberd.sqlite") as database:
            with open("/usr/share/ejabberd/sql/lite.sql", encoding="utf-8") as schema:
                database.executescript(schema.read())
            database.executemany("INSERT INTO users (username, password) VALUES (?, ?)",
                                 [(f"user{number}", f"pass{number}") for number in range(1, users + 1)])
        database.close()

    @staticmethod
    def is_installed():
        return shutil.which("ejabberdctl") and shutil.which("erl")

    def start(self):
        settings = dict(os.environ, ERL_LIBS=LIBRARIES, EJABBERD_CONFIG_PATH=str(self.folder / "ejabberd.yml"),
                        EJABBERD_LOG_PATH=str(self.folder / "ejabberd.log"), HOME=str(self.folder), ERL_MAX_PORTS="32000",
                        ERL_CRASH_DUMP=str(self.folder / "erl_crash.dump"))
        with open(self.folder / "stderr", "ab") as errors:
            self.process = subprocess.Popen(
                ["erl", "-noinput", "+K", "true", "+P", "250000", "-mnesia", "dir", f'"{self.folder}/mnesia"', "-s",
                 "ejabberd"], stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, env=settings, cwd=self.folder)
        wait_for_server(self.process, self.address, self.domain)
        self.words = ["--host", self.address, "--domain", self.domain, "--pid", self.process.pid]
        return self

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
