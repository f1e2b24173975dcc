"""An engine is killed while it works."""
from concurrent.futures import ThreadPoolExecutor

import pytest
from make_tiny_gguf import golden
from support.cluster import pool
from support.process import wait_for


def test_no_request_fails_when_one_of_two_engines_is_killed(two_nodes):
    for victim in ("n1", "n2"):
        killed = []
        answers = two_nodes.many_chats(60, after=lambda count: count == 20 and killed.append(two_nodes.kill_engine(victim)))
        assert len(killed) == 1
        assert [a.status for a in answers] == [200] * 60
        assert {a.json()["choices"][0]["message"]["content"] for a in answers} == {golden("beta")}
        two_nodes.wait_another_engine(victim, killed[0])


def test_an_engine_killed_in_the_middle_of_a_non_stream_answer_is_hidden(cluster, slow_model):
    """The death falls into the answer for certain: it takes seconds, and the kill comes once its slot is busy."""
    cluster.start_control()
    for node_id in ("n1", "n2"):
        cluster.start_node(node_id, [pool(slow_model)])
    cluster.wait_ready("n1", "n2")

    with ThreadPoolExecutor(1) as client:
        asked = client.submit(cluster.chat, "beta", max_tokens=400, ignore_eos=True)
        busy = wait_for("a slot to be busy", lambda: next(
            (n for n in ("n1", "n2") if cluster.pool(n)["slots_free"] < 2), None))
        cluster.kill_engine(busy)
        answer = asked.result()
    assert answer.status == 200
    assert answer.headers["X-Llorch-Node"] != busy and answer.headers["X-Llorch-Attempts"] == "2"
    assert answer.json()["choices"][0]["message"]["content"].startswith(golden("beta"))


def test_a_stream_that_cannot_go_on_ends_with_an_error_event(cluster, slow_model):
    cluster.start_control()
    cluster.start_node("n1", [pool(slow_model)])
    cluster.wait_ready("n1")
    # Two answers at once and a pin: nothing can take this one over.
    with cluster.chat_stream("beta", headers={"X-Llorch-Node": "n1"}, n=2, max_tokens=3000, ignore_eos=True) as stream:
        events = iter(stream)
        for _ in range(5):
            assert "error" not in next(events).json()
        old_pid = cluster.kill_engine("n1")
        rest = list(events)
    assert "[DONE]" not in [e.data for e in rest]
    error = rest[-1].json()["error"]
    assert (error["code"], error["type"], error["retriable"]) == ("WORKER_RESET", "server_error", True)
    assert error["correlation_id"] == stream.headers["X-Correlation-Id"]
    assert not stream.cut, "the connection was cut instead of closed with a last chunk"
    cluster.wait_another_engine("n1", old_pid)


def test_the_only_engine_comes_back_and_serves_again(cluster, model):
    cluster.start_control()
    cluster.start_node("n1", [pool(model)])
    cluster.wait_ready("n1")
    for _ in range(2):
        old_pid = cluster.kill_engine("n1")
        cluster.wait_another_engine("n1", old_pid)
        assert cluster.chat_text("gamma") == golden("gamma")


def test_a_stopped_engine_is_found_and_replaced(cluster, model):
    cluster.start_control()
    cluster.start_node("n1", [pool(model)])
    cluster.wait_ready("n1")
    old_pid = cluster.kill_engine("n1", signal_name="STOP")
    cluster.wait_another_engine("n1", old_pid)
    cluster.wait_gone(old_pid)
    assert cluster.chat_text("alpha") == golden("alpha")


def test_while_an_engine_is_stopped_requests_are_answered_elsewhere(two_nodes):
    """Those it had, too: their relays are closed when the hang is found, and they are asked again."""
    old_pid = two_nodes.kill_engine("n1", signal_name="STOP")
    with ThreadPoolExecutor(1) as clients:
        answers = clients.submit(two_nodes.many_chats, 40)
        wait_for("the stopped engine to be isolated", lambda: not two_nodes.pool("n1")["ready"])
        assert [a.status for a in answers.result()] == [200] * 40
    assert {a.json()["choices"][0]["message"]["content"] for a in answers.result()} == {golden("beta")}
    two_nodes.wait_another_engine("n1", old_pid)
    two_nodes.wait_gone(old_pid)
    assert "hung: no answer to 3 probes" in two_nodes.nodes["n1"].stderr
    assert two_nodes.chat("beta", headers={"X-Llorch-Node": "n1"}).status == 200


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_frees_its_slot(cluster, slow_model, stream):
    cluster.start_control()
    cluster.start_node("n1", [pool(slow_model, slots=1)])
    cluster.wait_ready("n1")
    with cluster.chat_stream("beta", max_tokens=6000, ignore_eos=True) as events:
        next(iter(events))
        wait_for("the slot to be busy", lambda: cluster.pool("n1")["slots_free"] == 0)
    wait_for("the slot to be free", lambda: cluster.pool("n1")["slots_free"] == 1, guard_secs=10)
    ask = cluster.chat_stream_text if stream else cluster.chat_text
    assert ask("beta", max_tokens=2) == " redB netB"
