#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Two branches, a component and two people on one machine: every kind of traffic between them, each line as it happens.

North is on 127.0.0.2, South on 127.0.0.3; they find each other by the SRV records of a DNS server on 127.0.0.4. Exits with
0 only when everything has arrived.
"""
import asyncio
import logging
import pathlib
import signal
import subprocess
import sys
import tempfile

logging.getLogger("slixmpp.stringprep").setLevel(logging.ERROR)

from branch import Branch  # noqa: E402
from nameserver import Dns  # noqa: E402
from person import Person  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
SECRET = "a-secret-of-the-demonstration"


def say(text):
    print(text, flush=True)


def make_branches(folder, dns):
    where = f'dns {{ servers = {{ "{dns.address}:{dns.port}" }} }}\n'
    bot = f'component "bot.north.example" {{ secret = "{SECRET}"  name = "Bot" }}\n'
    north = Branch(folder / "north", "north.example", "127.0.0.2", where + bot)
    south = Branch(folder / "south", "south.example", "127.0.0.3", where)
    dns.branch("north.example", north.address, north.s2s, ["bot.north.example"])
    dns.branch("south.example", south.address, south.s2s)
    return north, south


def start(branch):
    branch.start()
    say(f"branch    {branch.domain} is up on {branch.address}")


def run_bot(north):
    return subprocess.Popen([sys.executable, HERE / "bot.py", "bot.north.example", SECRET, north.address,
                             str(north.component)], stdout=subprocess.PIPE, text=True, start_new_session=True)


async def chat(sender, recipient, text):
    sender.send_message(mto=recipient.boundjid.bare, mbody=text, mtype="chat")
    got = await recipient.message(text, sender.boundjid.bare)
    say(f"message   {got['from']} -> {got['to']}: {got['body']}")


async def subscribe(subscriber, contact):
    subscriber.send_presence_subscription(pto=contact.boundjid.bare, ptype="subscribe")
    await subscriber.wait_for("presence_subscribed", lambda p: p["from"].bare == contact.boundjid.bare)
    seen = await subscriber.wait_for("presence_available", lambda p: p["from"].bare == contact.boundjid.bare)
    say(f"presence  {subscriber.boundjid.bare} is subscribed and sees {seen['from']} {seen['type']}")


async def ask_bot(person, text):
    person.send_message(mto="robot@bot.north.example", mbody=text, mtype="chat")
    say(f"message   {person.boundjid} -> robot@bot.north.example: {text}")
    got = await person.message(text.upper(), "robot@bot.north.example")
    say(f"message   {got['from']} -> {got['to']}: {got['body']}")


async def traffic(north, south):
    ann = await Person(north.add_user("ann", "secret-of-ann") + "/desk", "secret-of-ann", north).log_in()
    say(f"login     {ann.boundjid}")
    bob = await Person(south.add_user("bob", "secret-of-bob") + "/phone", "secret-of-bob", south).log_in()
    say(f"login     {bob.boundjid}")
    await chat(ann, bob, "Good morning from the north")
    await chat(bob, ann, "And from the south")
    await subscribe(ann, bob)
    await subscribe(bob, ann)
    await ask_bot(bob, "does the bot hear the south?")
    await ann.leave()
    await bob.leave()


def converse(branches):
    loop = asyncio.get_event_loop()
    try:
        loop.run_until_complete(traffic(*branches))
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))


def run(folder):
    dns = Dns("127.0.0.4")
    branches, bot = make_branches(folder, dns), None
    try:
        for branch in branches:
            start(branch)
        bot = run_bot(branches[0])
        say("component " + bot.stdout.readline().strip())
        converse(branches)
        say("everything has arrived")
        return 0
    except (asyncio.TimeoutError, RuntimeError, OSError) as error:
        say(f"failed: {error or 'something did not arrive in time'}")
        for branch in branches:
            if branch.log():
                say(f"--- log of {branch.domain}\n{branch.log()[-4000:]}")
        return 1
    finally:
        if bot:
            bot.terminate()
            bot.wait()
        for branch in branches:
            branch.stop()
        dns.close()


def interrupt(number, frame):
    raise KeyboardInterrupt


if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    try:
        with tempfile.TemporaryDirectory(prefix="hansa-demo-") as name:
            sys.exit(run(pathlib.Path(name)))
    except KeyboardInterrupt:
        say("interrupted")
        sys.exit(130)
