"""More models on the disk than are loaded: a request has its model loaded where it fits, and operators load and unload."""
import os
import re
import shutil

import pytest
from make_tiny_gguf import golden
from support.cluster import pool
from support.http import Client, chat, streamed_text
from support.process import is_running, wait_for

GPU_LINE = "0, GPU-aaa, Test GPU, %d, %d, 0, 40, 9.0"


@pytest.fixture
def models(model, tmp_path):
    """A folder with two sound models and a file that only looks like one."""
    folder = tmp_path / "models"
    folder.mkdir()
    for name in ("alpha", "beta"):
        shutil.copy(model, folder / (name + ".gguf"))
    (folder / "wreck.gguf").write_bytes(b"GGUF" + bytes(64))
    return folder


@pytest.fixture
def home(runner, engine, models, tmp_path):
    made = runner.make("orchestratord", "--models", models, "--engine-binary", engine, name="home", env={
        "ORCHESTRATORD_ADDR": "127.0.0.1:0",
        "ORCHESTRATORD_STATE_DIR": str(tmp_path / "home/orchestratord"),
        "POOL_MANAGERD_STATE_DIR": str(tmp_path / "home/pool-managerd"),
    }).start()
    client = Client(made.address())
    wait_for("the pools to be loadable", lambda: [p["loadable"] for p in client.get("/v2/pools").json()["pools"]] == 3 * [True])
    return client


def pools(client):
    return {p["pool_id"]: p for p in client.get("/v2/pools").json()["pools"]}


def pid(client, pool_id):
    return pools(client)[pool_id]["replicas"][0].get("pid")


def ask(client, model, key="alpha"):
    return client.post("/v1/chat/completions", chat("say it, %s" % key, model=model))


def text(answer):
    assert answer.status == 200, answer
    return answer.json()["choices"][0]["message"]["content"]


def test_a_request_loads_its_model_and_no_other(home):
    assert not any(p["ready"] for p in pools(home).values())
    assert {m["id"] for m in home.get("/v1/models").json()["data"]} == {"alpha", "beta", "wreck"}
    assert text(ask(home, "alpha")) == golden("alpha")
    seen = pools(home)
    assert seen["alpha"]["ready"] and not seen["alpha"]["loadable"]
    assert seen["beta"]["loadable"] and pid(home, "beta") is None
    with home.stream("/v1/chat/completions", chat("say it, beta", model="beta")) as stream:
        assert streamed_text(stream) == golden("beta")
    assert text(ask(home, "alpha")) == golden("alpha"), "both serve"


def test_a_model_that_cannot_be_loaded_says_why(home):
    answer = ask(home, "wreck")
    assert (answer.status, answer.error["code"]) == (503, "MODEL_NOT_AVAILABLE"), answer
    assert "pool 'wreck' of node" in answer.error["message"] and "is not ready: exit code" in answer.error["message"], answer


def test_what_was_drained_is_not_loaded_until_somebody_says_so(home, runner):
    def llorch(*arguments):
        made = runner.run("llorch", *arguments, env={"LLORCH_URL": "http://" + home.address})
        assert made.exit_code == 0, made.stderr
        return made.stdout
    assert "the first request for it loads it" in llorch("pools")
    assert "alpha" in llorch("pools", "preload", "alpha")
    wait_for("alpha to be ready", lambda: pools(home)["alpha"]["ready"])
    engine = pid(home, "alpha")
    assert "drain" in llorch("pools", "drain", "alpha", "--wait-secs", "5")
    wait_for("its engine to end", lambda: not is_running(engine))
    answer = ask(home, "alpha")
    assert (answer.status, answer.error["code"]) == (503, "MODEL_NOT_AVAILABLE"), answer
    wait_for("it to rest", lambda: re.search(r"alpha .* drained ", llorch("pools")))
    assert pid(home, "alpha") is None
    llorch("pools", "preload", "alpha")
    assert text(ask(home, "alpha")) == golden("alpha"), "a request waits while it is loaded"


def gpu(tmp_path, total_mib, used_mib=0):
    """A folder with an nvidia-smi that tells of one GPU."""
    folder = tmp_path / "gpu"
    folder.mkdir()
    script = folder / "nvidia-smi"
    script.write_text("#!/bin/sh\necho '%s'\n" % (GPU_LINE % (total_mib, used_mib)))
    script.chmod(0o755)
    return {"PATH": "%s:%s" % (folder, os.environ["PATH"])}


def on_demand(model):
    return {**pool(model), "devices": ["0"], "on_demand": True}


def test_a_model_is_loaded_where_it_fits(cluster, model, tmp_path):
    cluster.start_control()
    cluster.start_node("n1", [on_demand(model)], env=gpu(tmp_path, 24576, used_mib=24570))
    wait_for("the pool to be known", lambda: (cluster.pool("n1") or {}).get("vram_total_bytes"))
    assert cluster.pool("n1")["loadable"]
    refused = cluster.chat("say it, alpha")
    assert (refused.status, refused.error["code"]) == (503, "POOL_UNAVAILABLE"), refused
    assert "no pool has enough free VRAM to load the model" in refused.error["message"]
    assert any("GiB VRAM, and 0.0 GiB are free" in r for c in refused.error["details"]["candidates"] for r in c["reasons"]), refused
    by_hand = cluster.client.post("/v2/pools/chat/preload", {})
    assert by_hand.status == 503 and "are free" in by_hand.error["message"], by_hand
    assert cluster.engine_pid("n1") is None
    cluster.start_node("n2", [{**on_demand(model), "devices": []}])
    wait_for("the other pool to be known", lambda: (cluster.pool("n2") or {}).get("loadable"))
    wait_for("the other node to be reachable", lambda: cluster.node("n2")["reachable"])
    assert cluster.chat_text("say it, alpha") == golden("alpha")
    assert cluster.pool("n2")["ready"] and not cluster.pool("n1")["ready"]


def test_a_pool_goes_over_to_another_model_under_the_same_name(cluster, model, runner, tmp_path):
    other = shutil.copy(model, tmp_path / "other.gguf")
    cluster.start_control()
    cluster.start_node("n1", [pool(model)])
    cluster.start_node("n2", [pool(model)])
    cluster.wait_ready("n1", "n2")
    engine = cluster.engine_pid("n1")

    def llorch(*arguments):
        return runner.run("llorch", *arguments, env={"LLORCH_URL": "http://" + cluster.address, "LLORCH_API_TOKEN_FILE": str(cluster.token_file)})
    told = llorch("pools", "reload", "n1/chat", str(other))
    assert told.exit_code == 0 and "draining" in told.stdout, told.stderr
    assert {text(answer) for answer in cluster.many_chats(20, prompt="say it, alpha")} == {golden("alpha")}, "the other node serves meanwhile"
    wait_for("another engine to be ready", lambda: cluster.pool("n1")["ready"] and cluster.engine_pid("n1") not in (None, engine))
    assert cluster.chat_text("say it, alpha", model="tiny") == golden("alpha")
    missing = llorch("pools", "reload", "n1/chat", str(tmp_path / "none.gguf"))
    assert missing.exit_code == 5 and "none.gguf" in missing.stderr, missing.stderr
    assert cluster.pool("n1")["ready"]
