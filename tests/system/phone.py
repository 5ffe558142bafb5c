# SPDX-License-Identifier: MIT
"""A person with XEP-0198 whose connection breaks and whose session goes on."""
import asyncio
import socket
import struct

from harness import Person
from slixmpp.plugins.xep_0198 import stanza as sm


class Phone(Person):
    def __init__(self, *args, **settings):
        super().__init__(*args, **settings)
        self.register_plugin("xep_0198")
        self.sm = self.plugin["xep_0198"]
        self.up = asyncio.Event()
        self.resumed = 0
        self.add_event_handler("sm_enabled", lambda _: self.up.set())
        self.add_event_handler("session_resumed", self.again)
        self.mend()

    def mend(self):
        """slixmpp 1.8 forgets what it has to send again when it asks to resume."""
        original = self.sm._handle_outgoing
        self.del_filter("out_sync", original)

        def outgoing(stanza):
            unacked = list(self.sm.unacked_queue)
            stanza = original(stanza)
            if isinstance(stanza, sm.Resume):
                self.sm.unacked_queue.extend(unacked)
            return stanza
        self.add_filter("out_sync", outgoing)

    def again(self, _):
        self.resumed += 1
        self.up.set()

    async def log_in(self):
        await super().log_in()
        await asyncio.wait_for(self.up.wait(), 20)
        return self

    async def cut(self, rudely):
        """The cable is pulled: nothing is said, and what the kernel had not sent may be lost."""
        self.up.clear()
        sock = self.transport.get_extra_info("socket")
        if rudely:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()
        await asyncio.wait_for(self.disconnected, 10)

    async def come_back(self):
        self.connect(self.where)
        await asyncio.wait_for(self.up.wait(), 20)

    async def acknowledged(self):
        """The server answers for all that was sent."""
        async def none_left():
            while self.sm.unacked_queue:
                self.sm.request_ack()
                await asyncio.sleep(0.02)
        await asyncio.wait_for(none_left(), 20)

    def numbers(self):
        return [int(m["body"]) for kind, m in self.arrived if kind == "message"]
