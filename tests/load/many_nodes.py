#!/usr/bin/env python3
"""Thousands of nodes at one orchestratord: all register, beat and stay Online; those that fall silent, and no others, go Offline.

    many_nodes.py [--nodes 1000] [--interval 10] [--poll-ms 5000] [--seconds 30]

Each node has an address of its own in 127/8. Their processes are as many, and those that keep a connection for their heartbeats as
many, as the limit of open files allows; what came of that is printed, and what it cost orchestratord. Ends with 0 if everything was
as it must be, else with 1.
"""
import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT / "tests/e2e")]

from crowd import Crowd, make_plan, raise_file_limit  # noqa: E402
from fake_nodes import MODELS  # noqa: E402
from support.cluster import Cluster  # noqa: E402

TIMEOUT_INTERVALS = 3
SILENT = 10  # nodes that stop at the end
LIST_ROUNDS = 3
GUARD_SECS = 60
RSS_LIMIT_MIB, RSS_LIMIT_MIB_PER_NODE = 412, 0.1  # generous: says only that it grows without a bound
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
        await asyncio.sleep(max(0.2, len(wanted) / 5000))


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


async def lists_while_beating(cluster, count):
    """The slowest answer of each list, asked for LIST_ROUNDS times."""
    whole = {"/v2/nodes": count, "/v2/pools": count, "/v1/models": min(MODELS, count)}
    slowest = {}
    for _ in range(LIST_ROUNDS):
        for path, took in (await ask_everything(cluster, whole)).items():
            slowest[path] = max(took, slowest.get(path, took))
    return slowest


def assert_in_time(tally, timeout):
    assert not tally.failures, "%d heartbeats failed, such as %s" % (len(tally.failures), tally.failures[:3])
    late = sum(gap >= timeout for gap in tally.gaps)
    assert not late, ("this shows nothing: %d of the nodes did not beat within %d s; their processes stood still for up to %.1f s,"
                      " and the slowest answer took %.1f s" % (late, timeout, tally.longest_lag, tally.slowest_answer))


def times_offline(cluster):
    return cluster.control.stderr.count('"change":"offline"')


def offline_moments(cluster):
    """When each node went Offline, as time.monotonic() tells it."""
    since_epoch = time.time() - time.monotonic()
    lines = [json.loads(line) for line in cluster.control.stderr.splitlines() if '"change":"offline"' in line]
    return {line["node_id"]: datetime.fromisoformat(line["ts"]).timestamp() - since_epoch for line in lines}


async def overtaken(cluster):
    """Heartbeats that told nothing new, because a poll's later answer came before them."""
    lines = (await get(cluster, "/metrics")).body.decode().splitlines()
    return sum(int(line.rsplit(" ", 1)[1]) for line in lines if 'outcome="stale"' in line)


async def run(cluster, options):
    plan = make_plan(options.nodes, raise_file_limit())
    print(plan)
    cluster.start_control("--pool-poll-interval-ms", options.poll_ms, heartbeat_secs=options.interval,
                          node_timeout_secs=TIMEOUT_INTERVALS * options.interval)
    host, port = cluster.address.rsplit(":", 1)
    crowd = Crowd(plan, (host, int(port)), cluster.token, options.interval)
    try:
        await watch(cluster, crowd, options)
    finally:
        crowd.close()


async def watch(cluster, crowd, options):
    started = time.monotonic()
    await crowd.join()
    print("%d nodes registered in %.1f s" % (len(crowd.node_ids), time.monotonic() - started))

    await wait_states(cluster, "all nodes online and reachable", {node_id: (True, True) for node_id in crowd.node_ids})
    beats_before, before = (await crowd.tally()).beats, Usage(cluster.control.pid)
    await asyncio.sleep(options.seconds)
    after, tally = Usage(cluster.control.pid), await crowd.tally()
    beats = (tally.beats - beats_before) / (after.at - before.at)
    slowest = await lists_while_beating(cluster, len(crowd.node_ids))
    tally = await crowd.tally()
    report(beats, before, after, slowest, tally)
    print("%d heartbeats were overtaken by polls" % await overtaken(cluster))
    assert_in_time(tally, TIMEOUT_INTERVALS * options.interval)
    assert times_offline(cluster) == 0, "%d nodes were taken for silent" % times_offline(cluster)

    silent = set(crowd.node_ids[:SILENT])
    last_beats = await crowd.fall_silent(silent)
    await wait_states(cluster, "the silent nodes offline, and no others",
                      {node_id: (node_id not in silent, True) for node_id in crowd.node_ids})
    silences = [at - last_beats[node_id] for node_id, at in offline_moments(cluster).items() if node_id in silent]
    print("the silent nodes were Offline %.1f to %.1f s after their last heartbeat" % (min(silences), max(silences)))
    assert times_offline(cluster) == SILENT, "the log tells of %d nodes that went offline" % times_offline(cluster)
    assert_in_time(await crowd.tally(), TIMEOUT_INTERVALS * options.interval)
    assert after.rss_mib < RSS_LIMIT_MIB + RSS_LIMIT_MIB_PER_NODE * len(crowd.node_ids), "%d MiB of memory" % after.rss_mib
    assert cluster.control.is_running()


def report(beats, before, after, slowest, tally):
    print("%.0f heartbeats a second, of a node at most %.1f s apart, answered after at most %.0f ms" % (
        beats, max(tally.gaps), 1000 * tally.slowest_answer))
    print("the nodes' processes stood still for at most %.0f ms" % (1000 * tally.longest_lag))
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
