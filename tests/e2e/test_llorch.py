"""The command line against a running cluster."""
import json
import re

import pytest
from make_tiny_gguf import golden


@pytest.fixture
def llorch(runner, shared_two_nodes):
    def run(*arguments, env=None):
        settings = {"LLORCH_URL": "http://" + shared_two_nodes.address, "LLORCH_API_TOKEN_FILE": str(shared_two_nodes.token_file)}
        return runner.run("llorch", *arguments, env={**settings, **(env or {})})
    return run


def test_nodes_pools_and_models_are_tables(llorch):
    nodes, pools, models = llorch("nodes"), llorch("pools"), llorch("models")
    assert [made.exit_code for made in (nodes, pools, models)] == [0, 0, 0]
    for node_id in ("n1", "n2"):
        assert re.search(r"^%s\b.*online" % node_id, nodes.stdout, re.MULTILINE | re.IGNORECASE)
        assert re.search(r"^(?=.*\b%s\b).*\bchat\b" % node_id, pools.stdout, re.MULTILINE)
    assert re.search(r"^tiny\b", models.stdout, re.MULTILINE)


def test_json_is_the_servers_body(llorch, shared_two_nodes):
    assert {n["node_id"] for n in json.loads(llorch("nodes", "--json").stdout)["nodes"]} == {"n1", "n2"}
    assert json.loads(llorch("pools", "--json").stdout)["count"] == 2
    assert json.loads(llorch("models", "--json").stdout)["data"][0]["id"] == "tiny"


def test_run_prints_the_answer(llorch):
    made = llorch("run", "tiny", "say it, beta")
    assert made.exit_code == 0
    assert made.stdout.split() == golden("beta").split()


def test_exit_codes(llorch, tmp_path):
    stranger = tmp_path / "stranger"
    stranger.write_text("a-token-of-somebody-else\n")
    stranger.chmod(0o600)
    assert llorch("no-such-command").exit_code == 2
    unreachable = llorch("nodes", env={"LLORCH_URL": "http://127.0.0.1:1"})
    assert unreachable.exit_code == 3 and "127.0.0.1:1" in unreachable.stderr
    refused = llorch("nodes", env={"LLORCH_API_TOKEN_FILE": str(stranger)})
    assert refused.exit_code == 4 and "BAD_TOKEN" in refused.stderr and "somebody-else" not in refused.stderr
    assert llorch("run", "tiny", "x", env={"LLORCH_URL": "ftp://x"}).exit_code == 2


def test_token_new_writes_a_file_and_says_how_to_go_on(runner, tmp_path):
    out = tmp_path / "cluster.token"
    made = runner.run("llorch", "token", "new", "--out", out)
    assert made.exit_code == 0
    token = out.read_text().strip()
    assert len(token) >= 16 and out.stat().st_mode & 0o777 == 0o600
    assert "orchestratord" in made.stdout and "pool-managerd" in made.stdout and str(out) in made.stdout
    again = runner.run("llorch", "token", "new", "--out", out)
    assert again.exit_code != 0 and out.read_text().strip() == token


def test_a_made_token_is_good_for_a_control_plane(runner, tmp_path):
    out = tmp_path / "cluster.token"
    assert runner.run("llorch", "token", "new", "--out", out).exit_code == 0
    control = runner.start("orchestratord", "--addr", "127.0.0.1:0", "--cloud-profile", "true", "--api-token-file", out,
                           "--state-dir", tmp_path / "state")
    url = "http://" + control.address()
    env = {"LLORCH_URL": url, "LLORCH_API_TOKEN_FILE": str(out)}
    assert runner.run("llorch", "nodes", env=env).exit_code == 0
    assert runner.run("llorch", "nodes", env={"LLORCH_URL": url}).exit_code == 4
    assert out.read_text().strip() not in control.stderr


@pytest.mark.parametrize("program", ["orchestratord", "pool-managerd", "llorch"])
def test_help_and_version(runner, program):
    assert runner.run(program, "--help").exit_code == 0
    version = runner.run(program, "--version")
    assert version.exit_code == 0 and re.search(r"\d+\.\d+\.\d+", version.stdout)
