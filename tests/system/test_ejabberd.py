# SPDX-License-Identifier: MIT
"""Debian's ejabberd as the partner organisation: subscriptions, presence, archive and carbons across the link."""
import os
import subprocess

import partner
from harness import eventually, make_certificate, run

CONFIGURATION = """\
hosts: [ "partner.example" ]
loglevel: info
certfiles: [ "{folder}/both.pem" ]
ca_file: "{folder}/cert.pem"
s2s_use_starttls: required
auth_password_format: scram
listen:
  - {{ port: 5222, ip: "{address}", module: ejabberd_c2s, starttls_required: true }}
  - {{ port: 5269, ip: "{address}", module: ejabberd_s2s_in }}
modules:
  mod_disco: {{}}
  mod_last: {{}}
  mod_offline: {{}}
  mod_ping: {{}}
  mod_roster: {{}}
  mod_s2s_dialback: {{}}
"""


class Ejabberd:
    domain, address, c2s = "partner.example", "127.0.0.6", 5222
    # It asks DNS for the SRV records only; the address of their target comes from the C library.
    records = partner.RECORDS.replace("5269 xmpp.north", "5269 127.0.0.2.")

    def __init__(self, place, dns):
        self.place, self.folder = place, place.folder / "ejabberd"
        self.folder.mkdir()
        make_certificate(self.folder, self.domain)
        both = (self.folder / "cert.pem").read_text() + (self.folder / "key.pem").read_text()
        (self.folder / "both.pem").write_text(both)
        (self.folder / "ejabberd.yml").write_text(CONFIGURATION.format(folder=self.folder, address=self.address))
        address = dns.address.replace(".", ",")
        (self.folder / "inetrc").write_text(f'{{resolv_conf, ""}}.\n{{lookup, [dns]}}.\n'
                                            f'{{nameserver, {{{address}}}, {dns.port}}}.\n')
        self.users = []

    def start(self):
        register = "".join(f'ejabberd_auth:try_register(<<"{name}">>, <<"{self.domain}">>, <<"{password}">>),'
                           for name, password in self.users)
        environment = {**os.environ, "ERL_LIBS": "/usr/lib/x86_64-linux-gnu", "HOME": str(self.folder),
                       "EJABBERD_CONFIG_PATH": str(self.folder / "ejabberd.yml"),
                       "EJABBERD_LOG_PATH": str(self.folder / "ejabberd.log"),
                       "ERL_INETRC": str(self.folder / "inetrc"), "ERL_CRASH_DUMP": str(self.folder / "dump")}
        self.process = self.place.keep(subprocess.Popen(
            ["/usr/bin/erl", "-noinput", "-mnesia", "dir", f'"{self.folder}/spool"', "-s", "ejabberd",
             "-eval", f'{register} file:write_file("{self.folder}/up", <<>>).'],
            env=environment, cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=open(self.folder / "out", "ab"), stderr=subprocess.STDOUT))
        eventually(lambda: (self.folder / "up").exists() and subprocess.run(
            ["bash", "-c", f"exec 3<>/dev/tcp/{self.address}/5269"], capture_output=True).returncode == 0)
        return self

    def stop(self):
        self.process.terminate()
        self.process.wait(30)

    def add_user(self, name, password):
        """Users are registered when it starts."""
        self.users.append((name, password))


async def test_a_ping_shows_what_has_arrived(place):
    await partner.what_arrives_is_acknowledged(place, Ejabberd, "ping")


if __name__ == "__main__":
    run(globals() | partner.tests(Ejabberd))
