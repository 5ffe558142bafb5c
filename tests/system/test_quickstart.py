#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""./quickstart as somebody uses it who has just cloned: what it prints is enough to log in, and it can be run again."""
import asyncio
import os
import re
import signal
import socket
import subprocess
import types

from harness import BUILD, ROOT, Person, run

ADDRESS = "127.0.0.30"


class Quickstart:
    """A run in a session of its own, so that Ctrl-C reaches what a terminal would reach."""

    def __init__(self, place, *options):
        self.process = place.keep(subprocess.Popen(
            [ROOT / "quickstart", *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True, env={**os.environ, "HANSA_BUILD": str(BUILD)}))
        self.said = ""

    def ready(self):
        """Reads up to the last line that it says when all stands; answers what to type into a client."""
        for line in self.process.stdout:
            self.said += line
            if line.startswith("Ctrl-C"):
                return dict(re.findall(r"^    (JID|password|server|port) +(.*)$", self.said, re.M))
        raise AssertionError(f"it ended with {self.process.wait()}:\n{self.said}")

    def interrupt(self):
        """Ctrl-C; answers the exit status."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.end()

    def end(self):
        self.said += self.process.stdout.read()
        return self.process.wait(60)


def options(place):
    return "--data", str(place.folder / "data"), "--listen", ADDRESS


def person(place, typed):
    start_tls, direct = (int(port) for port in re.findall(r"\d+", typed["port"]))
    server = types.SimpleNamespace(address=typed["server"], c2s=start_tls, c2s_tls=direct, folder=place.folder / "data")
    return Person(typed["JID"], typed["password"], server)


async def test_what_it_prints_is_enough_to_log_in(place):
    first = Quickstart(place, *options(place))
    typed = first.ready()
    admin = await person(place, typed).log_in()
    admin.send_message(mto=admin.boundjid.bare, mbody="to myself", mtype="chat")
    await admin.message("to myself")
    add = re.search(r"^    (\S+hansactl .* user add \S+)$", first.said, re.M).group(1)
    subprocess.run(add, shell=True, cwd=ROOT, input="secret-of-ann\n", text=True, check=True, stdout=subprocess.PIPE)
    await admin.leave()
    assert first.interrupt() == 0
    assert "server stopped" in first.said, first.said

    second = Quickstart(place, *options(place))
    again = second.ready()
    assert again["JID"] == typed["JID"] and typed["password"] not in second.said, second.said
    admin = await person(place, typed).log_in()
    ann = await person(place, {**typed, "JID": "ann@localhost", "password": "secret-of-ann"}).log_in()
    ann.send_message(mto=admin.boundjid.bare, mbody="good morning", mtype="chat")
    await admin.message("good morning", "ann@localhost")
    await asyncio.gather(admin.leave(), ann.leave())
    assert second.interrupt() == 0


def test_a_second_server_for_the_same_folder_is_refused(place):
    first = Quickstart(place, *options(place))
    first.ready()
    second = Quickstart(place, *options(place))
    assert second.end() == 1 and "runs already" in second.said, second.said
    assert first.interrupt() == 0


def test_a_terminal_that_goes_away_ends_it(place):
    quickstart = Quickstart(place, *options(place))
    quickstart.ready()
    os.killpg(quickstart.process.pid, signal.SIGHUP)
    quickstart.end()
    assert "server stopped" in quickstart.said, quickstart.said


def test_a_port_in_use_is_named_and_the_next_run_begins_anew(place):
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((ADDRESS, 5222))
        other.listen()
        first = Quickstart(place, *options(place))
        assert first.end() == 1 and f"{ADDRESS}:5222: Address already in use" in first.said, first.said
    second = Quickstart(place, *options(place))
    assert " " not in second.ready()["password"], second.said
    assert second.interrupt() == 0


def test_wrong_options_are_told(place):
    for words, answer in ((("nonsense",), "usage:"), (("--data",), "usage:"), (("demo", "--domain", "x"), "usage:"),
                          (("--domain", "foo_bar"), "not a domain name"), (("--listen", "here"), "not an IP address")):
        quickstart = Quickstart(place, *words)
        assert quickstart.end() == 2 and answer in quickstart.said, (words, quickstart.said)
    (place.folder / "data").write_text("not a folder")
    quickstart = Quickstart(place, *options(place))
    assert quickstart.end() == 1 and "may not use" in quickstart.said, quickstart.said


def test_what_exists_is_not_changed_by_other_options(place):
    first = Quickstart(place, *options(place))
    first.ready()
    assert first.interrupt() == 0
    second = Quickstart(place, *options(place), "--domain", "north.example")
    assert second.end() == 2 and f"serves localhost on {ADDRESS}" in second.said, second.said


run(globals())
