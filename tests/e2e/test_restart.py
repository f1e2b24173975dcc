"""Daemons are restarted or killed; the cluster is whole again."""
import time

from make_tiny_gguf import golden
from support.cluster import HEARTBEAT_SECS, pool
from support.process import wait_for

SLACK_SECS = 3  # of a busy machine; far below the longest pause of a retry loop that backs off (30 s)


def assert_whole_within_a_heartbeat(cluster):
    started = time.monotonic()
    cluster.wait_ready("n1", "n2")
    assert time.monotonic() - started < HEARTBEAT_SECS + SLACK_SECS
    assert cluster.chat_text("beta") == golden("beta")


def test_nodes_are_back_within_a_heartbeat_after_a_restart_of_the_control_plane(two_nodes):
    pids = {n: two_nodes.engine_pid(n) for n in ("n1", "n2")}
    assert two_nodes.control.stop() == 0
    time.sleep(5 * HEARTBEAT_SECS)  # long enough for a loop that backs off to be late
    two_nodes.restart_control()
    assert_whole_within_a_heartbeat(two_nodes)
    assert {n: two_nodes.engine_pid(n) for n in ("n1", "n2")} == pids, "engines must not notice"


def test_nodes_are_back_after_the_control_plane_was_killed(two_nodes):
    two_nodes.control.kill()
    two_nodes.restart_control()
    assert_whole_within_a_heartbeat(two_nodes)


def test_nodes_may_be_started_before_the_control_plane(cluster, model):
    cluster.start_control()
    assert cluster.control.stop() == 0
    cluster.start_node("n1", [pool(model)])
    cluster.nodes["n1"].address()
    cluster.restart_control()
    cluster.wait_ready("n1")


def test_a_node_that_restarts_quickly_is_recognised(two_nodes):
    assert two_nodes.nodes["n2"].stop() == 0
    two_nodes.nodes["n2"].start()
    two_nodes.wait_ready("n2")
    assert two_nodes.client.get("/v2/nodes").json()["count"] == 2
    wait_for("the new node to serve", lambda: two_nodes.chat("x", headers={"X-Llorch-Node": "n2"}).status == 200)
