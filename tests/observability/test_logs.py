"""What the log lines of both daemons carry, and which requests get an access line."""
import pytest
from support.cluster import pool
from support.log_lines import access_lines, lines
from support.process import wait_for

SAMPLE = 4
TRACE = "00-%032x-00000000000000ab-01"


@pytest.fixture(scope="module")
def logging_cluster(cluster, model):
    cluster.start_control("--access-log-sample", SAMPLE, "--log-format", "json")
    cluster.start_node("n1", [pool(model)], "--machine-id", "m1", "--access-log-sample", SAMPLE, "--log-format", "json")
    cluster.wait_ready("n1")
    return cluster


def test_every_line_of_a_node_names_node_and_machine(logging_cluster):
    seen = lines(logging_cluster.nodes["n1"])
    assert len(seen) > 5
    for line in seen:
        assert (line["node_id"], line["machine_id"]) == ("n1", "m1"), line


def test_lines_of_the_control_plane_about_a_node_name_it(logging_cluster):
    about = [line for line in lines(logging_cluster.control) if line["logger"] == "registry"]
    assert about and all(line.get("node_id") == "n1" for line in about), about
    assert not any("node" in line or "correlation_id_" in line for line in lines(logging_cluster.control))


def test_a_request_is_one_line_in_each_daemon_with_the_same_ids(logging_cluster):
    # The trace ids of a whole run: both daemons must choose the same ones.
    for number in range(40):
        answer = logging_cluster.chat("hello", max_tokens=2, headers={"traceparent": TRACE % (number + 1), "X-Correlation-Id": "c-%d" % number})
        assert answer.status == 200
    control = wait_for("access lines", lambda: access_lines(logging_cluster.control, "/v1/chat/completions"))
    node = access_lines(logging_cluster.nodes["n1"], "/v2/pools/chat/engine/v1/chat/completions")
    chosen = {line["trace_id"]: line["correlation_id"] for line in control}
    assert 0 < len(chosen) < 40, "about one in %d" % SAMPLE
    assert {line["trace_id"]: line["correlation_id"] for line in node} == chosen
    for line in control:
        assert (line["node_id"], line["machine_id"], line["pool"]) == ("n1", "m1", "chat")


def test_errors_are_never_left_out(logging_cluster):
    for number in range(20):
        answer = logging_cluster.client.post("/v1/chat/completions", "{", {"traceparent": TRACE % (number + 1000)})
        assert answer.status == 400
    def refused():
        return [line for line in access_lines(logging_cluster.control, "/v1/chat/completions") if line["status"] == 400]

    wait_for("the lines of all errors", lambda: len(refused()) == 20)
