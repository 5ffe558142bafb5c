# SPDX-License-Identifier: MIT
"""What the system tests share: a folder that goes away, branches that are stopped, functions that are run in order.

A test file defines functions `test_*(place)`; `run(globals())` at its end runs each with a fresh Place and exits with 1
when one failed. With names as arguments only those are run.
"""
import asyncio
import concurrent.futures
import inspect
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs" / "demo"))
sys.dont_write_bytecode = True
FOOTER = b"</stream:stream>"

from branch import BUILD, Branch, make_certificate  # noqa: E402
from nameserver import Dns  # noqa: E402
from person import Person  # noqa: E402


class Place:
    """Where one test lives: its folder, what it started, and how it ends."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.branches, self.others, self.ends = [], [], []

    def branch(self, domain="north.example", address="127.0.0.2", more="", **settings):
        name = f"{domain}-{len(self.branches)}"
        branch = Branch(self.folder / name, domain, address, more, **settings)
        self.branches.append(branch)
        return branch.start()

    def keep(self, process):
        """A process of the test's, ended with it."""
        self.others.append(process)
        return process

    def close(self):
        """Ends everything; a server must have left cleanly, a sanitizer must have found nothing."""
        faults = []
        for end in self.ends:
            end()
        for process in self.others:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        for branch in self.branches:
            status = branch.stop()
            if status not in (0, None):
                faults.append(f"hansad of {branch.domain} left with {status}")
            if "ERROR: " in branch.errors() or "runtime error" in branch.errors() or "WARNING: " in branch.errors():
                faults.append(f"hansad of {branch.domain} wrote:\n{branch.errors()[-6000:]}")
        return faults

    def tell(self):
        for branch in self.branches:
            print(f"--- log of {branch.domain} ({branch.folder.name})\n{branch.log()[-5000:]}")
            print(f"--- stderr\n{branch.errors()[-3000:]}")


def looks(true, seconds):
    """What true() answers, look by look; the first that holds is the last one."""
    end = time.monotonic() + seconds
    answer = true()
    while not answer:
        if time.monotonic() > end:
            raise AssertionError(f"did not come true: {inspect.getsource(true).strip()}")
        yield answer
        answer = true()
    yield answer


def eventually(true, seconds=20, every=0.05):
    """Waits until true() holds; answers what it answered."""
    for answer in looks(true, seconds):
        if answer:
            return answer
        time.sleep(every)


async def soon(true, seconds=20, every=0.05):
    """eventually() that lets the people of a test go on meanwhile."""
    for answer in looks(true, seconds):
        if answer:
            return answer
        await asyncio.sleep(every)


def free_port(address):
    with socket.socket() as s:
        s.bind((address, 0))
        return s.getsockname()[1]


class Raw:
    """A client of bytes, for what no library would send."""

    def __init__(self, address, port, timeout=20):
        self.socket = socket.create_connection((address, port), timeout)
        self.got = b""

    def send(self, text):
        self.socket.sendall(text if isinstance(text, bytes) else text.encode())
        return self

    def expect(self, text):
        """Reads until text has come; answers everything up to its end and forgets it."""
        wanted = text.encode()
        while wanted not in self.got:
            more = b"" if FOOTER in self.got else self.socket.recv(65536)
            if not more:
                raise AssertionError(f"closed before {text!r} came, got {self.got[-2000:]!r}")
            self.got += more
        end = self.got.index(wanted) + len(wanted)
        head, self.got = self.got[:end], self.got[end:]
        return head.decode(errors="replace")

    def expect_close(self):
        """Reads to the end, with our half of the closing handshake (RFC 6120 4.4) when theirs comes; answers what came."""
        closed = False
        try:
            while True:
                if not closed and FOOTER in self.got:
                    closed = True
                    self.send(FOOTER)
                more = self.socket.recv(65536)
                if not more:
                    break
                self.got += more
        except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            pass
        self.close()
        return self.got.decode(errors="replace")

    def close(self):
        self.socket.close()


def run_one(name, test):
    with tempfile.TemporaryDirectory(prefix="hansa-test-") as folder:
        os.chmod(folder, 0o755)
        place = Place(folder)
        faults = []
        began = time.monotonic()
        try:
            if inspect.iscoroutinefunction(test):
                asyncio.get_event_loop().run_until_complete(asyncio.wait_for(test(place), 240))
            else:
                test(place)
        except Exception:  # every failure is told the same way
            faults.append(traceback.format_exc())
        faults += place.close()
        print(f"{'FAIL' if faults else 'ok  '} {time.monotonic() - began:5.1f} s  {name}", flush=True)
        if faults:
            print("\n".join(faults))
            place.tell()
        return not faults


def run_apart(name):
    """In a process of its own, which tells all at its end; what it writes to stderr is seen at once."""
    done = subprocess.run([sys.executable, "-W", "ignore", sys.argv[0], name], stdout=subprocess.PIPE, text=True)
    print(done.stdout, end="", flush=True)
    return done.returncode == 0


def run(names, beside=1):
    """beside: so many of them at a time, which must not meet."""
    chosen = sys.argv[1:]
    tests = [(n, t) for n, t in names.items() if n.startswith("test_") and callable(t) and (not chosen or n in chosen)]
    if beside > 1 and len(tests) > 1:
        with concurrent.futures.ThreadPoolExecutor(beside) as pool:
            results = list(pool.map(run_apart, [name for name, _ in tests]))
    else:
        results = [run_one(name, test) for name, test in tests]
    sys.exit(0 if results and all(results) else 1)
