"""The network between hosts fails: no process dies, and no engine notices."""
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.cluster import HEARTBEAT_SECS, NODE_TIMEOUT_SECS
from support.host_cluster import NODES
from support.hosts import Refused
from support.http import streamed_text
from support.process import wait_for

SLACK_SECS = 3  # of a busy machine; far below the longest pause of a retry loop that backs off (30 s)
FAULTS = {
    "link_down": lambda host: host.cut(),
    "silence": lambda host: host.drop("input", "output"),
    "host_is_deaf": lambda host: host.drop("input"),
    "host_is_mute": lambda host: host.drop("output"),
}
PREFER_N1 = {"X-Llorch-Node": "n1", "X-Llorch-Fallback": "true"}


def assert_offline_at_its_deadline(cluster, node_id, since):
    cluster.wait_offline(node_id)
    assert time.monotonic() - since < NODE_TIMEOUT_SECS + SLACK_SECS
    assert cluster.node(node_id)["heartbeat_age_ms"] >= NODE_TIMEOUT_SECS * 1000


def assert_online_within_a_heartbeat(cluster, node_id):
    healed = time.monotonic()
    wait_for("%s to be online" % node_id, lambda: cluster.node(node_id)["online"])
    assert time.monotonic() - healed < HEARTBEAT_SECS + SLACK_SECS
    cluster.wait_ready(node_id)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_cut_off_host_is_left_out_and_comes_back(whole, fault):
    """n1 holds three requests when it is cut off: a stream that has begun and cannot be continued, for it holds two answers, and
    two answers of which the client has no byte."""
    engines = {n: whole.engine_pid(n) for n in NODES}
    with whole.chat_stream("a long story", headers={"X-Llorch-Node": "n1"}, n=2) as stream, ThreadPoolExecutor(2) as clients:
        events = iter(stream)
        for _ in range(3):
            assert "error" not in next(events).json()
        held = [clients.submit(whole.chat, "hello %d" % i, PREFER_N1, max_tokens=60) for i in range(2)]
        wait_for("n1 to hold all three", lambda: whole.pool("n1")["slots_free"] == 1)

        cut = time.monotonic()
        FAULTS[fault](whole.host("n1"))
        meanwhile = whole.many_chats(12, max_tokens=4)
        assert_offline_at_its_deadline(whole, "n1", cut)

        assert [a.status for a in meanwhile] == [200] * 12
        for answer in (h.result() for h in held):
            assert answer.status == 200
            retried = answer.headers["X-Llorch-Node"] in ("n2", "n3") and answer.headers["X-Llorch-Attempts"] == "2"
            assert retried or fault == "host_is_deaf"  # what a deaf host says still arrives
        rest = [e.data for e in events]
    assert not stream.cut and "[DONE]" not in rest
    assert json.loads(rest[-1])["error"]["code"] == "WORKER_RESET"
    assert {a.headers["X-Llorch-Node"] for a in whole.many_chats(6, max_tokens=2)} == {"n2", "n3"}

    whole.host("n1").heal()
    assert_online_within_a_heartbeat(whole, "n1")
    assert {n: whole.engine_pid(n) for n in NODES} == engines
    assert whole.chat("hello", {"X-Llorch-Node": "n1"}, max_tokens=2).status == 200


def test_the_control_plane_restarts_while_a_host_is_cut_off(whole):
    """The others are back within a heartbeat; the one that is cut off is not known any more, and registers once it can."""
    engines = {n: whole.engine_pid(n) for n in NODES}
    whole.host("n1").drop("input", "output")
    whole.wait_offline("n1")
    assert whole.control.stop() == 0
    whole.restart_control()
    started = time.monotonic()
    whole.wait_ready("n2", "n3")
    assert time.monotonic() - started < HEARTBEAT_SECS + SLACK_SECS
    assert whole.node("n1") is None
    assert [a.status for a in whole.many_chats(6, max_tokens=2)] == [200] * 6

    whole.host("n1").heal()
    healed = time.monotonic()
    whole.wait_ready("n1")
    assert time.monotonic() - healed < HEARTBEAT_SECS + SLACK_SECS
    assert {n: whole.engine_pid(n) for n in NODES} == engines


def assert_served_by_all(cluster):
    """A packet too many may be lost while a connection to n1 opens: then another node serves."""
    assert [a.status for a in cluster.many_chats(12, max_tokens=4)] == [200] * 12
    wait_for("n1 to serve", lambda: cluster.chat("hello", PREFER_N1, max_tokens=4).headers["X-Llorch-Node"] == "n1")
    with cluster.chat_stream("hello", PREFER_N1, max_tokens=8) as stream:
        assert streamed_text(stream)
    assert cluster.node("n1")["online"]


def test_a_host_that_loses_every_tenth_packet_serves(whole):
    whole.host("n1").drop("input", "output", percent=10)
    assert_served_by_all(whole)


def test_a_host_that_is_far_away_serves(whole):
    try:
        whole.host("n1").delay(150)
    except Refused as reason:
        pytest.skip("no latency: %s" % reason)
    try:
        assert_served_by_all(whole)
    finally:
        whole.host("n1").no_delay()
