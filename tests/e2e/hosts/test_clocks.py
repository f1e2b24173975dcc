"""Hosts whose clocks are wrong: what time a node says it is decides nothing."""
import os
import time
from pathlib import Path

import pytest
from make_tiny_gguf import golden
from support.cluster import HEARTBEAT_SECS, NODE_TIMEOUT_SECS, pool
from support.process import wait_for


def clock_of_another_year(offset):
    """The environment of a program whose wall clock, and nothing else, is off by `offset`."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if library is None:
        pytest.skip("no wrong clocks: faketime is not installed")
    if any(name.endswith("SAN_OPTIONS") for name in os.environ):
        pytest.skip("no wrong clocks: faketime cannot be loaded before a sanitizer")
    return {"LD_PRELOAD": str(library), "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}


def year_of_log(program):
    return next(line for line in program.stderr.splitlines() if line.startswith('{"ts":'))[7:11]


def test_nodes_of_other_years_stay_online_and_go_offline_at_their_deadline(cluster, model):
    cluster.start_control()
    cluster.start_node("n1", [pool(model)], env=clock_of_another_year("-20y"))
    cluster.start_node("n2", [pool(model)], env=clock_of_another_year("+20y"))
    cluster.wait_ready("n1", "n2")
    years = [int(year_of_log(cluster.nodes[n])) - time.gmtime().tm_year for n in ("n1", "n2")]
    assert [abs(y) >= 19 for y in years] == [True, True], "the clocks are right: this test would show nothing"

    joined_ms = {n: cluster.node(n)["last_heartbeat_ms"] for n in ("n1", "n2")}
    for node_id, first in joined_ms.items():
        wait_for("more heartbeats of " + node_id,
                 lambda node_id=node_id, first=first: cluster.node(node_id)["last_heartbeat_ms"] > first + 1500 * HEARTBEAT_SECS)
        assert cluster.node(node_id)["online"] and abs(cluster.node(node_id)["heartbeat_age_ms"]) < NODE_TIMEOUT_SECS * 1000
        answer = cluster.chat("alpha", headers={"X-Llorch-Node": node_id})
        assert answer.json()["choices"][0]["message"]["content"] == golden("alpha")
    for node_id in joined_ms:
        cluster.nodes[node_id].kill()
    for node_id in joined_ms:
        cluster.wait_offline(node_id)
        assert cluster.node(node_id)["heartbeat_age_ms"] >= NODE_TIMEOUT_SECS * 1000


def test_the_timestamp_of_a_heartbeat_decides_nothing(cluster):
    timestamps = {"early": "2001-01-01T00:00:00Z", "late": "2099-12-31T23:59:59Z", "odd": "noon"}
    cluster.start_control()
    before_ms = time.time() * 1000
    for node_id, timestamp in timestamps.items():
        assert cluster.client.post("/v2/nodes/register", {
            "node_id": node_id, "machine_id": node_id, "address": "http://127.0.0.1:1", "pools": [], "capabilities": {"gpus": []},
        }).status == 200
        for _ in range(2):
            answer = cluster.client.post("/v2/nodes/%s/heartbeat" % node_id, {"timestamp": timestamp, "pools": []})
            assert (answer.status, answer.json()["success"]) == (200, True)
        seen = cluster.node(node_id)
        assert seen["online"] and before_ms - 1000 < seen["last_heartbeat_ms"] < time.time() * 1000 + 1000
    for node_id in timestamps:
        cluster.wait_offline(node_id)
        assert cluster.node(node_id)["heartbeat_age_ms"] >= NODE_TIMEOUT_SECS * 1000
