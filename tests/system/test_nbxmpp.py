# SPDX-License-Identifier: MIT
"""python3-nbxmpp, the library of Gajim, on its GLib main loop: login, carbons, archive, personal nodes, a broken cable."""
import logging
import warnings
from datetime import datetime, timedelta, timezone

warnings.simplefilter("ignore")
logging.disable(logging.WARNING)

import gi  # noqa: E402

gi.require_version("Soup", "3.0")

from cable import Cable  # noqa: E402
from gi.repository import GLib  # noqa: E402
from harness import eventually, run  # noqa: E402
from nbxmpp.client import Client  # noqa: E402
from nbxmpp.const import ConnectionProtocol, ConnectionType  # noqa: E402
from nbxmpp.errors import StanzaError  # noqa: E402
from nbxmpp.namespaces import Namespace  # noqa: E402
from nbxmpp.protocol import Iq, JID, Message, Presence  # noqa: E402
from nbxmpp.structs import BookmarkData, StanzaHandler  # noqa: E402

ARCHIVE = "journal { archive = always }\n"


def until(true, seconds=20):
    """Waits until true() holds while the main loop runs; answers what it answered."""
    def looked():
        while GLib.MainContext.default().iteration(False):
            pass
        return true()
    return eventually(looked, seconds, 0.005)


class Gajim:
    """A client as Gajim drives the library: it enables carbons, sends presence, and connects again to resume."""

    def __init__(self, branch, name, resource, direct_tls=False):
        self.jid = JID.from_string(f"{name}@{branch.domain}")
        self.heard, self.found, self.ids, self.pushed = [], [], [], []
        self.signals = []
        self.client = client = Client(log_context=f"{name}/{resource}")
        client.set_domain(branch.domain)
        client.set_username(name)
        client.set_password(f"secret-of-{name}")
        client.set_resource(resource)
        kind = ConnectionType.DIRECT_TLS if direct_tls else ConnectionType.START_TLS
        port = branch.c2s_tls if direct_tls else branch.c2s
        client.set_custom_host(f"{branch.address}:{port}", ConnectionProtocol.TCP, kind)
        client.set_ignore_tls_errors(True)
        for signal in ("connected", "resume-successful", "resume-failed", "disconnected", "connection-failed"):
            client.subscribe(signal, self.signalled)
        client.register_handler(StanzaHandler(name="message", callback=self.hear, priority=50))
        client.register_handler(StanzaHandler(name="iq", callback=self.push, typ="set", ns=Namespace.BLOCKING,
                                              priority=50))

    def signalled(self, _client, signal):
        self.signals.append(signal)

    def hear(self, _client, _stanza, properties):
        if properties.mam:
            self.found.append((properties.mam.id, str(properties.from_.bare), properties.body))
        elif properties.pubsub_event:
            self.pushed.append(properties.pubsub_event)
        elif properties.body:
            self.heard.append((str(properties.from_.bare), properties.body))
            self.ids += [i.id for i in properties.stanza_ids if i.by == str(self.jid)]

    def push(self, _client, _stanza, properties):
        self.pushed.append(properties.blocking)

    def connect(self, wanted="connected"):
        self.signals.clear()
        self.client.connect()
        until(lambda: wanted in self.signals)
        return self

    def log_in(self):
        self.connect()
        enable = Iq("set")
        enable.addChild("enable", namespace=Namespace.CARBONS)
        answers = []
        self.client.SendAndCallForResponse(enable, lambda _client, answer: answers.append(answer))
        until(lambda: answers)
        assert answers[0].getType() == "result", answers
        self.client.send_stanza(Presence())
        return self

    def ask(self, module, what, *words, **named):
        """Calls a module of the library and answers with its result."""
        results = []

        def done(task):
            try:
                results.append(task.finish())
            except StanzaError as error:
                results.append(error)
        getattr(self.client.get_module(module), what)(*words, callback=done, **named)
        until(lambda: results)
        if isinstance(results[0], StanzaError):
            raise results[0]
        return results[0]

    def say(self, to, body):
        self.client.send_stanza(Message(to=to, body=body, typ="chat"))

    def archive(self, **filters):
        """Page by page as Gajim does: forwards, from the last id it has."""
        self.found, after, count = [], None, 0
        while True:
            page = self.ask("MAM", "make_query", self.jid, queryid="page", after=after, max_=4, **filters)
            count += 1
            if page.complete:
                return self.found, count
            after = page.rsm.last

    def leave(self):
        if "disconnected" not in self.signals:
            self.client.disconnect()
            until(lambda: "disconnected" in self.signals)


def household(branch, where=None):
    for name in ("ann", "bob"):
        branch.add_user(name, f"secret-of-{name}")
    where = where or branch
    return Gajim(branch, "ann", "desk").log_in(), Gajim(where, "ann", "phone").log_in(), Gajim(branch, "bob", "x").log_in()


def test_starttls_and_direct_tls(place):
    north = place.branch()
    north.add_user("ann", "secret-of-ann")
    for direct in (False, True):
        Gajim(north, "ann", "desk", direct).log_in().leave()
    eventually(lambda: north.ask("session", "list") == [])


