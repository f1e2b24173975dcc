"""Nodes that are nothing but what they say: each answers GET /v2/node at its address, registers and sends heartbeats."""
import asyncio
import json
import random
import time

MODELS = 50
GIB = 2**30
ANSWER_SECS = 15  # an answer that takes longer is a failure


class FakeNode:
    def __init__(self, number, control, token):
        self.node_id, self.control, self.token = "gpu-%04d" % number, control, token
        self.model = "model-%02d" % (number % MODELS)
        self.seq, self.beats, self.failures, self.server, self.connection = 0, 0, [], None, None
        self.asked_by = set()  # open connections of the control plane
        self.last_beat, self.longest_gap = None, 0.0  # seconds between two answered heartbeats

    async def open(self):
        self.server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    def registration(self):
        return {"node_id": self.node_id, "machine_id": self.node_id, "address": "http://127.0.0.1:%d" % self.port,
                "pools": ["chat"], "boot_id": "boot", "version": "0.0.0", "labels": {"rack": self.node_id[-2:]},
                "capabilities": {"gpus": [{"device_id": 0, "name": "simulated", "vram_total_bytes": 24 * GIB}]}}

    def report(self):
        self.seq += 1
        pool = {"pool_id": "chat", "ready": True, "slots_free": 4, "slots_total": 4, "active_leases": 0, "engine": "llamacpp",
                "served_name": self.model, "models_available": [self.model], "vram_free_bytes": (self.seq % 24) * GIB}
        return {"timestamp": "2025-01-01T00:00:00Z", "seq": self.seq, "boot_id": "boot", "pools": [pool]}

    async def _answer(self, reader, writer):
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
        """One POST, on the connection that a node keeps for its heartbeats."""
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
            self.connection = await asyncio.open_connection(*self.control)
        reader, writer = self.connection
        writer.write(("POST %s HTTP/1.1\r\nHost: control\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"
                      "Content-Length: %d\r\n\r\n" % (path, self.token, len(body))).encode() + body)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        return head + await reader.readexactly(length)

    def hang_up(self):
        if self.connection is not None:
            self.connection[1].close()
            self.connection = None

    def close(self):
        self.hang_up()
        self.server.close()
        for writer in list(self.asked_by):
            writer.close()

    async def join(self):
        await self.tell("/v2/nodes/register", self.registration())
        await self.beat()

    async def beat(self):
        await self.tell("/v2/nodes/%s/heartbeat" % self.node_id, self.report())
        now = time.monotonic()
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
