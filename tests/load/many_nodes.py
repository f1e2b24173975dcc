#!/usr/bin/env python3
"""A thousand nodes at one orchestratord: all register, beat and stay Online; those that fall silent, and no others, go Offline.

    many_nodes.py [--nodes 1000] [--interval 10] [--poll-ms 5000] [--seconds 30]

Prints what it cost orchestratord. Ends with 0 if everything was as it must be, else with 1.
"""
import argparse
import asyncio
import functools
import os
import resource
import signal
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT / "tests/e2e")]

from fake_nodes import MODELS, FakeNode  # noqa: E402
from support.cluster import Cluster  # noqa: E402

TIMEOUT_INTERVALS = 3
SILENT = 10  # nodes that stop at the end
JOINING_AT_ONCE = 50
LIST_ROUNDS = 3
GUARD_SECS = 60
RSS_LIMIT_MIB = 512  # generous: says only that it grows without a bound
LISTS = ("/v2/nodes", "/v2/pools", "/v1/models", "/health", "/metrics")


class Usage:
    """What a process has used: seconds of processor time by thread name, and memory."""

    def __init__(self, pid):
        tick = os.sysconf("SC_CLK_TCK")
        self.at, self.threads = time.monotonic(), {}
        for task in Path("/proc/%d/task" % pid).iterdir():
            name, fields = (task / "comm").read_text().strip(), (task / "stat").read_text().rsplit(")", 1)[1].split()
            self.threads[name] = self.threads.get(name, 0) + (int(fields[11]) + int(fields[12])) / tick
        status = (Path("/proc/%d" % pid) / "status").read_text()
        self.rss_mib = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024
        self.files = len(list(Path("/proc/%d/fd" % pid).iterdir()))

    def percent_since(self, before):
        """Percent of one core, by thread name."""
        return {name: 100 * (used - before.threads.get(name, 0)) / (self.at - before.at) for name, used in self.threads.items()}


async def gather_some(at_once, calls):
    gate = asyncio.Semaphore(at_once)

    async def one(call):
        async with gate:
            await call()
    await asyncio.gather(*(one(call) for call in calls))


async def get(cluster, path):
    answer = await asyncio.to_thread(cluster.client.get, path)
    assert answer.status == 200, "%s: %s" % (path, answer)
    return answer


async def states(cluster):
    nodes = (await get(cluster, "/v2/nodes")).json()["nodes"]
    return {n["node_id"]: (n["online"], n["reachable"]) for n in nodes}


async def wait_states(cluster, what, wanted):
    deadline = time.monotonic() + GUARD_SECS
    while (seen := await states(cluster)) != wanted:
        wrong = [n for n in wanted if seen.get(n) != wanted[n]]
        assert time.monotonic() < deadline, "%s: %d are not, such as %s" % (what, len(wrong), wrong[:3])
        await asyncio.sleep(0.2)


async def ask_everything(cluster, whole):
    """One round of lists; returns the seconds each took and its size."""
    took = {}
    for path in LISTS:
        started = time.monotonic()
        answer = await get(cluster, path)
        took[path] = (time.monotonic() - started, len(answer.body))
        if path in whole:
            assert answer.json().get("count", len(answer.json().get("data", []))) == whole[path], "%s is not whole" % path
    return took


async def lists_while_beating(cluster, nodes):
    """The slowest answer of each list, asked for LIST_ROUNDS times."""
    whole = {"/v2/nodes": len(nodes), "/v2/pools": len(nodes), "/v1/models": min(MODELS, len(nodes))}
    slowest = {}
    for _ in range(LIST_ROUNDS):
        for path, took in (await ask_everything(cluster, whole)).items():
            slowest[path] = max(took, slowest.get(path, took))
    return slowest


def assert_in_time(nodes, timeout):
    late = sum(n.longest_gap >= timeout for n in nodes)
    assert not late, "this shows nothing: the machine is too slow to let %d of the nodes beat within %d s" % (late, timeout)


