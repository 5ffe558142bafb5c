# SPDX-License-Identifier: MIT
"""A real DNS server (Debian's knot) with one zone, for the tests that link to somebody else's software."""
import subprocess

from harness import eventually, free_port

CONFIGURATION = """\
server:
    listen: {address}@{port}
    rundir: {folder}
log:
  - target: stderr
    any: warning
database:
    storage: {folder}
zone:
  - domain: example
    storage: {folder}
    file: example.zone
"""


class Knot:
    def __init__(self, place, address, records):
        self.folder = place.folder / "knot"
        self.folder.mkdir()
        self.address, self.port = address, free_port(address)
        zone = "$ORIGIN example.\n$TTL 60\n@ SOA ns hostmaster 1 60 60 60 60\n@ NS ns\nns A " + address + "\n"
        (self.folder / "example.zone").write_text(zone + records)
        (self.folder / "knot.conf").write_text(CONFIGURATION.format(folder=self.folder, address=address, port=self.port))
        place.keep(subprocess.Popen(["/usr/sbin/knotd", "-c", self.folder / "knot.conf"],
                                    stderr=open(self.folder / "log", "wb")))
        eventually(lambda: b"NOERROR" in subprocess.run(
            ["dig", f"@{address}", "-p", str(self.port), "example.", "SOA", "+time=1", "+tries=1"],
            capture_output=True).stdout)
