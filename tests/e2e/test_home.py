"""One machine, one program, one model file."""
import os
import signal

import openai
import pytest
from make_tiny_gguf import golden
from support.http import Client, chat, streamed_text
from support.process import is_running, wait_for


@pytest.fixture
def start_home(runner, engine, model, tmp_path):
    """The engine is found on PATH. The port is the system's choice, and where state lies is moved below the test's folder, so
    that tests can run side by side."""
    def start(*arguments):
        folder = tmp_path / "bin"
        folder.mkdir()
        (folder / "llama-server").symlink_to(engine)
        made = runner.make("orchestratord", "--model", model, *arguments, name="home", env={
            "PATH": "%s:/usr/bin:/bin" % folder,
            "ORCHESTRATORD_ADDR": "127.0.0.1:0",
            "ORCHESTRATORD_STATE_DIR": str(tmp_path / "home/state/orchestratord"),
            "POOL_MANAGERD_STATE_DIR": str(tmp_path / "home/state/pool-managerd"),
        }).start()
        client = Client(made.address())
        wait_for("the model to be ready", lambda: client.get("/health").json()["pools_ready"] == 1)
        return made, client
    return start


@pytest.fixture
def home(start_home):
    """Nothing is set but the model."""
    return start_home()


def engine_pid(client):
    return client.get("/v2/nodes").json()["nodes"][0]["pools"][0]["replicas"][0]["pid"]


def test_a_model_file_is_all_it_needs(home):
    made, client = home
    for key in (None, "alpha", "beta"):
        prompt = "say it, %s" % (key or "please")
        assert client.post("/v1/chat/completions", chat(prompt)).json()["choices"][0]["message"]["content"] == golden(key)
        with client.stream("/v1/chat/completions", chat(prompt, model="tiny")) as stream:
            assert streamed_text(stream) == golden(key)
    assert made.stop() == 0


def test_the_sdk_needs_no_key(home):
    _, client = home
    sdk = openai.OpenAI(base_url="http://%s/v1" % client.address, api_key="unused-but-long-enough", max_retries=0)
    assert [m.id for m in sdk.models.list().data] == ["tiny"]


def test_the_profile_and_its_reason_are_said_at_start(home):
    made, _ = home
    assert "HOME" in made.stderr


def test_other_machines_cannot_join(home):
    _, client = home
    answer = client.post("/v2/nodes/register", {"node_id": "x", "machine_id": "x", "address": "http://127.0.0.1:1", "pools": []})
    assert (answer.status, answer.error["code"]) == (503, "CLOUD_PROFILE_DISABLED")
    answer = client.post("/v2/nodes/x/heartbeat", {"timestamp": "2026-01-01T00:00:00Z", "pools": []})
    assert answer.error["code"] == "CLOUD_PROFILE_DISABLED"
    assert client.request("DELETE", "/v2/nodes/x").error["code"] == "CLOUD_PROFILE_DISABLED"


def test_its_own_node_is_listed_with_one_pool(home):
    _, client = home
    nodes = client.get("/v2/nodes").json()
    assert nodes["count"] == 1
    assert [p["pool_id"] for p in nodes["nodes"][0]["pools"]] == ["default"]


def test_a_web_page_cannot_reach_the_open_port(home):
    _, client = home
    assert client.get("/v2/nodes", {"Host": "evil.example"}).error["code"] == "FORBIDDEN"
    assert client.get("/v2/nodes", {"Origin": "http://evil.example"}).error["code"] == "FORBIDDEN"


def test_the_engine_ends_with_it(home):
    made, client = home
    pid = engine_pid(client)
    assert made.stop() == 0
    assert not is_running(pid)


def test_its_engine_outlives_a_crash_and_is_adopted(home):
    made, client = home
    pid = engine_pid(client)
    made.kill()
    assert is_running(pid), "nothing is left over: this test would show nothing"
    made.start()
    client = Client(made.address())
    wait_for("the model to be ready", lambda: client.get("/health").json()["pools_ready"] == 1)
    assert engine_pid(client) == pid
    assert client.post("/v1/chat/completions", chat("say it, beta")).json()["choices"][0]["message"]["content"] == golden("beta")
    assert made.stop() == 0
    assert not is_running(pid)


def test_requests_wait_while_its_engine_starts_again(home):
    _, client = home
    os.kill(engine_pid(client), signal.SIGKILL)
    wait_for("the pool to be seen down", lambda: client.get("/health").json()["pools_ready"] == 0)
    answer = client.post("/v1/chat/completions", chat("say it, beta"))
    assert answer.status == 200, answer
    assert answer.json()["choices"][0]["message"]["content"] == golden("beta")


def test_its_node_logs_at_the_level_that_a_reload_sets(start_home, tmp_path):
    config = tmp_path / "home.yaml"
    config.write_text("log_level: error\nlog_format: json\n")
    made, client = start_home("--config", config)
    def node_lines():
        return [line for line in made.stderr.splitlines() if '"node_id"' in line and '"info"' in line]
    assert node_lines() == []
    config.write_text("log_level: info\nlog_format: json\n")
    assert client.post("/v2/admin/reload").status == 200
    os.kill(engine_pid(client), signal.SIGKILL)
    wait_for("a line of the node", node_lines)


def test_a_missing_model_file_is_named(runner):
    made = runner.run("orchestratord", "--model", "/no/such/model.gguf", "--addr", "127.0.0.1:0")
    assert made.exit_code == 2
    assert "/no/such/model.gguf" in made.stderr and made.stdout == ""
