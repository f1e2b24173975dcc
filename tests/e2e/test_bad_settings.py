"""Settings and files that are wrong: an exit code and a sentence, before anything is started."""
import socket

import pytest
from support.cluster import pool
from support.process import wait_for

CLOUD = ("--addr", "127.0.0.1:0", "--cloud-profile", "true")


def refused(made, code, *said):
    assert made.exit_code == code, made.tail()
    assert made.stdout == ""
    for text in said:
        assert text in made.stderr, made.stderr


@pytest.fixture
def node(runner, tmp_path, engine, model):
    """node(yaml, flags...) -> the ended pool-managerd; MODEL in the text stands for a good model file."""
    def run(yaml, *flags, env=None):
        config = tmp_path / "pools.yaml"
        config.write_text(yaml.replace("MODEL", str(model)))
        return runner.run("pool-managerd", "--config", config, "--state-dir", tmp_path / "node-state", "--engine-binary", engine,
                          *flags, env={"POOL_MANAGERD_ADDR": "127.0.0.1:0", **(env or {})})
    return run


GOOD_POOL = "pools:\n  - id: chat\n    engine: llamacpp\n    model: MODEL\n    devices: []\n"


@pytest.mark.parametrize("yaml,line,named", [
    ("pools:\n  - id: chat\n   engine: llamacpp\n", 3, "pools.yaml"),
    (GOOD_POOL + "    slotz: 4\n", 6, "slotz"),
    (GOOD_POOL + "    devices: [0]\n", 6, "devices"),
    (GOOD_POOL + "    slots: many\n", 6, "slots"),
    (GOOD_POOL + "    slots: 0\n", 6, "slots"),
    (GOOD_POOL + "    flags: [\"--flash-attn\", \"on\", \"--port\", \"1\"]\n", 6, "--port"),
    (GOOD_POOL + "    flags: [\"--ctx-size=5\"]\n", 6, "--ctx-size"),
    (GOOD_POOL + GOOD_POOL.removeprefix("pools:\n"), 6, "chat"),
    (GOOD_POOL.replace("MODEL", "/no/such.gguf"), 4, "/no/such.gguf"),
    (GOOD_POOL.replace("llamacpp", "ollama"), 3, "ollama"),
    (GOOD_POOL.replace("chat", "\"a b\""), 2, "id"),
    ("nodeid: x\n" + GOOD_POOL, 1, "nodeid"),
])
def test_a_bad_pool_file_names_file_line_and_key(node, yaml, line, named):
    refused(node(yaml), 2, "pools.yaml:%d" % line, named)


def test_all_errors_are_said_at_once(runner, tmp_path):
    made = runner.run("orchestratord", *CLOUD, "--state-dir", tmp_path / "s", "--node-timeout-secs", "soon",
                      "--placement-strategy", "best", env={"ORCHESTRATORD_LOG_LEVEL": "loud"})
    refused(made, 2, "ORCHESTRATORD_NODE_TIMEOUT_SECS", "--node-timeout-secs", '"soon"', "from 1 to 86400",
            "ORCHESTRATORD_PLACEMENT_STRATEGY", '"best"', "least-loaded", "ORCHESTRATORD_LOG_LEVEL", '"loud"', "debug")


# Each: the setting, its value unless it is secret, and what is allowed or missing.
@pytest.mark.parametrize("flags,said", [
    (["--no-such-flag"], ["--no-such-flag"]),
    (["--node-timeout-secs", "5", "--heartbeat-interval-secs", "6"],
     ["ORCHESTRATORD_HEARTBEAT_INTERVAL_SECS", "6 s", "below ORCHESTRATORD_NODE_TIMEOUT_SECS", "5 s"]),
    (["--node-timeout-secs", "0"], ["ORCHESTRATORD_NODE_TIMEOUT_SECS", '"0"', "from 1 to 86400"]),
    (["--node-timeout-secs", "5", "--node-timeout-ms", "5000"], ["--node-timeout-ms", "--node-timeout-secs", "one of them"]),
    (["--require-auth", "true"], ["ORCHESTRATORD_REQUIRE_AUTH", "LLORCH_API_TOKEN_FILE"]),
    (["--addr", "0.0.0.0:0"], ["NON_LOOPBACK_WITHOUT_TOKEN"]),
    (["--addr", "0.0.0.0:0", "--require-auth", "false"], ["NON_LOOPBACK_WITHOUT_TOKEN"]),
    (["--addr", "nonsense"], ["ORCHESTRATORD_ADDR", '"nonsense"']),
    (["--api-token", "short"], ["LLORCH_API_TOKEN", "8 at least"]),
    (["--api-token-file", "/no/such/token"], ["/no/such/token"]),
    (["--config", "/no/such.yaml"], ["/no/such.yaml"]),
])
def test_bad_settings_of_the_control_plane(runner, tmp_path, flags, said):
    address = [] if "--addr" in flags else ["--addr", "127.0.0.1:0"]
    refused(runner.run("orchestratord", *address, "--cloud-profile", "true", "--state-dir", tmp_path / "s", *flags), 2, *said)


def test_a_short_token_does_not_appear_in_its_own_error(runner, tmp_path):
    made = runner.run("orchestratord", *CLOUD, "--state-dir", tmp_path / "s", env={"LLORCH_API_TOKEN": "zq-7x"})
    refused(made, 2)
    assert "zq-7x" not in made.stderr


