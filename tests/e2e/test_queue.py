"""More requests than slots. A long stream of the slow model holds the only slot for as long as a test wants."""
import http.client
import json
import time

import pytest
from make_tiny_gguf import golden
from support.cluster import pool
from support.http import chat
from support.log_lines import access_lines
from support.process import wait_for
from support.queueing import queued, slot_held, waiting

CAPACITY = 3


@pytest.fixture
def full(cluster, model, slow_model):
    """full(flags...) -> a cluster whose node n1 has one slot for the model "slow" and one for "tiny"."""
    def start(*flags):
        cluster.start_control("--admission-capacity", str(CAPACITY), *flags)
        cluster.start_node("n1", [pool(slow_model, slots=1, ctx=8192), pool(model, "other", slots=1)])
        cluster.wait_ready("n1")
        cluster.wait_ready("n1", pool_id="other")
        return cluster
    return start


def test_waiting_requests_are_served_in_their_order(full):
    cluster = full()
    with slot_held(cluster) as stream:
        with queued(cluster, CAPACITY) as (asked, answered):
            assert answered == []
            stream.close()
            texts = [f.result().json()["choices"][0]["message"]["content"] for f in asked]
    # The node has one thread: its lines are in the order of its work, whatever thread of a client wakes first.
    def served():
        path = "/v2/pools/chat/engine/v1/chat/completions"
        done = [line for line in access_lines(cluster.nodes["n1"], path) if line["status"] == 200]
        return [line["correlation_id"] for line in done if line["correlation_id"].startswith("waiting-")]

    wait_for("the node's lines", lambda: len(served()) == CAPACITY)
    assert served() == ["waiting-%d" % number for number in range(CAPACITY)]
    assert texts == [" redB netB"] * CAPACITY
    assert waiting(cluster) == 0


def test_a_full_queue_refuses_at_once_and_says_when_to_come_back(full):
    cluster = full()
    with slot_held(cluster) as stream:
        with queued(cluster, CAPACITY) as (asked, _):
            answer = cluster.chat("beta", model="slow", max_tokens=2)
            assert (answer.status, answer.error["code"], answer.error["type"]) == (429, "ADMISSION_REJECT", "rate_limit_error")
            assert answer.error["retriable"] is True and answer.error["retry_after_ms"] > 0
            assert int(answer.headers["Retry-After"]) >= 1 and int(answer.headers["X-Backoff-Ms"]) > 0
            with cluster.chat_stream("beta", model="slow") as refused:
                assert refused.status == 429
            stream.close()
            assert [f.result().status for f in asked] == [200] * CAPACITY
    assert cluster.chat_text("beta", model="slow", max_tokens=2) == " redB netB"


def test_another_models_requests_do_not_wait_with_them(full):
    cluster = full()
    with slot_held(cluster) as stream:
        with queued(cluster, CAPACITY):
            assert cluster.chat_text("gamma", model="tiny") == golden("gamma")
            stream.close()


def test_a_request_that_waited_too_long_is_refused(full):
    cluster = full("--queue-timeout-secs", "1")
    with slot_held(cluster):
        started = time.monotonic()
        answer = cluster.chat("beta", model="slow")
        assert (answer.status, answer.error["code"]) == (429, "ADMISSION_REJECT")
        assert time.monotonic() - started >= 0.9


def test_a_client_that_leaves_the_queue_frees_its_place(full):
    cluster = full()
    with slot_held(cluster):
        connection = http.client.HTTPConnection(cluster.address, timeout=60)
        connection.request("POST", "/v1/chat/completions", json.dumps(chat("beta", model="slow")),
                           {"Authorization": "Bearer " + cluster.token})
        wait_for("the request to wait", lambda: waiting(cluster) == 1)
        connection.close()
        wait_for("its place to be free", lambda: waiting(cluster) == 0, guard_secs=10)


def test_a_waiting_request_goes_to_a_node_that_joins(full, slow_model):
    cluster = full()
    with slot_held(cluster):
        with queued(cluster, 1) as (asked, _):
            cluster.start_node("n2", [pool(slow_model, slots=1)])
            answer = asked[0].result()
            assert (answer.status, answer.headers["X-Llorch-Node"]) == (200, "n2")
