# SPDX-License-Identifier: MIT
"""hansad and hansactl as an administrator uses them: exit codes, messages, reload, check, stop."""
import socket
import subprocess

from harness import BUILD, Person, run, soon


def test_users(place):
    north = place.branch()
    assert north.ctl("user", "add", "ann@north.example", password="secret\n").returncode == 0
    again = north.ctl("user", "add", "ann@north.example", password="secret\n", check=False)
    assert again.returncode == 1 and "exists already" in again.stderr
    elsewhere = north.ctl("user", "add", "ann@elsewhere.example", password="secret\n", check=False)
    assert elsewhere.returncode == 3 and "no such host" in elsewhere.stderr
    nonsense = north.ctl("user", "add", "@@", password="secret\n", check=False)
    assert nonsense.returncode == 1 and "not a user's address" in nonsense.stderr
    empty = north.ctl("user", "add", "bob@north.example", password="\n", check=False)
    assert empty.returncode == 1 and "password" in empty.stderr
    assert north.ctl("user", "passwd", "bob@north.example", password="x\n", check=False).returncode == 3
    assert [u["user"] for u in north.ask("user", "list")] == ["ann@north.example"]
    assert "ann@north.example" in north.ctl("user", "list").stdout
    assert north.ctl("user", "del", "ann@north.example").returncode == 0
    assert north.ctl("user", "del", "ann@north.example", check=False).returncode == 3
    assert north.ask("user", "list") == []


def test_many_users_from_lines(place):
    north = place.branch()
    lines = "".join(f"user{i}@north.example pass{i}\n" for i in range(50)) + "broken-line\nuser1@north.example twice\n"
    done = north.ctl("user", "add", "-", password=lines, check=False)
    assert done.returncode == 1
    assert "50 added, 2 failed" in done.stdout, done.stdout + done.stderr
    assert len(north.ask("user", "list")) == 50


async def test_what_of_a_user_is_archived(place):
    north = place.branch()
    ann = await Person(north.add_user("ann", "secret"), "secret", north).log_in()
    bob = north.add_user("bob", "secret")

    async def archived():
        ann.send_message(mto=bob, mbody="a note", mtype="chat")
        await ann.plugin["xep_0199"].ping(ann.boundjid.host)
        return int((await ann.plugin["xep_0313"].retrieve(rsm={"max": 0}))["mam_fin"]["rsm"]["count"])

    ann.register_plugin("xep_0313")
    ann.register_plugin("xep_0199")
    assert north.ask("user", "archive", "ann@north.example") == {
        "user": "ann@north.example", "archive": "never", "by": "host"}
    assert await archived() == 0
    assert north.ask("user", "archive", "ann@north.example", "always")["by"] == "administrator"
    assert await archived() == 1
    await ann.leave()
    north.stop()
    north.start()
    assert north.ask("user", "archive", "ann@north.example")["archive"] == "always"
    assert north.ask("user", "archive", "ann@north.example", "host")["archive"] == "never"
    assert north.ctl("user", "archive", "ann@north.example", "sometimes", check=False).returncode == 1
    assert north.ctl("user", "archive", "eve@north.example", check=False).returncode == 3
    assert north.ctl("user", "archive", "eve@north.example", "always", check=False).returncode == 3
    assert north.ctl("user", "archive", "eve@north.example", "host", check=False).returncode == 3


def test_wrong_use(place):
    north = place.branch()
    assert north.ctl("user", "frobnicate", check=False).returncode == 2
    usage = north.ctl("user", "del", check=False)
    assert usage.returncode == 2 and "usage: hansactl user del JID" in usage.stderr
    half = north.ctl("session", check=False)
    assert half.returncode == 2 and half.stderr == "hansactl: session: one of list, kick\n", half.stderr
    assert "user add" in north.ctl("help").stdout
    absent = subprocess.run([BUILD / "hansactl", "-s", "/nonexistent/control.sock", "status"], capture_output=True,
                            text=True)
    assert absent.returncode == 4 and "is hansad running" in absent.stderr