def test_an_https_address_without_a_certificate_is_refused(node):
    made = node(GOOD_POOL, "--address", "https://127.0.0.1:1", "--api-token", "0123456789abcdef")
    refused(made, 2, "POOL_MANAGERD_ADDRESS", "https://127.0.0.1:1", "POOL_MANAGERD_TLS_CERT", "http://")


def test_a_node_in_plain_http_does_not_join_over_https(node):
    made = node(GOOD_POOL, "--orchestratord-url", "https://127.0.0.1:1", "--api-token", "0123456789abcdef", "--addr", "0.0.0.0:0")
    refused(made, 2, "ORCHESTRATORD_URL", "https://127.0.0.1:1", "POOL_MANAGERD_TLS_CERT", "http://")


def test_tls_files_that_are_missing_or_no_certificates_are_named(node, tmp_path):
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    refused(node(GOOD_POOL, "--tls-ca", "/no/such/ca.pem"), 2, "POOL_MANAGERD_TLS", "/no/such/ca.pem")
    refused(node(GOOD_POOL, "--tls-cert", empty, "--tls-key", empty), 2, "POOL_MANAGERD_TLS", str(empty))
    refused(node(GOOD_POOL, "--tls-cert", empty), 2, "POOL_MANAGERD_TLS_CERT", "POOL_MANAGERD_TLS_KEY")
    refused(node(GOOD_POOL, "--tls-client-ca", empty), 2, "POOL_MANAGERD_TLS_CLIENT_CA")


def test_a_taken_port_is_exit_code_3(runner, tmp_path, node):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        control = runner.run("orchestratord", "--addr", address, "--cloud-profile", "true", "--state-dir", tmp_path / "s")
        refused(control, 3, address)
        refused(node(GOOD_POOL, env={"POOL_MANAGERD_ADDR": address}), 3, address)


@pytest.mark.parametrize("program,flags", [("orchestratord", CLOUD), ("pool-managerd", ("--addr", "127.0.0.1:0"))])
def test_a_second_daemon_on_the_same_state_is_exit_code_4(runner, tmp_path, program, flags):
    first = runner.start(program, *flags, "--state-dir", tmp_path / "s")
    first.address()
    refused(runner.run(program, *flags, "--state-dir", tmp_path / "s"), 4, str(tmp_path / "s"))
    assert first.is_running()
    first.kill()
    third = runner.start(program, *flags, "--state-dir", tmp_path / "s")
    assert third.address(), "a killed daemon leaves no lock behind"


def test_home_does_not_lock_itself_out(runner, tmp_path):
    same = str(tmp_path / "s")
    made = runner.run("orchestratord", "--addr", "127.0.0.1:0", "--state-dir", same, env={"POOL_MANAGERD_STATE_DIR": same + "/"})
    refused(made, 2, "POOL_MANAGERD_STATE_DIR", "ORCHESTRATORD_STATE_DIR", same)


def test_a_state_directory_that_cannot_be_made_is_exit_code_4(runner):
    refused(runner.run("orchestratord", *CLOUD, "--state-dir", "/dev/null/s"), 4, "/dev/null/s")
    refused(runner.run("pool-managerd", "--addr", "127.0.0.1:0", "--state-dir", "/dev/null/s"), 4, "/dev/null/s")


@pytest.mark.parametrize("program", ["orchestratord", "pool-managerd"])
def test_the_printed_configuration_is_accepted_and_holds_no_secret(runner, tmp_path, program):
    secret = {"LLORCH_API_TOKEN": "a-secret-token-of-32-characters!"}
    printed = runner.run(program, "--print-config", "--state-dir", tmp_path / "s", env=secret)
    assert printed.exit_code == 0 and secret["LLORCH_API_TOKEN"] not in printed.stdout
    (tmp_path / "again.yaml").write_text(printed.stdout)
    again = runner.run(program, "--check-config", "--config", tmp_path / "again.yaml", env=secret)
    assert again.exit_code == 0, again.tail()


# Engines that do not start: the node joins all the same and says why.

def last_error(cluster, pool_id):
    return wait_for("the error of pool %s" % pool_id, lambda: cluster.pool("n1", pool_id)["last_error"])


def test_a_garbage_model_shows_the_engines_own_words(cluster, model, tmp_path):
    garbage = tmp_path / "garbage.gguf"
    garbage.write_bytes(b"GGUF" + b"\xff" * 4096)
    cluster.start_control()
    cluster.start_node("n1", [pool(model), pool(garbage, "broken")])
    cluster.wait_ready("n1")
    wait_for("the engine's own words", lambda: "failed to load model" in last_error(cluster, "broken"))
    assert cluster.pool("n1", "broken")["ready"] is False
    assert cluster.chat("hello", model="tiny").status == 200
    answer = cluster.chat("hello", model="garbage")
    assert (answer.status, answer.error["code"]) == (503, "MODEL_NOT_AVAILABLE")


def test_an_engine_that_ends_at_once_shows_its_exit_code_and_words(cluster, model, tmp_path):
    engine = tmp_path / "engine"
    engine.write_text("#!/bin/sh\necho 'no usable device on this machine' >&2\nexit 7\n")
    engine.chmod(0o755)
    cluster.start_control()
    cluster.start_node("n1", [pool(model)], engine=engine)
    said = last_error(cluster, "chat")
    assert "no usable device on this machine" in said and "7" in said
    assert cluster.node("n1")["online"]


def test_a_missing_engine_is_named(cluster, model):
    cluster.start_control()
    made = cluster.start_node("n1", [pool(model)], engine="/no/such/engine")
    wait_for("a word about the engine", lambda: "/no/such/engine" in made.stderr)
