#!/usr/bin/env python3
"""Engines and nodes are killed and stopped under load: what do clients see?

    kill.py [--repetitions 10] [--clients 16] [--fronts llama-orch,nginx,HAProxy]

Two real llama-server engines, a model whose greedy answer depends on its prompt, closed-loop clients that ask for a whole answer
and for a stream in turn and compare every text with what it must be. Ends with 1 if a request through llama-orch failed.
"""
import argparse
import collections
import itertools
import os
import random
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT / "tests/e2e"), str(ROOT / "tests/load"), str(ROOT / "tools")]

import make_tiny_gguf  # noqa: E402
from fronts import FRONTS, Fault  # noqa: E402
from outcomes import DONE, ERROR_EVENT, REFUSED, TRANSPORT_ERRORS, judge_answer, judge_stream, never_answered  # noqa: E402
from support.http import chat  # noqa: E402

FAILED, TRUNCATED, WRONG = "failed", "truncated", "wrong text"
KINDS = (DONE, FAILED, TRUNCATED, WRONG)
SETTLE_SECS = 2
AT_A_TIME = 5  # repetitions


def kind_of(outcome):
    """What a client would call it."""
    if outcome.kind == DONE:
        return DONE
    if outcome.kind == ERROR_EVENT or "cut" in outcome.detail or "terminal" in outcome.detail:
        return TRUNCATED
    return WRONG if "wrong text" in outcome.detail and outcome.kind != REFUSED else FAILED


class Clients:
    """Each sends one request after the other until stopped; a pause follows a failure, as no client hammers a broken server."""

    def __init__(self, client, tally, count, seed):
        self.client, self.tally = client, tally
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(random.Random("%s/%d" % (seed, i)),)) for i in range(count)]
        for thread in self._threads:
            thread.start()

    def _work(self, choice):
        for number in itertools.count(choice.randrange(2)):
            if self._ended.is_set():
                return
            key, started = choice.choice(make_tiny_gguf.KEYS), time.monotonic()
            try:
                outcome = self._ask(key, stream=number % 2 == 0)
            except TRANSPORT_ERRORS as error:
                outcome = never_answered(error)
            self._count(outcome, time.monotonic() - started)
            if outcome.kind != DONE:
                self._ended.wait(0.2)

    def _ask(self, key, stream):
        body, expected = chat("tell me, " + key), make_tiny_gguf.golden(key)
        if not stream:
            return judge_answer(self.client.post("/v1/chat/completions", body), expected)
        with self.client.stream("/v1/chat/completions", body) as events:
            return judge_stream(events, events.read_rest, expected)

    def _count(self, outcome, seconds):
        with self._lock:
            self.tally.seen[kind_of(outcome)] += 1
            self.tally.longest = max(self.tally.longest, seconds)
            if outcome.kind != DONE:
                self.tally.details[outcome.detail] += 1

    def stop(self):
        self._ended.set()
        for thread in self._threads:
            thread.join()


class Tally:
    def __init__(self):
        self.seen, self.details, self.longest = collections.Counter(), collections.Counter(), 0.0

    def lost(self):
        return sum(self.seen.values()) - self.seen[DONE]

    def show(self, front, fault, most_details):
        print("| %s | %s | %d | %s | %.1f s |" % (
            front, fault, sum(self.seen.values()), " | ".join(str(self.seen[k]) for k in KINDS), self.longest), flush=True)
        for detail, times in self.details.most_common(most_details):
            print("    %d x %s" % (times, detail[:300]), flush=True)


def repeat(front, fault, numbers, tally, options):
    """One fault, again and again, on the two nodes in turn."""
    clients = Clients(front.client, tally, options.clients, "%s %s %d" % (front.name, fault, numbers[0]))
    for number in numbers:
        time.sleep(SETTLE_SECS)
        injected = Fault(front, fault, ("n1", "n2")[number % 2])
        injected.start()
        injected.finish()
        front.wait_whole()
    time.sleep(SETTLE_SECS)
    clients.stop()


def measure(kind_of_front, fault, engine, model, options):
    """Fresh engines now and then: a node gives up an engine that dies five times in a row."""
    tally, numbers = Tally(), list(range(options.repetitions))
    for first in range(0, len(numbers), AT_A_TIME):
        with tempfile.TemporaryDirectory(prefix="llama-orch-kill-") as root:
            front = kind_of_front(Path(root), options.programs, engine, model)
            try:
                repeat(front, fault, numbers[first:first + AT_A_TIME], tally, options)
            finally:
                front.close()
    tally.show(kind_of_front.name, fault, options.details)
    return tally.lost()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=10)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--fronts", default=",".join(FRONTS))
    parser.add_argument("--faults", default="KILL engine,STOP engine,KILL node,STOP node")
    parser.add_argument("--details", type=int, default=0, help="how many kinds of failures to show of each run")
    options = parser.parse_args()
    options.faults = options.faults.split(",")
    options.programs = Path(os.environ.get("ORCH_BIN", ROOT / "build/release/bin")).resolve()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # ends the programs too
    os.chdir(ROOT)
    engine = Path(os.environ.get("ORCH_LLAMA_SERVER", ROOT / "build/venv/bin/llorch-llama-server")).resolve()
    print("| front | fault | requests | %s | longest |\n|---|---|---|%s---|" % (" | ".join(KINDS), "---|" * len(KINDS)))
    lost = {}
    with tempfile.TemporaryDirectory(prefix="llama-orch-kill-model-") as folder:
        model = make_tiny_gguf.write(Path(folder) / "slow.gguf", "q8_0", slow=True)
        for name in options.fronts.split(","):
            front = FRONTS[name]
            lost[name] = sum(measure(front, f, engine, model, options) for f in front.faults if f in options.faults)
    return 1 if lost.get("llama-orch") else 0


if __name__ == "__main__":
    sys.exit(main())
