"""Nodes that are nothing but what they say: each answers GET /v2/node at its address, registers and sends heartbeats."""
import asyncio
import ipaddress
import json
import random
import socket
import time

MODELS = 50
GIB = 2**30
ANSWER_SECS = 15  # an answer that takes longer is a failure
FIRST_ADDRESS = ipaddress.IPv4Address("127.64.0.1")
BACKLOG = 1024


def loopback_listener():
    """One for every address of 127/8; bound to the loopback device, it hears nobody from outside."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
    listener.bind(("0.0.0.0", 0))
    return listener


class Listener:
    """Where some nodes are asked how they are: one open file for all of them, which differ in their addresses."""

    def __init__(self, nodes):
        self.nodes, self.server = {node.address: node for node in nodes}, None

    async def open(self):
        listener = loopback_listener()
        for node in self.nodes.values():
            node.port = listener.getsockname()[1]
        self.server = await asyncio.start_server(self._answer, sock=listener, backlog=BACKLOG)

    async def _answer(self, reader, writer):
        await self.nodes[writer.get_extra_info("sockname")[0]].answer(reader, writer)

    def close(self):
        self.server.close()
        for node in self.nodes.values():
            node.close()


class FakeNode:
    """`keeps`: its heartbeats come on one connection, as those of a real node do; else each makes one."""

    def __init__(self, number, control, token, keeps=True):
        self.node_id, self.control, self.token, self.keeps = "gpu-%05d" % number, control, token, keeps
        self.address, self.port = str(FIRST_ADDRESS + number), None
        self.model = "model-%02d" % (number % MODELS)
        self.seq, self.beats, self.failures, self.connection = 0, 0, [], None
        self.asked_by = set()  # open connections of the control plane
        self.last_beat, self.longest_gap, self.slowest_answer = None, 0.0, 0.0  # in seconds; of heartbeats that were answered

    def registration(self):
        return {"node_id": self.node_id, "machine_id": self.node_id, "address": "http://%s:%d" % (self.address, self.port),
                "pools": ["chat"], "boot_id": "boot", "version": "0.0.0", "labels": {"rack": self.node_id[-2:]},
                "capabilities": {"gpus": [{"device_id": 0, "name": "simulated", "vram_total_bytes": 24 * GIB}]}}

    def report(self):
        self.seq += 1
        pool = {"pool_id": "chat", "ready": True, "slots_free": 4, "slots_total": 4, "active_leases": 0, "engine": "llamacpp",
                "served_name": self.model, "models_available": [self.model], "vram_free_bytes": (self.seq % 24) * GIB}
        return {"timestamp": "2025-01-01T00:00:00Z", "seq": self.seq, "boot_id": "boot", "pools": [pool]}

    async def answer(self, reader, writer):
        """Any request is one for GET /v2/node."""
        self.asked_by.add(writer)
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                body = json.dumps({**self.registration(), **self.report()}).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.asked_by.discard(writer)
            writer.close()

    async def tell(self, path, message):
        """One POST, on the connection for heartbeats."""
        body = json.dumps(message).encode()
        try:
            async with asyncio.timeout(ANSWER_SECS):
                answer = await self._exchange(path, body)
        except (asyncio.IncompleteReadError, OSError) as error:
            self.hang_up()
            raise ConnectionError("%s: %r" % (path, error)) from error
        if not answer.startswith(b"HTTP/1.1 200 "):
            raise ConnectionError("%s: %s" % (path, answer[:200]))

    async def _exchange(self, path, body):
        if self.connection is None:
            self.connection = await asyncio.open_connection(*self.control, local_addr=(self.address, 0))
        reader, writer = self.connection
        writer.write(("POST %s HTTP/1.1\r\nHost: control\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"
                      "Content-Length: %d\r\n\r\n" % (path, self.token, len(body))).encode() + body)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        answer = head + await reader.readexactly(length)
        if not self.keeps:
            self.hang_up()
        return answer

    def hang_up(self):
        if self.connection is not None:
            self.connection[1].close()
            self.connection = None

    def close(self):
        self.hang_up()
        for writer in list(self.asked_by):
            writer.close()

    async def join(self):
        await self.tell("/v2/nodes/register", self.registration())
        await self.beat()

    async def beat(self):
        sent = time.monotonic()
        await self.tell("/v2/nodes/%s/heartbeat" % self.node_id, self.report())
        now = time.monotonic()
        self.slowest_answer = max(self.slowest_answer, now - sent)
        self.longest_gap = max(self.longest_gap, now - (self.last_beat or now))
        self.last_beat = now
        self.beats += 1

    async def keep_beating(self, interval):
        """Until cancelled; at a phase of its own."""
        due = time.monotonic() + random.random() * interval
        while True:
            await asyncio.sleep(max(0, due - time.monotonic()))
            due += interval
            try:
                await self.beat()
            except OSError as error:
                self.failures.append("%s: %r" % (self.node_id, error))
