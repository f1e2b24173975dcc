"""Fake nodes in processes of their own: as many as the open files that a process may have ask for, and none that is too busy."""
import asyncio
import functools
import multiprocessing
import resource
import signal
import time
from dataclasses import dataclass, field

from fake_nodes import FakeNode, Listener

FILES_OF_A_NODE = 2  # in its process: its heartbeats' connection and that of the polls
NODES_PER_PROCESS = 5000
SPARE_FILES = 500  # of each process: logs, clients, connections that follow one another
JOINING_AT_ONCE = 25
LAG_SECS = 0.1


@dataclass
class Plan:
    """Who runs where, and how many nodes may keep the connection of their heartbeats."""
    nodes: int
    processes: int
    keeping: int

    def __str__(self):
        return "%d nodes (processes: %d); %d keep the connection of their heartbeats, %d make one for each" % (
            self.nodes, self.processes, self.keeping, self.nodes - self.keeping)


def make_plan(nodes, files):
    """`files`: what orchestratord and each process of ours may have open. orchestratord needs one per node for its polls and one for
    each connection of heartbeats that is kept."""
    usable = files - SPARE_FILES
    assert usable > nodes, "%d nodes do not fit: a process may have %d open files here" % (nodes, files)
    per_process = min(NODES_PER_PROCESS, usable // FILES_OF_A_NODE)
    return Plan(nodes, -(-nodes // per_process), min(nodes, usable - nodes))


def raise_file_limit():
    """Of this process and those that it starts; returns the limit."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


@dataclass
class Tally:
    """What some nodes have seen so far; times in seconds."""
    beats: int = 0
    gaps: list = field(default_factory=list)  # the longest between two answered heartbeats, of each node
    slowest_answer: float = 0.0
    longest_lag: float = 0.0  # for so long one of our processes did not do what was due
    failures: list = field(default_factory=list)

    def __add__(self, other):
        return Tally(self.beats + other.beats, self.gaps + other.gaps, max(self.slowest_answer, other.slowest_answer),
                     max(self.longest_lag, other.longest_lag), self.failures + other.failures)


class Crowd:
    """The processes, and orders to all of them at once."""

    def __init__(self, plan, control, token, interval):
        context = multiprocessing.get_context("spawn")  # no copies of each other's pipes: each ends with its own
        self.node_ids, self.pipes, self.processes = [], [], []
        for k in range(plan.processes):
            nodes = [FakeNode(i, control, token, keeps=i < plan.keeping) for i in range(k, plan.nodes, plan.processes)]
            self.node_ids += [node.node_id for node in nodes]
            ours, theirs = context.Pipe()
            self.processes.append(context.Process(target=work, args=(theirs, nodes, interval), daemon=True))
            self.processes[-1].start()
            theirs.close()
            self.pipes.append(ours)

    async def _order(self, *order):
        for pipe in self.pipes:
            pipe.send(order)
        return await asyncio.gather(*(asyncio.to_thread(pipe.recv) for pipe in self.pipes))

    async def join(self):
        """All register and begin to beat."""
        await self._order("join")

    async def tally(self):
        return sum(await self._order("tally"), Tally())

    async def fall_silent(self, node_ids):
        """They beat no more, but answer polls; returns when each beat last, as time.monotonic() tells it."""
        last_beats = {}
        for told in await self._order("fall_silent", set(node_ids)):
            last_beats.update(told)
        return last_beats

    def close(self):
        for pipe in self.pipes:
            pipe.close()
        for process in self.processes:
            process.join(5)
            process.kill()


def work(pipe, nodes, interval):
    """One process: until its pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(Worker(pipe, nodes, interval).run())


class Worker:
    def __init__(self, pipe, nodes, interval):
        self.pipe, self.nodes, self.interval = pipe, nodes, interval
        self.beating, self.longest_lag = {}, 0.0

    async def run(self):
        listener = Listener(self.nodes)
        await listener.open()
        lag = asyncio.create_task(self._watch_lag())
        try:
            while order := await asyncio.to_thread(self._next_order):
                self.pipe.send(await getattr(self, order[0])(*order[1:]))
        finally:
            lag.cancel()
            for task in self.beating.values():
                task.cancel()
            listener.close()
            await asyncio.sleep(0.1)  # for what waited on the connections

    def _next_order(self):
        try:
            return self.pipe.recv()
        except EOFError:
            return None

    async def _watch_lag(self):
        while True:
            due = time.monotonic() + LAG_SECS
            await asyncio.sleep(LAG_SECS)
            self.longest_lag = max(self.longest_lag, time.monotonic() - due)

    async def join(self):
        async def live(node):
            await node.join()
            self.beating[node.node_id] = asyncio.create_task(node.keep_beating(self.interval))
        await gather_some(JOINING_AT_ONCE, [functools.partial(live, node) for node in self.nodes])

    async def tally(self):
        nodes = self.nodes
        return Tally(sum(n.beats for n in nodes), [n.longest_gap for n in nodes], max(n.slowest_answer for n in nodes),
                     self.longest_lag, [f for n in nodes for f in n.failures])

    async def fall_silent(self, node_ids):
        silent = [node for node in self.nodes if node.node_id in node_ids]
        for node in silent:
            self.beating[node.node_id].cancel()
        return {node.node_id: node.last_beat for node in silent}


async def gather_some(at_once, calls):
    gate = asyncio.Semaphore(at_once)

    async def one(call):
        async with gate:
            await call()
    await asyncio.gather(*(one(call) for call in calls))
