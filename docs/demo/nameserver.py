# SPDX-License-Identifier: MIT
"""A DNS server for demonstrations and tests: A and SRV records from a table, over UDP, in one thread.

It answers NXDOMAIN for what it does not know, and keeps the names that it was asked for, so that a test can say which
names never left the server.
"""
import socket
import struct
import threading

A, SRV, NXDOMAIN, SERVFAIL = 1, 33, 3, 2


def name_bytes(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label) + b"\0"


def read_name(packet, at):
    labels = []
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    return ".".join(labels).lower(), at + 1


class Dns:
    def __init__(self, address, port=0):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, port))
        self.address, self.port = self.socket.getsockname()
        self.records = {}
        self.failing = set()
        self.asked = []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def close(self):
        self.socket.close()

    def host(self, name, address):
        self.records.setdefault((name, A), []).append(socket.inet_aton(address))

    def service(self, domain, target, port, priority=0, weight=5, service="_xmpp-server._tcp"):
        data = struct.pack(">HHH", priority, weight, port) + name_bytes(target)
        self.records.setdefault((f"{service}.{domain}", SRV), []).append(data)

    def branch(self, domain, address, port=5269, components=()):
        """A domain whose server listens for other servers at address:port, with the components beside it."""
        self.host(f"xmpp.{domain}", address)
        for name in (domain, *components):
            self.service(name, f"xmpp.{domain}", port)

    def answer(self, packet):
        name, end = read_name(packet, 12)
        kind = struct.unpack(">H", packet[end:end + 2])[0]
        question = packet[12:end + 4]
        self.asked.append(name)
        found = self.records.get((name, kind), [])
        known = found or any(n == name for n, _ in self.records)
        code = SERVFAIL if name in self.failing else 0 if known else NXDOMAIN
        found = [] if code else found
        head = packet[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(found), 0, 0)
        return head + question + b"".join(
            b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data for data in found)

    def serve(self):
        while True:
            try:
                packet, sender = self.socket.recvfrom(4096)
                self.socket.sendto(self.answer(packet), sender)
            except OSError:
                return
            except (IndexError, struct.error, UnicodeDecodeError):
                continue
