"""The token's text is in its file and nowhere else."""
from pathlib import Path

from support.cluster import pool
from support.http import Client
from support.process import Program


def files_with(text, root, except_for):
    return [str(path.relative_to(root)) for path in Path(root).rglob("*")
            if path.is_file() and path not in except_for and text.encode() in path.read_bytes()]


def test_the_token_is_in_no_log_state_file_or_answer(cluster, model, slow_model):
    # One daemon has it from a file, one from the environment; everything logs as much as it can.
    cluster.start_control("--log-level", "debug")
    cluster.start_node("n1", [pool(model), pool("/dev/null", "broken", served_name="broken")], "--log-level", "debug")
    node = cluster.node_program("n2", [pool(model)], "--log-level", "debug", env={"LLORCH_API_TOKEN": cluster.token})
    at = node.command.index("--api-token-file")
    del node.command[at:at + 2]
    cluster.nodes["n2"] = node.start()
    cluster.wait_ready("n1", "n2")

    client, answers = cluster.client, []
    answers += [client.get(path) for path in ("/v2/nodes", "/v2/pools", "/health", "/metrics", "/v1/models", "/nope")]
    answers.append(cluster.chat("hello", headers={"X-Correlation-Id": cluster.token + " "}))
    answers.append(client.post("/v1/chat/completions", b"{broken"))
    answers.append(client.get("/v2/nodes", {"Authorization": "Bearer " + cluster.token[:-1]}))
    node_client = Client(cluster.node("n1")["address"].removeprefix("http://"), cluster.token)
    answers += [node_client.get(path) for path in ("/v2/node", "/v2/pools", "/metrics")]
    with cluster.chat_stream("beta") as stream:
        assert stream.status == 200
        assert cluster.token not in "".join(e.data for e in stream)
    cluster.wait_another_engine("n1", cluster.kill_engine("n1"))
    for answer in answers:
        assert cluster.token not in answer.body.decode() and cluster.token not in str(answer.headers)

    for pid in [p.pid for p in cluster.started] + [cluster.engine_pid("n1"), cluster.engine_pid("n2")]:
        assert cluster.token.encode() not in Path("/proc/%d/cmdline" % pid).read_bytes()
    for node_id in ("n1", "n2"):
        engine = cluster.engine_pid(node_id)
        assert cluster.token.encode() not in Path("/proc/%d/environ" % engine).read_bytes(), "the engine was handed the token"

    for made in reversed(cluster.started):
        assert made.stop() == 0
    assert files_with(cluster.token, cluster.root, {cluster.token_file}) == []
    assert cluster.control.stderr and cluster.nodes["n1"].stderr


def test_the_check_would_find_it(tmp_path):
    Program(tmp_path, "leaky", ["/bin/sh", "-c", "echo token-text"]).run()
    assert files_with("token-text", tmp_path, set()) == ["leaky/stdout.log"]