async def test_session_list_and_kick(place):
    north = place.branch()
    ann = await Person(north.add_user("ann", "secret-of-ann") + "/desk", "secret-of-ann", north).log_in()
    await soon(lambda: [s["presence"] for s in north.ask("session", "list")] == ["available"])
    assert len(north.ask("session", "list", "north.example")) == 1
    assert north.ctl("session", "list", "south.example", check=False).returncode == 3
    assert north.ask("user", "show", "ann@north.example")["sessions"] == 1
    assert north.ctl("user", "show", "bob@north.example", check=False).returncode == 3
    assert north.ask("announce", "north.example", "Tea is ready")["sessions told"] == 1
    assert (await ann.message("Tea is ready"))["type"] == "headline"
    assert north.ctl("session", "kick", "bob@north.example", check=False).returncode == 3
    assert north.ctl("session", "kick", "ann@north.example/desk").returncode == 0
    await soon(lambda: north.ask("session", "list") == [])
    ann.abort()


def test_socket_is_the_owners_alone(place):
    north = place.branch()
    assert (north.folder / "control.sock").stat().st_mode & 0o777 == 0o600
    assert (north.folder / "hansa.db").stat().st_mode & 0o077 == 0


def test_reload(place):
    north = place.branch()
    north.configure('host "second.example" { }\n')
    north.ctl("reload")
    assert north.ctl("user", "add", "bob@second.example", password="secret\n").returncode == 0
    north.configure("nonsense { }\n")
    wrong = north.ctl("reload", check=False)
    assert wrong.returncode == 1 and "hansa.conf:" in wrong.stderr and "nonsense" in wrong.stderr
    assert north.ctl("status").returncode == 0


def check_configuration(text, folder):
    path = folder / "check.conf"
    path.write_text(text)
    return subprocess.run([BUILD / "hansad", "-t", "-c", path], capture_output=True, text=True)


def test_check_only(place):
    north = place.branch()
    good = (north.folder / "hansa.conf").read_text()
    assert check_configuration(good, place.folder).returncode == 0
    for broken, told in (
            (good + "\nfrob { }\n", "frob"),
            (good + "\nlimits { frob = 1 }\n", "frob"),
            (good + "\nlimits { depth = many }\n", "depth"),
            (good + '\nhost "north.example" { }\n', "north.example"),
            (good + '\nhost "west.example" { status-addresses = { "nowhere" } }\n', "nowhere"),
            (good.replace("kind = client ", "kind = nonsense "), "nonsense"),
            (good.replace("cert.pem", "absent.pem"), "absent.pem"),
            (good + '\ninclude("absent.conf")\n', "absent.conf")):
        found = check_configuration(broken, place.folder)
        lines = [line for line in found.stderr.splitlines() if line]
        assert found.returncode == 1, told
        assert len(lines) == 1 and told in lines[0], (told, found.stderr)
        assert "check.conf:" in lines[0], lines[0]
    missing = subprocess.run([BUILD / "hansad", "-t", "-c", place.folder / "none.conf"], capture_output=True, text=True)
    assert missing.returncode == 1 and "none.conf" in missing.stderr


def test_stop(place):
    north = place.branch()
    north.ctl("stop")
    assert north.process.wait(20) == 0


def test_idle_connection_does_not_hold_the_server(place):
    north = place.branch()
    with socket.socket(socket.AF_UNIX) as idle:
        idle.connect(str(north.folder / "control.sock"))
        north.ctl("status")
        assert north.stop() == 0
        assert idle.recv(100) == b""


def test_second_server_on_the_same_store_is_refused(place):
    north = place.branch()
    second = subprocess.run([BUILD / "hansad", "-c", north.folder / "hansa.conf"], capture_output=True, text=True,
                            timeout=30)
    assert second.returncode == 1 and second.stderr.strip()


if __name__ == "__main__":
    run(globals())
