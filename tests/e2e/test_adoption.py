"""pool-managerd ends, or is killed, and its engines stay: the next one goes on with them."""
import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from make_tiny_gguf import golden
from support.cluster import pool
from support.process import is_running, wait_for

KEEP = {"POOL_MANAGERD_KEEP_ENGINES": "true"}


def start(cluster, model, *node_ids, **options):
    cluster.start_control(node_timeout_secs=30)  # a restart is no absence
    for node_id in node_ids:
        cluster.start_node(node_id, [pool(model)], **options)
    cluster.wait_ready(*node_ids)


def record_path(cluster, node_id):
    return cluster.nodes[node_id].state_dir / "run/chat-r0.json"


def wait_serves(cluster, node_id):
    """Until a request that must go to this node is answered: what the control plane lists may be older than the restart."""
    def answer():
        return cluster.chat("beta", headers={"X-Llorch-Node": node_id}).json()["choices"][0]["message"]["content"]
    assert wait_for("node %s to serve" % node_id, answer) == golden("beta")


def wait_adopted(cluster, node_id):
    wait_for("an adoption", lambda: "an engine of an earlier run was adopted" in cluster.nodes[node_id].stderr)
    wait_serves(cluster, node_id)


def test_a_killed_daemon_finds_its_engine_again(cluster, model):
    start(cluster, model, "n1")
    pid = cluster.engine_pid("n1")
    for _ in range(2):
        cluster.nodes["n1"].kill()
        assert is_running(pid), "nothing is left over: this test would show nothing"
        cluster.nodes["n1"].start()
        wait_serves(cluster, "n1")
        assert cluster.engine_pid("n1") == pid
    assert cluster.nodes["n1"].stderr.count("an engine of an earlier run was adopted") == 2
    assert cluster.nodes["n1"].stop() == 0
    assert not is_running(pid), "a daemon that keeps no engines ends the adopted ones too"
    assert not record_path(cluster, "n1").exists()


def test_an_engine_that_dies_after_its_adoption_is_replaced(cluster, model):
    start(cluster, model, "n1")
    pid = cluster.engine_pid("n1")
    cluster.nodes["n1"].kill()
    cluster.nodes["n1"].start()
    wait_adopted(cluster, "n1")
    assert cluster.kill_engine("n1") == pid
    cluster.wait_another_engine("n1", pid)
    wait_serves(cluster, "n1")


@pytest.mark.parametrize("end,victims", [("stop", ("n1", "n2")), ("kill", ("n1",))])
def test_engines_outlive_their_daemon_and_no_request_fails(cluster, model, end, victims):
    """Daemons that are stopped drain. One that is killed costs its requests one of their places: a second death may cost the
    last one."""
    start(cluster, model, "n1", "n2", env=KEEP)
    pids = {n: cluster.engine_pid(n) for n in ("n1", "n2")}

    def restart(node_id):
        getattr(cluster.nodes[node_id], end)()
        assert is_running(pids[node_id])
        assert cluster.node(node_id) is not None, "it did not leave the cluster"
        cluster.nodes[node_id].start()

    with ThreadPoolExecutor(1) as clients:
        answers = clients.submit(cluster.many_chats, 80)
        for victim in victims:
            restart(victim)
            wait_adopted(cluster, victim)
        assert [a.status for a in answers.result()] == [200] * 80
    assert {n: cluster.engine_pid(n) for n in ("n1", "n2")} == pids


def test_while_the_only_node_is_away_clients_are_told_to_come_again(cluster, model):
    start(cluster, model, "n1", env=KEEP)
    assert cluster.nodes["n1"].stop() == 0
    answer = cluster.chat("beta")
    assert (answer.status, answer.error["retriable"]) == (503, True)
    assert int(answer.headers["Retry-After"]) >= 1
    cluster.nodes["n1"].start()
    wait_serves(cluster, "n1")


def test_a_stream_that_runs_when_the_daemon_is_stopped_is_let_end(cluster, slow_model):
    start(cluster, slow_model, "n1", env=KEEP)
    pid = cluster.engine_pid("n1")
    with cluster.chat_stream("beta", max_tokens=300, ignore_eos=True) as stream, ThreadPoolExecutor(1) as other:
        events = iter(stream)
        next(events)
        stopped = other.submit(cluster.nodes["n1"].stop)
        rest = [event.data for event in events]
        assert rest[-1] == "[DONE]"
        assert stopped.result() == 0
    assert is_running(pid)


def test_an_engine_of_other_settings_is_ended(cluster, model):
    start(cluster, model, "n1", env=KEEP)
    pid = cluster.engine_pid("n1")
    assert cluster.nodes["n1"].stop() == 0
    config = cluster.root / "n1.yaml"
    config.write_text(json.dumps({"pools": [pool(model, slots=3)]}))
    cluster.nodes["n1"].start()
    cluster.wait_another_engine("n1", pid)
    assert not is_running(pid)
    assert cluster.pool("n1")["slots_total"] == 3
    assert cluster.nodes["n1"].stderr.count("an engine of an earlier run is not wanted as it is") == 1


def test_a_process_that_got_the_pid_later_is_never_touched(cluster, model):
    start(cluster, model, "n1")
    pid = cluster.engine_pid("n1")
    cluster.nodes["n1"].kill()
    os.kill(pid, 9)
    cluster.wait_gone(pid)
    stranger = subprocess.Popen(["sleep", "600"])
    try:
        path = record_path(cluster, "n1")
        path.write_text(json.dumps({**json.loads(path.read_text()), "pid": stranger.pid}))
        cluster.nodes["n1"].start()
        cluster.wait_another_engine("n1", pid)
        assert cluster.engine_pid("n1") != stranger.pid
        assert cluster.nodes["n1"].stop() == 0
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("keep", ["false", "true"])
def test_what_the_settings_no_longer_name_is_ended(cluster, model, keep):
    start(cluster, model, "n1", env={"POOL_MANAGERD_KEEP_ENGINES": keep})
    pid = cluster.engine_pid("n1")
    cluster.nodes["n1"].kill()
    (cluster.root / "n1.yaml").write_text(json.dumps({"pools": []}))
    cluster.nodes["n1"].start()
    cluster.wait_gone(pid)
    wait_for("its record to go", lambda: not record_path(cluster, "n1").exists())