def test_talk_carbons_and_archive_agree(place):
    north = place.branch(more=ARCHIVE)
    desk, phone, bob = household(north)
    talk = []
    for n in range(10):
        desk.say(bob.jid, f"question {n}")
        until(lambda: ("ann@north.example", f"question {n}") in bob.heard)
        bob.say(desk.client.get_bound_jid(), f"answer {n}")
        until(lambda: ("bob@north.example", f"answer {n}") in desk.heard)
        talk += [("ann@north.example", f"question {n}"), ("bob@north.example", f"answer {n}")]
    until(lambda: len(phone.heard) >= 20)
    assert phone.heard == talk
    found, pages = phone.archive()
    assert [(who, what) for _, who, what in found] == talk and pages >= 5
    assert [id_ for id_, _, _ in found] == phone.ids
    hour_ago = datetime.now(timezone.utc) - timedelta(hours=1)
    assert phone.archive(start=hour_ago)[0] == found
    assert phone.archive(end=hour_ago)[0] == []
    for someone in (desk, phone, bob):
        someone.leave()


def test_a_pulled_cable_loses_and_doubles_nothing(place):
    north = place.branch()
    cable = Cable(place, north)
    desk, phone, bob = household(north, cable)
    talk = []
    for n in range(30):
        if n % 10 == 5:
            cable.pull()
        desk.say(bob.jid, f"question {n}")
        until(lambda: ("ann@north.example", f"question {n}") in bob.heard)
        bob.say("ann@north.example", f"answer {n}")
        until(lambda: ("bob@north.example", f"answer {n}") in desk.heard)
        talk += [("ann@north.example", f"question {n}"), ("bob@north.example", f"answer {n}")]
        if n % 10 == 9:
            phone.say(bob.jid, f"said into the dark {n}")
            until(lambda: True)
            phone.client.disconnect(immediate=True)
            until(lambda: "disconnected" in phone.signals)
            cable.mend()
            phone.connect("resume-successful")
            until(lambda: ("ann@north.example", f"said into the dark {n}") in bob.heard)
    until(lambda: len(phone.heard) >= len(talk))
    assert phone.heard == talk
    assert [what for _, what in bob.heard if "dark" in what] == [f"said into the dark {n}" for n in (9, 19, 29)]
    for someone in (desk, phone, bob):
        someone.leave()


def test_a_session_that_is_gone_is_said_and_bound_anew(place):
    north = place.branch(more="limits { resume-time = 1s }\n")
    cable = Cable(place, north)
    desk, phone, bob = household(north, cable)
    cable.cut()
    until(lambda: "disconnected" in phone.signals)
    eventually(lambda: len(north.ask("session", "list")) == 2)
    cable.mend()
    phone.connect("connected")
    assert "resume-failed" in phone.signals
    phone.client.send_stanza(Presence())
    bob.say(phone.client.get_bound_jid(), "welcome back")
    until(lambda: ("bob@north.example", "welcome back") in phone.heard)
    for someone in (desk, phone, bob):
        someone.leave()


def test_blocking(place):
    north = place.branch()
    desk, phone, bob = household(north)
    assert phone.ask("Blocking", "request_blocking_list") == set()
    desk.ask("Blocking", "block", [bob.jid])
    until(lambda: phone.pushed)
    assert phone.pushed[0].block == {bob.jid}
    assert phone.ask("Blocking", "request_blocking_list") == {bob.jid}
    desk.ask("Blocking", "unblock", [bob.jid])
    until(lambda: len(phone.pushed) == 2)
    assert phone.pushed[1].unblock == {bob.jid}
    for someone in (desk, phone, bob):
        someone.leave()


def test_bookmarks_in_each_form(place):
    """XEP-0402, and XEP-0048 in private storage and in its node, are views of the same bookmarks."""
    north = place.branch()
    desk, phone, bob = household(north)
    room = BookmarkData(jid=JID.from_string("room@rooms.example"), name="The room", nick="ann", autojoin=True)
    desk.ask("NativeBookmarks", "store_bookmarks", [room])
    assert phone.ask("NativeBookmarks", "request_bookmarks") == [room]
    assert phone.ask("PrivateBookmarks", "request_bookmarks") == [room]
    assert phone.ask("PEPBookmarks", "request_bookmarks") == [room]
    other = BookmarkData(jid=JID.from_string("other@rooms.example"), name="Another", nick="ann", autojoin=False)
    phone.ask("PrivateBookmarks", "store_bookmarks", [room, other])
    assert {b.jid for b in desk.ask("NativeBookmarks", "request_bookmarks")} == {room.jid, other.jid}
    desk.ask("PEPBookmarks", "store_bookmarks", [other])
    assert [b.jid for b in desk.ask("PEPBookmarks", "request_bookmarks")] == [other.jid]
    assert [b.jid for b in phone.ask("NativeBookmarks", "request_bookmarks")] == [other.jid]
    desk.ask("NativeBookmarks", "retract_bookmark", other.jid)
    assert phone.ask("PrivateBookmarks", "request_bookmarks") == []
    for someone in (desk, phone, bob):
        someone.leave()


if __name__ == "__main__":
    run(globals())
