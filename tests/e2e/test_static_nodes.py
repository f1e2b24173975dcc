"""Nodes that do not register: named by a setting or added by hand, and polled."""
import json

import pytest
from make_tiny_gguf import golden
from support.cluster import NODE_TIMEOUT_SECS, pool
from support.http import Client, chat
from support.process import wait_for


def node_alone(cluster, model, node_id="n1"):
    """A pool-managerd that knows no control plane."""
    config = cluster.root / (node_id + ".yaml")
    config.write_text(json.dumps({"pools": [pool(model)]}))
    made = cluster.make("pool-managerd", "--addr", "127.0.0.1:0", "--node-id", node_id,
                        "--api-token-file", cluster.token_file, "--config", config,
                        "--state-dir", cluster.root / node_id / "state",
                        "--engine-binary", cluster.engine, name=node_id).start()
    cluster.nodes[node_id] = made
    return "http://" + made.address()


def llorch(cluster, *arguments):
    return cluster.run("llorch", "--url", "http://" + cluster.address, "--api-token-file", cluster.token_file, *arguments)


def test_a_node_of_the_list_is_polled_serves_and_comes_back(cluster, model):
    url = node_alone(cluster, model)
    cluster.start_control("--pool-managers", url, "--pool-poll-interval-ms", "200")
    cluster.wait_ready("n1")
    assert cluster.node("n1")["address"] == url
    assert cluster.chat_text("delta") == golden("delta")

    cluster.signal_node("n1", "STOP")
    try:
        cluster.wait_offline("n1")
        wait_for("the reason", lambda: cluster.node("n1")["unreachable_reason"])
        assert cluster.node("n1")["heartbeat_age_ms"] >= NODE_TIMEOUT_SECS * 1000
    finally:
        cluster.signal_node("n1", "CONT")
    cluster.wait_ready("n1")
    assert cluster.chat_text("beta") == golden("beta")

    metrics = cluster.client.get("/metrics").body.decode()
    for outcome in ("success", "timeout"):
        assert 'orchd_pool_health_checks_total{node_id="n1",pool_id="chat",outcome="%s"}' % outcome in metrics
    assert 'orchd_pool_health_check_duration_ms_bucket{node_id="n1",pool_id="chat",le="100"}' in metrics


def test_a_node_is_added_by_hand_outlives_a_restart_and_is_removed(cluster, model):
    cluster.start_control("--pool-poll-interval-ms", "200")
    url = node_alone(cluster, model)
    added = llorch(cluster, "nodes", "add", url)
    assert (added.exit_code, added.stderr) == (0, "")
    assert "n1" in added.stdout and url in added.stdout
    cluster.wait_ready("n1")
    assert cluster.chat_text("alpha") == golden("alpha")

    cluster.control.stop()
    cluster.restart_control()
    cluster.wait_ready("n1")
    assert cluster.chat_text("alpha") == golden("alpha")

    assert llorch(cluster, "nodes", "remove", "n1").exit_code == 0
    assert cluster.node("n1") is None


def test_where_nobody_answers_nothing_is_added(cluster):
    cluster.start_control()
    refused = llorch(cluster, "nodes", "add", "http://127.0.0.1:1")
    assert refused.exit_code == 1 and "NODE_UNAVAILABLE" in refused.stderr
    refused = llorch(cluster, "nodes", "add", "file:///etc/passwd")
    assert refused.exit_code == 1 and "url: " in refused.stderr
    assert cluster.client.get("/v2/nodes").json()["count"] == 0


def test_a_drained_node_gets_no_work_until_it_is_uncordoned(two_nodes):
    drained = llorch(two_nodes, "nodes", "drain", "n1")
    assert drained.exit_code == 0 and "Draining" in drained.stdout
    answers = two_nodes.many_chats(6)
    assert {a.headers["X-Llorch-Node"] for a in answers} == {"n2"}
    assert llorch(two_nodes, "nodes", "uncordon", "n1").exit_code == 0
    assert {a.headers["X-Llorch-Node"] for a in two_nodes.many_chats(8)} == {"n1", "n2"}


def test_a_corrupt_list_of_nodes_is_named_and_ends_with_4(cluster):
    state = cluster.root / "control/state"
    state.mkdir(parents=True)
    (state / "fleet.json").write_text("{")
    made = cluster.run("orchestratord", "--addr", "127.0.0.1:0", "--cloud-profile", "true",
                       "--api-token-file", cluster.token_file, "--state-dir", state)
    assert made.exit_code == 4
    assert str(state / "fleet.json") in made.stderr


@pytest.mark.parametrize("setting", ["POOL_MANAGERD_URL", "ORCHD_POOL_MANAGERS"])
def test_two_processes_on_one_machine(runner, engine, model, tmp_path, setting):
    """The earlier layout: the daemon of the GPUs is a process of its own, and orchestratord polls it."""
    node = runner.make("pool-managerd", "--addr", "127.0.0.1:0", "--node-id", "here", "--model", model,
                       "--state-dir", tmp_path / "node/state", "--engine-binary", engine, name="node").start()
    control = runner.make("orchestratord", name="home", env={
        setting: "http://" + node.address(),
        "ORCHESTRATORD_ADDR": "127.0.0.1:0",
        "ORCHESTRATORD_STATE_DIR": str(tmp_path / "home/state"),
        "POOL_MANAGERD_STATE_DIR": str(tmp_path / "unused"),
    }).start()
    client = Client(control.address())
    wait_for("the model to be ready", lambda: client.get("/health").json()["pools_ready"] == 1)
    assert "HOME" in control.stderr
    nodes = client.get("/v2/nodes").json()
    assert [n["node_id"] for n in nodes["nodes"]] == ["here"], "no node runs in orchestratord"
    assert client.post("/v1/chat/completions", chat("gamma")).json()["choices"][0]["message"]["content"] == golden("gamma")
    assert not (tmp_path / "unused").exists()
    assert control.stop() == 0
    assert Client(node.address()).get("/health").status == 200, "the other daemon lives on"
