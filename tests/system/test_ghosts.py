# SPDX-License-Identifier: MIT
"""What people on another server see of sessions that ended with their server: killed, stopped, or left by a client that is mute."""
import signal

from harness import eventually, run
from partner import noted
from sasl import bound
from test_component import BOT, attach
from test_link import two_branches
from test_restart import ROSTER, back, managed

ANN, BOB = "ann@north.example", "bob@south.example"


def ends(place, north_more=""):
    _, north, south = two_branches(place, north_more)
    north.add_user("ann", "secret-of-ann")
    for name in ("bob", "eve"):
        south.add_user(name, f"secret-of-{name}")
    return north, south


def befriend(ann, bob):
    """Bob gets Ann's presence."""
    bob.send(f"{ROSTER}<presence/><presence to='{ANN}' type='subscribe'/>")
    ann.expect("type='subscribe'")
    ann.send(f"<presence to='{BOB}' type='subscribed'/>")
    bob.expect("type='subscribed'")
    bob.expect(f"from='{ANN}/raw'")


def unavailable(raw):
    """The next presence that somebody has gone."""
    return raw.expect("type='unavailable'").rpartition("<presence")[2]


def seen_elsewhere(place):
    """Ann is seen by Bob, who is subscribed, and by Eve, to whom she has shown herself."""
    north, south = ends(place)
    ann, bob, eve = bound(north, "ann"), bound(south, "bob"), bound(south, "eve")
    ann.send("<presence/>")
    befriend(ann, bob)
    ann.send("<presence to='eve@south.example/raw'/>")
    eve.expect(f"from='{ANN}/raw'")
    eventually(lambda: noted(north, "*") and noted(north, ">eve@south.example/raw"))
    return north, ann, bob, eve


def test_after_a_crash_all_are_told(place):
    north, ann, bob, eve = seen_elsewhere(place)
    north.stop(signal.SIGKILL)
    north.start()
    for person in bob, eve:
        assert f"from='{ANN}/raw'" in unavailable(person)


def test_a_component_is_told_when_it_is_back(place):
    """Also if the server is stopped in order before that."""
    north = place.branch(more=BOT)
    north.add_user("ann", "secret-of-ann")
    ann, bot = bound(north, "ann"), attach(north)
    bot.expect("<handshake/>")
    ann.send("<presence to='bot.north.example/mask'/>")
    bot.expect(f"from='{ANN}/raw'")
    eventually(lambda: noted(north, ">bot.north.example/mask"))
    north.stop(signal.SIGKILL)
    north.start()
    eventually(lambda: north.ask("status")["presences"] > 0)
    assert north.stop() == 0
    north.start()
    assert f"from='{ANN}/raw' to='bot.north.example/mask'" in unavailable(attach(north))


def test_who_comes_back_at_once_stays(place):
    """The end of the old session comes before the new presence, or not at all where both wait for the link."""
    north, ann, bob, eve = seen_elsewhere(place)
    north.stop(signal.SIGKILL)
    north.start()
    ann = bound(north, "ann")
    ann.send("<presence><status>here again</status></presence>")
    bob.expect("here again")
    ann.send(f"<message to='{BOB}' type='chat'><body>hello</body></message>")
    assert "type='unavailable'" not in bob.expect("hello")


def test_who_outlives_a_restart_is_no_ghost(place):
    north, south = ends(place)
    ann, previd = managed(north, "ann")
    bob = bound(south, "bob")
    ann.send("<presence/>")
    befriend(ann, bob)
    assert north.stop() == 0
    north.start()
    assert eventually(lambda: len(north.ask("session", "list")) == 1)
    ann, answer = back(north, "ann", previd, 0)
    assert answer.startswith("<resumed"), answer
    ann.send(f"<message to='{BOB}' type='chat'><body>no ghost</body></message>")
    assert "type='unavailable'" not in bob.expect("no ghost")
    eventually(lambda: noted(north, "*"))
    north.stop(signal.SIGKILL)
    north.start()
    assert f"from='{ANN}/raw'" in unavailable(bob)


def test_in_order_it_is_said_once(place):
    north, ann, bob, eve = seen_elsewhere(place)
    north.process.terminate()
    ann.expect_close()
    for person in bob, eve:
        assert f"from='{ANN}/raw'" in unavailable(person)
    assert north.stop() == 0
    assert not noted(north, "=")
    north.start()
    ann = bound(north, "ann", "other")
    ann.send("<presence/>")
    assert "type='unavailable'" not in bob.expect(f"from='{ANN}/other'")


def test_a_mute_client_is_seen_to_go(place):
    """It neither reads nor closes when its server leaves."""
    north, south = ends(place)
    mute, bob = bound(north, "ann"), bound(south, "bob")
    mute.send("<presence/>")
    befriend(mute, bob)
    assert north.stop() == 0
    assert f"from='{ANN}/raw'" in unavailable(bob)
    assert not noted(north, "=")


def test_a_mute_client_that_may_resume_stays(place):
    north, south = ends(place)
    mute, bob = managed(north, "ann")[0], bound(south, "bob")
    mute.send("<presence/>")
    befriend(mute, bob)
    assert north.stop() == 0
    north.start()
    assert eventually(lambda: len(north.ask("session", "list")) == 1)
    bob.send(f"<presence to='{ANN}' type='probe'/>")
    assert "type='unavailable'" not in bob.expect(f"from='{ANN}/raw'")


if __name__ == "__main__":
    run(globals())
