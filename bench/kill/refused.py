#!/usr/bin/env python3
"""How long does a refused connection cost a request that is served elsewhere?

    refused.py [--repetitions 20]

Two nodes with a real engine each. A pool-managerd is killed with SIGKILL, and requests are sent one after the other until one was
tried at both nodes: its time, less the time of requests at the other node before and after, is what the refusal cost. Ends with 1
if a request failed.
"""
import argparse
import os
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT / "tests/e2e"), str(ROOT / "tools")]

import make_tiny_gguf  # noqa: E402
from support.cluster import Cluster, pool  # noqa: E402
from support.process import wait_for  # noqa: E402

AT_A_TIME = 5  # kills of the nodes of one cluster


def served_by(cluster, node):
    """The node is back: until it has registered again, its old address refuses."""
    return cluster.chat("beta", max_tokens=1, headers={"X-Llorch-Node": node}).status == 200


def timed(cluster, **headers):
    started = time.monotonic()
    answer = cluster.chat("beta", max_tokens=1, headers=headers)
    assert answer.status == 200, answer
    return time.monotonic() - started, int(answer.headers["X-Llorch-Attempts"])


def refusal(cluster, node, other):
    """The extra time of the first request that was tried at both, with the attempts it took; in seconds."""
    plain = [timed(cluster, **{"X-Llorch-Node": other})[0] for _ in range(5)]
    os.kill(cluster.nodes[node].pid, signal.SIGKILL)
    cluster.nodes[node].process.wait()
    for _ in range(20):
        took, attempts = timed(cluster)
        if attempts > 1:
            plain += [timed(cluster, **{"X-Llorch-Node": other})[0] for _ in range(5)]
            return took - statistics.median(plain)
    return None


def one_cluster(root, options, engine, model, numbers):
    cluster = Cluster(Path(root), options.programs, engine)
    try:
        cluster.start_control(node_timeout_secs=60)
        for node in ("n1", "n2"):
            cluster.start_node(node, [pool(model)])
        cluster.wait_ready("n1", "n2")
        for number in numbers:
            node, other = ("n1", "n2") if number % 2 else ("n2", "n1")
            for name in (node, other):
                wait_for("node %s to serve" % name, lambda name=name: served_by(cluster, name))
            yield refusal(cluster, node, other)
            cluster.nodes[node].start()
    finally:
        cluster.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=20)
    options = parser.parse_args()
    options.programs = Path(os.environ.get("ORCH_BIN", ROOT / "build/release/bin")).resolve()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # ends the programs too
    os.chdir(ROOT)
    engine = Path(os.environ.get("ORCH_LLAMA_SERVER", ROOT / "build/venv/bin/llorch-llama-server")).resolve()
    costs = []
    with tempfile.TemporaryDirectory(prefix="llama-orch-refused-model-") as folder:
        model = make_tiny_gguf.write(Path(folder) / "tiny.gguf", "q8_0")
        numbers = list(range(options.repetitions))
        for first in range(0, len(numbers), AT_A_TIME):
            with tempfile.TemporaryDirectory(prefix="llama-orch-refused-") as root:
                costs += one_cluster(root, options, engine, model, numbers[first:first + AT_A_TIME])
    seen = sorted(cost * 1000 for cost in costs if cost is not None)
    assert seen, "no request met the refusal"
    print("%d kills, %d met by a request: extra time of that request: median %.1f ms, longest %.1f ms"
          % (len(costs), len(seen), statistics.median(seen), seen[-1]))


if __name__ == "__main__":
    main()
