# SPDX-License-Identifier: MIT
"""A server of the rigs: one that is killed, and whose disk may lose its power then (powerloss.c)."""
import fcntl
import os
import pathlib
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

from harness import BUILD, Branch, eventually  # noqa: E402

SLOW = 20000                    # microseconds: the disk that loses its power synchronises up to so slowly,
FAST = 4000                     # or so fast, if many messages shall be two commits: one for each account

CONFIGURATION = """
journal {{ archive = {archive}  {bounds} }}
limits {{ offline-messages = 1000000  offline-size = 1GB }}
"""


def configuration(archive, newest=None):
    """newest: what is more in an archive goes soon."""
    bounds = f"archive-messages = {newest}  archive-expiry = 100ms" if newest else ""
    return CONFIGURATION.format(archive=archive, bounds=bounds)


def shim_make():
    """By one at a time."""
    folder = os.open(BUILD, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    subprocess.run(["make", "-s", "-C", BUILD, "tests/rig/powerloss.so"], check=True, stdout=subprocess.DEVNULL)
    os.close(folder)


def power(seed, synchronous=None, stall=None):
    """The environment of a server whose disk loses its power when it is killed."""
    shim_make()
    more = {"LD_PRELOAD": str(BUILD / "tests/rig/powerloss.so"), "POWERLOSS_SEED": str(seed),
            "POWERLOSS_SLOW": str(SLOW),
            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
    if synchronous:
        more["POWERLOSS_SYNCHRONOUS"] = synchronous
    if stall:
        more["POWERLOSS_STALL"] = str(stall)
    return more


class Victim(Branch):
    """A server that is killed."""

    def __init__(self, *words, **settings):
        self.environment = {}
        super().__init__(*words, **settings)
        path = self.folder / "hansa.conf"       # encryption is not what is tried here
        path.write_text(path.read_text().replace("tls {", "tls {\n    client-required = false", 1))

    def launch(self):
        """Does not wait for it."""
        with open(self.folder / "stderr", "ab") as errors:
            self.process = subprocess.Popen([BUILD / "hansad", "-c", self.folder / "hansa.conf"], stdout=errors,
                                            stderr=errors, env={**os.environ, **self.environment})

    def start(self):
        self.launch()
        eventually(lambda: self.ctl("status", check=False).returncode == 0)
        return self

    def kill(self):
        """False: it had ended by itself."""
        if self.process.poll() is not None:
            return False
        return self.stop(signal.SIGKILL) == -signal.SIGKILL
