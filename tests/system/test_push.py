# SPDX-License-Identifier: MIT
"""Push notifications (XEP-0357): an app server attached as a component hears of messages for those who are not there."""
import asyncio
import xml.etree.ElementTree as ET

from slixmpp.componentxmpp import ComponentXMPP
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from cable import Cable
from harness import Person, run, soon
from phone import Phone

SECRET = "a-long-enough-secret"
APP = "push.app.example"
SETTINGS = f'component "{APP}" {{ secret = "{SECRET}" }}\npush {{ interval = 100ms %s }}\n%s'
PUBSUB = "{http://jabber.org/protocol/pubsub}"
FORM = "{jabber:x:data}"
QUIET = 1.5         # in which what is not wanted would have come


def fields(form):
    return {f.get("var"): f.findtext(FORM + "value") for f in form.iter(FORM + "field")}


class AppServer(ComponentXMPP):
    """Keeps what is published, as (from, node, summary, options), and answers with a result or what refuse says."""

    def __init__(self, branch):
        super().__init__(APP, SECRET, branch.address, branch.component)
        self.told, self.refuse = [], None
        self.attached = asyncio.Event()
        self.add_event_handler("session_start", lambda _: self.attached.set())
        self.register_handler(Callback("push", MatchXPath(f"{{jabber:component:accept}}iq/{PUBSUB}pubsub"),
                                       self.published))

    async def attach(self):
        self.connect()
        await asyncio.wait_for(self.attached.wait(), 20)
        return self

    def published(self, iq):
        xml = ET.fromstring(str(iq))
        publish, options = xml.find(f".//{PUBSUB}publish"), xml.find(f".//{PUBSUB}publish-options")
        self.told.append((iq["from"].full, publish.get("node"),
                          fields(publish), fields(options) if options is not None else {}))
        if self.refuse:
            self.send_raw(f"<iq type='error' id='{iq['id']}' from='{APP}' to='{iq['from']}'>{self.refuse}</iq>")
        else:
            self.send_raw(f"<iq type='result' id='{iq['id']}' from='{APP}' to='{iq['from']}'/>")

    def counts(self):
        return [int(summary["message-count"]) for _, _, summary, _ in self.told]


def refusal(condition, kind):
    return (f"<error type='{kind}'><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>")


async def enable(person, node="node", options=True):
    form = ("<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>"
            "http://jabber.org/protocol/pubsub#publish-options</value></field>"
            "<field var='secret'><value>eruio234</value></field></x>" if options else "")
    return await ask(person, f"<enable xmlns='urn:xmpp:push:0' jid='{APP}' node='{node}'>{form}</enable>")


async def ask(person, payload):
    iq = person.make_iq_set()
    iq.append(ET.fromstring(payload))
    try:
        return (await iq.send(timeout=20))["type"]
    except Exception as refused:        # slixmpp has an exception for each way to say no
        return refused.condition


async def scene(place, more="", limits="", person=Phone):
    north = place.branch(more=SETTINGS % (more, limits))
    app = await AppServer(north).attach()
    ann = await Person(north.add_user("ann", "secret-of-ann"), "secret-of-ann", north).log_in()
    bob = await person(north.add_user("bob", "secret-of-bob") + "/phone", "secret-of-bob", north).log_in()
    return north, app, ann, bob


def say(ann, text, to="bob@north.example", kind="chat"):
    ann.send_message(mto=to, mbody=text, mtype=kind)


async def end(app, *people):
    for person in people:
        await person.leave()
    app.disconnect()


async def test_who_is_not_there_is_told_without_content(place):
    north, app, ann, bob = await scene(place, person=Person)
    assert "urn:xmpp:push:0" in (await bob.plugin["xep_0030"].get_info(jid="bob@north.example"))["disco_info"]["features"]
    assert await enable(bob) == "result"
    say(ann, "while he is there")
    await bob.message("while he is there")
    await bob.leave()
    ann.send_raw("<message to='bob@north.example' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/>"
                 "</message>")
    say(ann, "one")
    await soon(lambda: app.told)
    say(ann, "two")
    await soon(lambda: app.counts()[-1] == 2)
    assert app.told[0] == ("north.example", "node", {"FORM_TYPE": "urn:xmpp:push:summary", "message-count": "1"},
                           {"FORM_TYPE": "http://jabber.org/protocol/pubsub#publish-options", "secret": "eruio234"})
    bob = await Person("bob@north.example/phone", "secret-of-bob", north).log_in()
    await bob.message("two")
    await bob.leave()
    say(ann, "three")
    await soon(lambda: app.counts()[-1] == 1)
    assert len(app.told) <= 3, app.told
    await end(app, ann)


