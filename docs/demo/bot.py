#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A small bot attached as an external component (XEP-0114): it answers each message with its text in capitals.

    bot.py DOMAIN SECRET HOST PORT
"""
import logging
import sys

logging.basicConfig(level=logging.ERROR)

from slixmpp.componentxmpp import ComponentXMPP  # noqa: E402


class Bot(ComponentXMPP):
    def __init__(self, domain, secret, host, port):
        super().__init__(domain, secret, host, port)
        self.add_event_handler("session_start", self.attached)
        self.add_event_handler("message", self.answer)
        self.register_plugin("xep_0030")
        self.register_plugin("xep_0199")

    def attached(self, event):
        print(f"{self.boundjid} is attached", flush=True)

    def answer(self, message):
        if message["type"] in ("chat", "normal") and message["body"]:
            message.reply(message["body"].upper()).send()


if __name__ == "__main__":
    bot = Bot(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
    bot.connect()
    bot.process(forever=True)
