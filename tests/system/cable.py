# SPDX-License-Identifier: MIT
"""A cable to a server that can be pulled: it forwards TCP, on an address of its own, until told otherwise.

A client takes it in place of the server (address, c2s, c2s_tls, folder), another server finds it by DNS (address, s2s). What is pulled forwards nothing any more and tells
nobody; what is cut is reset at both ends; a mute one swallows what the server says. A new connection works as soon as the cable is
mended.
"""
import select
import socket
import struct
import threading


class Cable:
    def __init__(self, place, branch, address="127.0.0.9"):
        self.branch, self.address, self.folder, self.domain = branch, address, branch.folder, branch.domain
        self.listeners = {}
        self.pairs, self.dead = {}, []          # an end to its other end; ends that are not read any more
        self.servers = set()                    # the ends that are theirs
        self.whole, self.is_mute = True, False
        self.lock = threading.Lock()
        self.wake, self.woken = socket.socketpair()
        self.c2s, self.c2s_tls, self.s2s = map(self.listen, (branch.c2s, branch.c2s_tls, branch.s2s))
        threading.Thread(target=self.serve, daemon=True).start()
        place.ends.append(self.close)

    def listen(self, port):
        listener = socket.create_server((self.address, 0))
        self.listeners[listener] = port
        return listener.getsockname()[1]

    def serve(self):
        while self.listeners:
            with self.lock:
                ends = [self.woken, *self.listeners, *self.pairs]
            for end in select.select(ends, [], [])[0]:
                with self.lock:
                    self.forward(end)

    def forward(self, end):
        if end is self.woken:
            end.recv(64)
        elif end in self.listeners:
            self.join(end)
        elif end in self.pairs:
            self.pass_on(end, self.pairs[end])

    def join(self, listener):
        client, _ = listener.accept()
        try:
            server = socket.create_connection((self.branch.address, self.listeners[listener])) if self.whole else None
        except ConnectionRefusedError:
            server = None
        if not server:
            self.reset(client)
            return
        self.pairs[client], self.pairs[server] = server, client
        self.servers.add(server)

    def pass_on(self, end, other):
        """An end that has said all of its is not read any more; the other may still speak."""
        try:
            some = end.recv(65536)
            if some and self.is_mute and end in self.servers:
                return
            if some:
                other.sendall(some)
                return
            other.shutdown(socket.SHUT_WR)
        except OSError:
            self.pairs.pop(other, None)
        self.pairs.pop(end, None)
        self.dead += [end] if other in self.pairs else [end, other]

    @staticmethod
    def reset(end):
        if end.fileno() >= 0:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.close()

    def pull(self):
        """Nothing passes any more, and neither end is told."""
        with self.lock:
            self.whole = False
            self.dead += self.pairs
            self.pairs = {}
            self.wake.send(b"w")

    def cut(self):
        """Both ends are reset."""
        self.pull()
        with self.lock:
            for end in self.dead:
                self.reset(end)
            self.dead = []

    def mute(self):
        self.is_mute = True

    def mend(self):
        self.whole, self.is_mute = True, False

    def close(self):
        self.cut()
        with self.lock:
            listeners, self.listeners = self.listeners, {}
            for listener in listeners:
                listener.close()
            self.wake.send(b"w")
