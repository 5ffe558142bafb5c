# SPDX-License-Identifier: MIT
"""A person with a stock client library: logs in, keeps what arrives, and waits for what should."""
import asyncio

import slixmpp


class Person(slixmpp.ClientXMPP):
    def __init__(self, jid, password, server, direct_tls=False):
        """server: where to connect, with address, c2s, c2s_tls and a folder with its self-signed cert.pem."""
        super().__init__(jid, password)
        self.where, self.direct_tls = (server.address, server.c2s_tls if direct_tls else server.c2s), direct_tls
        self.ca_certs = server.folder / "cert.pem"
        self.use_aiodns = False
        self.arrived = []               # ("message" | "presence", stanza)
        self.news = asyncio.Event()
        self.online = asyncio.get_event_loop().create_future()
        self.auto_authorize, self.auto_subscribe = True, False
        self.add_event_handler("session_start", self.begin)
        self.add_event_handler("failed_all_auth", self.refused)
        self.add_event_handler("message", lambda stanza: self.keep("message", stanza))
        self.add_event_handler("message_error", lambda stanza: self.keep("error", stanza))
        for kind in ("presence_available", "presence_unavailable", "presence_subscribe", "presence_subscribed",
                     "presence_unsubscribed"):
            self.add_event_handler(kind, lambda stanza, kind=kind: self.keep(kind, stanza))
        self.register_plugin("xep_0030")
        self.register_plugin("xep_0199")

    async def begin(self, event):
        await self.get_roster()
        self.send_presence()
        if not self.online.done():
            self.online.set_result(True)

    def refused(self, event):
        if not self.online.done():
            self.online.set_exception(RuntimeError(f"{self.boundjid}: login refused"))

    def keep(self, kind, stanza):
        self.arrived.append((kind, stanza))
        self.news.set()

    async def log_in(self):
        self.connect(self.where, use_ssl=self.direct_tls)
        await asyncio.wait_for(asyncio.shield(self.online), 30)
        return self

    async def wait_for(self, kind, wanted, seconds=30):
        """The first stanza of that kind for which wanted() holds, arrived or still to come."""
        async def look():
            seen = 0
            while True:
                while seen < len(self.arrived):
                    what, stanza = self.arrived[seen]
                    seen += 1
                    if what == kind and wanted(stanza):
                        return stanza
                self.news.clear()
                await self.news.wait()
        return await asyncio.wait_for(look(), seconds)

    async def message(self, text, sender=None, seconds=30):
        return await self.wait_for("message", lambda m: m["body"] == text and
                                   (sender is None or m["from"].bare == sender), seconds)

    async def leave(self):
        self.disconnect(wait=1.0)
        await asyncio.wait_for(self.disconnected, 10)
