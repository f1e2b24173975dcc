"""Nodes join, are listed, serve, leave and die."""
import re

from make_tiny_gguf import golden
from support.cluster import HEARTBEAT_SECS, NODE_TIMEOUT_SECS, pool
from support.process import is_running, wait_for


def test_a_node_joins_and_is_listed_with_its_pool(cluster, model):
    cluster.start_control()
    assert cluster.client.get("/v2/nodes").json() == {"nodes": [], "count": 0}
    cluster.start_node("n1", [pool(model, aliases=["small"], labels={"tier": "fast"})])
    cluster.wait_ready("n1")

    node = cluster.node("n1")
    assert (node["status"].lower(), node["online"], node["reachable"]) == ("online", True, True)
    assert node["machine_id"] == "n1" and node["unreachable_reason"] in (None, "")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", node["address"])
    assert node["capabilities"]["gpus"] == [] and node["heartbeat_age_ms"] <= NODE_TIMEOUT_SECS * 1000

    chat = cluster.pool("n1")
    assert (chat["slots_total"], chat["slots_free"], chat["served_name"]) == (2, 2, "tiny")
    assert set(chat["models_available"]) == {"tiny", "small"}
    assert is_running(chat["replicas"][0]["pid"])

    models = cluster.client.get("/v1/models").json()["data"]
    assert [(m["id"], m["object"], m["llorch"]["ready_pools"]) for m in models if m["id"] == "tiny"] == [("tiny", "model", 1)]
    health = cluster.client.get("/health").json()
    assert (health["status"], health["nodes_online"], health["pools_ready"]) == ("ok", 1, 1)


def test_heartbeats_arrive_at_their_interval(cluster, model):
    cluster.start_control()
    cluster.start_node("n1", [pool(model)])
    cluster.wait_ready("n1")
    first = cluster.node("n1")["last_heartbeat_ms"]
    wait_for("two more heartbeats", lambda: cluster.node("n1")["last_heartbeat_ms"] >= first + 1500 * HEARTBEAT_SECS)
    assert cluster.node("n1")["online"]


def test_requests_are_spread_over_the_nodes(two_nodes):
    answers = two_nodes.many_chats(20)
    assert [a.status for a in answers] == [200] * 20
    assert {a.headers["X-Llorch-Node"] for a in answers} == {"n1", "n2"}
    assert {a.headers["X-Llorch-Pool"] for a in answers} == {"chat"}


def test_a_request_can_be_pinned_to_a_node(two_nodes):
    for node_id in ("n1", "n2", "n1"):
        answer = two_nodes.chat("hello", headers={"X-Llorch-Node": node_id})
        assert (answer.status, answer.headers["X-Llorch-Node"]) == (200, node_id)
    answer = two_nodes.chat("hello", headers={"X-Llorch-Node": "n9"})
    assert (answer.status, answer.error["code"]) == (503, "NODE_UNAVAILABLE")


def test_an_alias_finds_its_pool(cluster, model):
    cluster.start_control()
    cluster.start_node("n1", [pool(model, served_name="qwen", aliases=["gpt-4o-mini"])])
    cluster.wait_ready("n1")
    for name in ("qwen", "gpt-4o-mini", None, ""):
        assert cluster.chat_text("delta", model=name) == golden("delta")


def test_one_of_three_nodes_dies_and_no_request_fails(cluster, model):
    cluster.start_control()
    for node_id in ("n1", "n2", "n3"):
        cluster.start_node(node_id, [pool(model)])
    cluster.wait_ready("n1", "n2", "n3")

    def kill_after(count):
        if count == 30:
            cluster.nodes["n2"].kill()

    answers = cluster.many_chats(120, after=kill_after)
    assert [a.status for a in answers] == [200] * 120
    assert {a.json()["choices"][0]["message"]["content"] for a in answers} == {golden("beta")}
    assert {a.headers["X-Llorch-Node"] for a in answers} == {"n1", "n2", "n3"}

    cluster.wait_offline("n2")
    assert cluster.chat_stream_text("gamma") == golden("gamma")
    assert cluster.client.get("/health").json()["nodes_online"] == 2


def test_a_silent_node_goes_offline_at_its_deadline_and_comes_back(two_nodes):
    two_nodes.signal_node("n1", "STOP")
    try:
        two_nodes.wait_offline("n1")
        assert two_nodes.node("n1")["heartbeat_age_ms"] >= NODE_TIMEOUT_SECS * 1000
    finally:
        two_nodes.signal_node("n1", "CONT")
    two_nodes.wait_ready("n1")


def test_requests_of_a_stopped_node_are_taken_elsewhere_at_its_deadline(two_nodes):
    """A stopped daemon still accepts connections and says nothing: only its silence tells."""
    two_nodes.signal_node("n1", "STOP")
    try:
        answers = [two_nodes.chat("beta") for _ in range(4)]
        two_nodes.wait_offline("n1")
    finally:
        two_nodes.signal_node("n1", "CONT")
    assert [a.status for a in answers] == [200] * 4
    assert {a.headers["X-Llorch-Node"] for a in answers} == {"n2"}
    assert "2" in {a.headers["X-Llorch-Attempts"] for a in answers}


def test_a_node_that_ends_says_good_bye_and_takes_its_engine_along(two_nodes):
    pid = two_nodes.engine_pid("n1")
    assert two_nodes.nodes["n1"].stop() == 0
    assert two_nodes.node("n1") is None
    two_nodes.wait_gone(pid)
    assert two_nodes.chat_text("alpha") == golden("alpha")


def test_without_any_node_the_model_is_unavailable_and_the_control_plane_is_fine(cluster):
    cluster.start_control()
    answer = cluster.chat("hello", model="tiny")
    assert (answer.status, answer.error["code"], answer.error["retriable"]) == (503, "MODEL_NOT_AVAILABLE", True)
    assert int(answer.headers["Retry-After"]) >= 1
    assert cluster.client.get("/readyz").status == 200
    assert cluster.client.get("/v1/models").json()["data"] == []
    assert cluster.control.stop() == 0
