# SPDX-License-Identifier: MIT
"""A branch: one hansad with its own folder, configuration, certificate and control socket, started and stopped here."""
import json
import os
import pathlib
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HANSA_BUILD", ROOT / "build"))

CONFIGURATION = """\
server {{
    workers = {workers}
    control = "{folder}/control.sock"
}}
host "{domain}" {{ }}
tls {{
    certificate = "{folder}/cert.pem"
    key = "{folder}/key.pem"
}}
listen "clients" {{ kind = client  address = "{address}"  port = {c2s} }}
listen "clients-tls" {{ kind = client-tls  address = "{address}"  port = {c2s_tls} }}
listen "servers" {{ kind = server  address = "{address}"  port = {s2s} }}
listen "components" {{ kind = component  address = "{address}"  port = {component} }}
store {{ path = "{folder}/hansa.db" }}
log {{ target = file  path = "{folder}/hansad.log"  level = {level} }}
{more}
"""


def make_certificate(folder, domain):
    """A self-signed ECDSA certificate for the domain and everything below it."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "30", "-subj", f"/CN={domain}", "-addext", f"subjectAltName=DNS:{domain},DNS:*.{domain}",
         "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"], check=True, capture_output=True)


class Branch:
    def __init__(self, folder, domain, address, more="", workers=2, level="info", ports=(5222, 5223, 5269, 5347)):
        self.folder, self.domain, self.address = pathlib.Path(folder), domain, address
        self.c2s, self.c2s_tls, self.s2s, self.component = ports
        self.settings = dict(domain=domain, address=address, folder=self.folder, workers=workers, level=level,
                             c2s=self.c2s, c2s_tls=self.c2s_tls, s2s=self.s2s, component=self.component)
        self.process = None
        self.folder.mkdir(parents=True, exist_ok=True)
        make_certificate(self.folder, domain)
        self.configure(more)

    def configure(self, more):
        (self.folder / "hansa.conf").write_text(CONFIGURATION.format(more=more, **self.settings))

    def start(self):
        errors = open(self.folder / "stderr", "ab")
        self.process = subprocess.Popen([BUILD / "hansad", "-c", self.folder / "hansa.conf"],
                                        stdout=errors, stderr=errors)
        errors.close()
        for _ in range(600):
            if self.process.poll() is not None:
                raise RuntimeError(f"hansad of {self.domain} ended at once:\n" + self.errors())
            if (self.folder / "control.sock").exists() and self.ctl("status", check=False).returncode == 0:
                return self
            time.sleep(0.05)
        raise RuntimeError(f"hansad of {self.domain} does not answer:\n" + self.errors())

    def errors(self):
        return (self.folder / "stderr").read_text(errors="replace")

    def log(self):
        path = self.folder / "hansad.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def stop(self, how=signal.SIGTERM):
        """Stops it by its pid; answers its exit status."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(how)
        status = self.process.wait(timeout=60)
        self.process = None
        return status

    def ctl(self, *words, password=None, check=True):
        return subprocess.run([BUILD / "hansactl", "-s", self.folder / "control.sock", *words], check=check,
                              input=password, text=True, capture_output=True)

    def ask(self, *words):
        """A command's answer as data."""
        return json.loads(self.ctl("--json", *words).stdout)

    def add_user(self, name, password):
        self.ctl("user", "add", f"{name}@{self.domain}", password=password + "\n")
        return f"{name}@{self.domain}"
