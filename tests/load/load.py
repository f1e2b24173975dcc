#!/usr/bin/env python3
"""Many clients, many models, nodes that come and go: no request may be lost.

    load.py [--nodes 10] [--clients 100] [--models 6] [--seconds 60] [--seed N]

Every client sends one request after the other: chats, streams and tasks, each for another model. It ends with 0 if every request
ended in exactly one of the promised ways, and orchestratord counted the same; else with 1.
"""
import argparse
import collections
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT / "tests/e2e"), str(ROOT / "tools")]

import make_tiny_gguf  # noqa: E402
from load_cluster import Churn, LoadCluster  # noqa: E402
from outcomes import (DONE, ERROR_EVENT, LOST, REFUSED, TRANSPORT_ERRORS, judge_answer, judge_stream,  # noqa: E402
                      judge_task_events, never_answered, refusal, Outcome)
from support.http import chat  # noqa: E402
from support.process import wait_for  # noqa: E402

KINDS = ("chat", "chat stream", "task")
LONGEST_ANSWER = 24  # tokens: about a second


class Tally:
    """The outcomes of all clients."""

    def __init__(self):
        self._lock = threading.Lock()
        self.outcomes = collections.defaultdict(list)  # by kind of request
        self.seconds = collections.defaultdict(list)

    def add(self, kind, outcome, seconds):
        with self._lock:
            self.outcomes[kind].append(outcome)
            self.seconds[kind].append(seconds)

    def count(self, *results, kind=None):
        return sum(o.kind in results for k in self.outcomes if kind in (None, k) for o in self.outcomes[k])

    def all(self):
        return [o for outcomes in self.outcomes.values() for o in outcomes]


class Client(threading.Thread):
    def __init__(self, cluster, tally, until, seed):
        super().__init__()
        self.cluster, self.tally, self.until, self.random = cluster, tally, until, random.Random(seed)

    def run(self):
        while time.monotonic() < self.until:
            kind = self.random.choice(KINDS)
            started = time.monotonic()
            try:
                outcome = self.ask(kind)
            except TRANSPORT_ERRORS as error:
                outcome = never_answered(error)
            self.tally.add(kind, outcome, time.monotonic() - started)

    def ask(self, kind):
        key, tokens = self.random.choice(make_tiny_gguf.KEYS), self.random.randint(1, LONGEST_ANSWER)
        expected = "".join(" " + word for word in make_tiny_gguf.golden(key).split()[:tokens])
        body = chat("tell me, " + key, model=self.random.choice(self.cluster.model_names), max_tokens=tokens)
        if kind == "task":
            return self.ask_task(body, expected)
        if kind == "chat":
            return judge_answer(self.cluster.client.post("/v1/chat/completions", body), expected)
        with self.cluster.client.stream("/v1/chat/completions", body) as stream:
            return judge_stream(stream, stream.read_rest, expected)


    def ask_task(self, body, expected):
        """Hands it in, watches it to its end, and asks for its state then."""
        taken = self.cluster.client.post("/v2/tasks", body)
        if taken.status != 202:
            return refusal(taken.status, taken.body)
        path = "/v2/tasks/" + taken.json()["task_id"]
        with self.cluster.client.watch(path + "/events") as stream:
            outcome = judge_task_events(stream, expected)
        task = self.cluster.client.get(path).json()
        if task["state"] != {DONE: "done", ERROR_EVENT: "failed"}.get(outcome.kind):
            return Outcome(LOST, "%s, and its state is %s" % (outcome.kind, task["state"]))
        outcome.node, outcome.attempts = task["node_id"] or "", task["attempts"]
        return outcome


def access_lines(cluster):
    """How many chats orchestratord has logged, each by the one line at its end."""
    lines = [line for line in cluster.control.stderr.splitlines() if line.startswith("{") and '"/v1/chat/completions"' in line]
    return sum("status" in json.loads(line) for line in lines)