async def test_it_is_told_again_after_a_restart_and_no_more_when_disabled(place):
    north, app, ann, bob = await scene(place, more="content = body", person=Person)
    await enable(bob, "one", options=False)
    await enable(bob, "two")
    await end(app, ann, bob)
    assert north.stop() == 0
    north.start()
    app = await AppServer(north).attach()
    ann = await Person("ann@north.example/home", "secret-of-ann", north).log_in()
    say(ann, "Wherefore art thou?")
    await soon(lambda: len(app.told) == 2)
    assert sorted(node for _, node, _, _ in app.told) == ["one", "two"]
    assert all((s["last-message-sender"], s["last-message-body"]) == ("ann@north.example/home", "Wherefore art thou?")
               for _, _, s, _ in app.told)
    bob = await Person("bob@north.example/other", "secret-of-bob", north).log_in()
    await bob.message("Wherefore art thou?")
    assert await ask(bob, f"<disable xmlns='urn:xmpp:push:0' jid='{APP}' node='one'/>") == "result"
    await bob.leave()
    say(ann, "again")
    await soon(lambda: len(app.told) == 3)
    assert app.told[-1][1] == "two"
    bob = await Person("bob@north.example/other", "secret-of-bob", north).log_in()
    assert await ask(bob, f"<disable xmlns='urn:xmpp:push:0' jid='{APP}'/>") == "result"
    await bob.leave()
    say(ann, "and again")
    await asyncio.sleep(QUIET)
    assert len(app.told) == 3, app.told
    await end(app, ann)


async def test_a_session_that_waits_for_its_client(place):
    north, app, ann, bob = await scene(place)
    await enable(bob)
    await bob.cut(True)
    say(ann, "one")
    await soon(lambda: app.counts() == [1])
    await bob.come_back()
    await bob.message("one")
    say(ann, "there")
    await bob.message("there")
    await asyncio.sleep(QUIET)
    assert app.counts() == [1]
    await end(app, ann, bob)


async def test_a_session_that_waits_while_the_server_starts_anew(place):
    north, app, ann, bob = await scene(place)
    await enable(bob)
    await bob.cut(True)
    await end(app, ann)
    assert north.stop() == 0
    north.start()
    app = await AppServer(north).attach()
    ann = await Person("ann@north.example/home", "secret-of-ann", north).log_in()
    say(ann, "after the restart")
    await soon(lambda: app.counts() == [1])
    await bob.come_back()
    await bob.message("after the restart")
    assert bob.resumed == 1
    await end(app, ann, bob)


async def test_a_message_that_went_into_a_dead_connection(place):
    north, app, ann, desk = await scene(place, limits="limits { silence = 2s  answer = 2s }", person=Person)
    cable = Cable(place, north)
    bob = await Phone("bob@north.example/mobile", "secret-of-bob", cable).log_in()
    await enable(bob)
    await desk.leave()
    cable.pull()
    say(ann, "into the void")
    await soon(lambda: app.counts() == [1])
    assert len(north.ask("session", "list")) == 2
    await end(app, ann)


async def test_somebody_at_another_client_is_enough_where_it_is_configured_so(place):
    north, app, ann, bob = await scene(place, more="while-attended = false")
    desk = await Person("bob@north.example/desk", "secret-of-bob", north).log_in()
    await enable(bob)
    await bob.cut(True)
    say(ann, "he sees it at his desk")
    await desk.message("he sees it at his desk")
    await asyncio.sleep(QUIET)
    assert not app.told
    desk.send_presence(pshow="away")
    await desk.plugin["xep_0199"].ping("north.example")
    say(ann, "he has left")
    await soon(lambda: app.counts())
    await end(app, ann, desk)


async def test_the_phone_is_told_although_somebody_is_at_another_client(place):
    north, app, ann, bob = await scene(place)
    desk = await Person("bob@north.example/desk", "secret-of-bob", north).log_in()
    await enable(bob)
    await bob.cut(True)
    say(ann, "at both")
    await soon(lambda: app.counts() == [1])
    await end(app, ann, desk)


async def test_a_client_at_which_nobody_looks(place):
    north, app, ann, bob = await scene(place)
    await enable(bob)
    bob.send_raw("<inactive xmlns='urn:xmpp:csi:0'/>")
    await bob.plugin["xep_0199"].ping("north.example")
    say(ann, "look")
    await soon(lambda: app.counts() == [1])
    bob.send_raw("<active xmlns='urn:xmpp:csi:0'/>")
    await bob.plugin["xep_0199"].ping("north.example")
    say(ann, "he looks")
    await bob.message("he looks")
    await asyncio.sleep(QUIET)
    assert app.counts() == [1]
    await end(app, ann, bob)