def times_offline(cluster):
    return cluster.control.stderr.count('"change":"offline"')


async def run(cluster, options):
    nodes = []
    try:
        await watch(cluster, options, nodes)
    finally:
        for node in nodes:
            node.close()
        await asyncio.sleep(0.1)  # for what waited on the connections


async def watch(cluster, options, nodes):
    cluster.start_control("--pool-poll-interval-ms", options.poll_ms, heartbeat_secs=options.interval,
                          node_timeout_secs=TIMEOUT_INTERVALS * options.interval)
    host, port = cluster.address.rsplit(":", 1)
    nodes += [FakeNode(i, (host, int(port)), cluster.token) for i in range(options.nodes)]
    for node in nodes:
        await node.open()
    started = time.monotonic()
    beating = {}

    async def live(node):
        await node.join()
        beating[node] = asyncio.create_task(node.keep_beating(options.interval))

    await gather_some(JOINING_AT_ONCE, [functools.partial(live, node) for node in nodes])
    print("%d nodes registered in %.1f s" % (len(nodes), time.monotonic() - started))

    await wait_states(cluster, "all nodes online and reachable", {n.node_id: (True, True) for n in nodes})
    beats_before, before = sum(n.beats for n in nodes), Usage(cluster.control.pid)
    await asyncio.sleep(options.seconds)
    after = Usage(cluster.control.pid)
    beats = (sum(n.beats for n in nodes) - beats_before) / (after.at - before.at)
    slowest = await lists_while_beating(cluster, nodes)
    assert_in_time(nodes, TIMEOUT_INTERVALS * options.interval)
    assert times_offline(cluster) == 0, "%d nodes were taken for silent" % times_offline(cluster)

    for node in nodes[:SILENT]:
        beating[node].cancel()
    await wait_states(cluster, "the silent nodes offline, and no others",
                      {n.node_id: (i >= SILENT, True) for i, n in enumerate(nodes)})
    for task in beating.values():
        task.cancel()
    report(beats, before, after, slowest)
    failures = [f for n in nodes for f in n.failures]
    assert not failures, "%d heartbeats failed, such as %s" % (len(failures), failures[:3])
    assert times_offline(cluster) == SILENT, "the log tells of %d nodes that went offline" % times_offline(cluster)
    assert after.rss_mib < RSS_LIMIT_MIB, "%d MiB of memory" % after.rss_mib
    assert cluster.control.is_running()


def report(beats, before, after, slowest):
    print("%.0f heartbeats a second" % beats)
    percents = after.percent_since(before)
    print("processor, %% of one core: %s; together %.1f" % (
        ", ".join("%s %.1f" % pair for pair in sorted(percents.items())), sum(percents.values())))
    print("memory %.0f MiB, then %.0f MiB; %d open files" % (before.rss_mib, after.rss_mib, after.files))
    for path, (seconds, size) in slowest.items():
        print("GET %-12s %8.0f KiB, at most %6.0f ms" % (path, size / 1024, 1000 * seconds))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--interval", type=int, default=10, help="seconds between two heartbeats of a node")
    parser.add_argument("--poll-ms", type=int, default=5000, help="milliseconds between two polls of a node")
    parser.add_argument("--seconds", type=float, default=30)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # ends the programs too
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    programs = Path(os.environ.get("ORCH_BIN", ROOT / "build/dev/bin")).resolve()
    with tempfile.TemporaryDirectory(prefix="llama-orch-nodes-") as root:
        cluster = Cluster(root, programs, programs / "engine-sim")
        try:
            asyncio.run(run(cluster, options))
        except Exception as error:
            print(cluster.tails())
            print("many_nodes: %s" % (error or repr(error)))
            return 1
        finally:
            cluster.close()
    print("many_nodes: all as it must be")
    return 0


if __name__ == "__main__":
    sys.exit(main())