def complaints(cluster, tally):
    """What is wrong, a sentence each."""
    found = ["%s: %s" % (o.kind, o.detail) for o in tally.all() if o.kind == LOST]
    found += ["a chat must succeed: %s" % o.detail for o in tally.outcomes["chat"] if o.kind != DONE]
    found += ["a %s was refused: %s" % (kind, o.detail) for kind in KINDS[1:] for o in tally.outcomes[kind] if o.kind == REFUSED]
    found += ["work of %s was broken, which was never killed: %s" % (o.node, o.detail)
              for o in tally.all() if o.kind == ERROR_EVENT and o.node not in cluster.killed]
    sent = sum(len(tally.outcomes[kind]) for kind in KINDS[:2])

    def compare(what, ours, theirs):
        if ours != theirs:
            found.append("%s: the clients say %d, orchestratord %d" % (what, ours, theirs))

    compare("chats", sent, access_lines(cluster))
    compare("nodes that joined", cluster.joins, cluster.metric("orchd_node_registrations_total", outcome="success"))
    compare("nodes that left", cluster.leaves, cluster.metric("orchd_node_deregistrations_total", outcome="success"))
    compare("nodes online", len(cluster.served), cluster.metric("orchd_nodes_online"))
    compare("waiting requests", 0, cluster.metric("queue_depth"))
    return found


def wait_idle(cluster):
    """Until all nodes are up and no slot is held: one that stays held is a leak."""
    for node_id in cluster.served:
        cluster.wait_up(node_id)
    wait_for("all slots to be free", lambda: all(
        p["slots_free"] == p["slots_total"] for n in cluster.served for p in cluster.node(n)["pools"]))


def print_summary(cluster, tally, seconds):
    print("%-12s %8s %8s %8s %8s %8s %10s %10s" % ("request", "sent", DONE, ERROR_EVENT, REFUSED, LOST, "p50 s", "p99 s"))
    for kind in KINDS:
        times = sorted(tally.seconds[kind]) or [0]
        print("%-12s %8d %8d %8d %8d %8d %10.2f %10.2f" % (
            kind, len(tally.outcomes[kind]), *(tally.count(r, kind=kind) for r in (DONE, ERROR_EVENT, REFUSED, LOST)),
            times[len(times) // 2], times[len(times) * 99 // 100]))
    everything = tally.all()
    print("%.0f requests a second for %.0f s; %d were tried again elsewhere; nodes: %d joins, %d left, %d killed" % (
        len(everything) / seconds, seconds, sum(o.attempts > 1 for o in everything), cluster.joins, cluster.leaves, cluster.kills))


def run(cluster, options):
    tally = Tally()
    cluster.start_control("--admission-capacity", str(2 * options.clients))
    cluster.join_all()
    started = time.monotonic()
    clients = [Client(cluster, tally, started + options.seconds, "%s/%d" % (options.seed, i)) for i in range(options.clients)]
    churn = Churn(cluster, every_secs=1, down_secs=1)
    for thread in [*clients, churn]:
        thread.start()
    for client in clients:
        client.join()
    seconds = time.monotonic() - started
    churn.stop()
    wait_idle(cluster)
    print_summary(cluster, tally, seconds)
    found = complaints(cluster, tally)
    if not cluster.kills or not any(o.attempts > 1 for o in tally.all()):
        found.append("nothing went wrong during the run, so it shows nothing")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=10)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--models", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--keep", type=Path, help="a folder for all logs, to be looked at afterwards")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # ends the programs too
    programs = Path(os.environ.get("ORCH_BIN", ROOT / "build/dev/bin")).resolve()
    print("load: %d nodes, %d clients, %d models, seed %d" % (options.nodes, options.clients, options.models, options.seed))
    with tempfile.TemporaryDirectory(prefix="llama-orch-load-") as root:
        model = make_tiny_gguf.write(Path(root) / "tiny.gguf")
        cluster = LoadCluster(Path(root), programs, model, options.nodes, options.models, options.seed)
        try:
            found = run(cluster, options)
            if found:
                print(cluster.tails())
        finally:
            cluster.close()
            if options.keep:
                shutil.copytree(root, options.keep, dirs_exist_ok=True)
    for complaint, times in collections.Counter(found).most_common(20):
        print("load: %s%s" % (complaint, " (%d times)" % times if times > 1 else ""))
    print("load: %s" % ("%d complaints" % len(found) if found else "nothing was lost"))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