async def test_messages_that_come_together_are_told_together(place):
    north, app, ann, bob = await scene(place, person=Person)
    await enable(bob)
    await bob.leave()
    for n in range(100):
        say(ann, str(n))
    await soon(lambda: app.counts() and app.counts()[-1] == 100)
    assert len(app.told) <= 3, app.counts()
    await end(app, ann)


async def test_somebody_asks_for_a_subscription(place):
    north, app, ann, bob = await scene(place, person=Person)
    await enable(bob)
    await bob.leave()
    ann.send_presence(pto="bob@north.example", ptype="subscribe")
    await soon(lambda: app.told)
    assert app.told[0][2] == {"FORM_TYPE": "urn:xmpp:push:summary", "pending-subscription-count": "1"}
    ann.send_presence(pto="bob@north.example", ptype="subscribe")
    say(ann, "please")
    await soon(lambda: len(app.told) == 2)
    assert app.told[1][2] == {"FORM_TYPE": "urn:xmpp:push:summary", "message-count": "1",
                              "pending-subscription-count": "1"}
    await end(app, ann)


async def test_who_is_blocked_wakes_nobody(place):
    north, app, ann, bob = await scene(place, person=Person)
    await enable(bob)
    assert await ask(bob, "<block xmlns='urn:xmpp:blocking'><item jid='ann@north.example'/></block>") == "result"
    await bob.leave()
    say(ann, "let me in")
    await ann.wait_for("error", lambda m: m["body"] == "let me in")
    await asyncio.sleep(QUIET)
    assert not app.told
    await end(app, ann)


async def test_a_service_that_knows_nothing_of_it_is_disabled(place):
    north, app, ann, bob = await scene(place, person=Person)
    await enable(bob)
    await bob.leave()
    app.refuse = refusal("item-not-found", "cancel")
    say(ann, "one")
    await soon(lambda: "push notifications are disabled" in north.log())
    assert "because=item-not-found" in north.log()
    app.refuse = None
    say(ann, "two")
    await asyncio.sleep(QUIET)
    assert len(app.told) == 1
    await end(app, ann)


async def test_a_passing_failure_is_tried_again_and_lasting_ones_end_it(place):
    north, app, ann, bob = await scene(place, more="failures = 3", person=Person)
    await enable(bob)
    await bob.leave()
    app.refuse = refusal("resource-constraint", "wait")
    say(ann, "one")
    await soon(lambda: len(app.told) == 2)
    app.refuse = None
    await soon(lambda: len(app.told) == 3)
    app.refuse = refusal("internal-server-error", "cancel")
    say(ann, "two")
    await soon(lambda: "push notifications are disabled" in north.log())
    assert len(app.told) == 6, app.counts()
    await end(app, ann)


async def test_an_app_server_that_is_away_hears_later(place):
    north, app, ann, bob = await scene(place, person=Person)
    await enable(bob)
    await bob.leave()
    app.disconnect()
    await soon(lambda: north.ask("component", "list")[0]["state"] == "not attached")
    say(ann, "is anybody there?")
    await asyncio.sleep(0.5)
    app = await AppServer(north).attach()
    await soon(lambda: app.counts() == [1])
    await end(app, ann)


async def test_the_service_itself_ends_it(place):
    north, app, ann, bob = await scene(place, person=Person)
    await enable(bob)
    await bob.leave()
    app.send_raw(f"<message from='{APP}' to='bob@north.example'><pubsub xmlns='http://jabber.org/protocol/pubsub' node='node'>"
                 "<affiliation jid='bob@north.example' affiliation='none'/></pubsub></message>")
    await soon(lambda: "because=\"the service has ended it\"" in north.log())
    say(ann, "one")
    await asyncio.sleep(QUIET)
    assert not app.told
    await end(app, ann)


async def test_what_may_not_be_enabled(place):
    north, app, ann, bob = await scene(place, more="services = 2  form-size = 1kB", person=Person)
    assert await enable(bob, "one") == await enable(bob, "two") == await enable(bob, "two") == "result"
    assert await enable(bob, "three") == "resource-constraint"
    assert await ask(bob, "<enable xmlns='urn:xmpp:push:0'/>") == "bad-request"
    assert await ask(bob, "<enable xmlns='urn:xmpp:push:0' jid='ann@north.example'/>") == "bad-request"
    assert await ask(bob, f"<enable xmlns='urn:xmpp:push:0' jid='{APP}' node='one'><x xmlns='jabber:x:data' type='submit'>"
                     f"<field var='secret'><value>{'x' * 2000}</value></field></x></enable>") == "not-acceptable"
    assert await ask(bob, f"<disable xmlns='urn:xmpp:push:0' jid='{APP}' node='never'/>") == "result"
    await end(app, ann, bob)


if __name__ == "__main__":
    run(globals())
