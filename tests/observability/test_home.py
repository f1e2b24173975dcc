"""HOME: one program and one /metrics for the control plane and its node; each line tells whose it is."""
import json

import pytest
from exposition import documented, parse
from support.http import Client, chat
from support.process import Runner, wait_for


@pytest.fixture
def home(tmp_path, programs, model):
    runner = Runner(tmp_path, programs)
    made = runner.start("orchestratord", "--model", model, "--addr", "127.0.0.1:0", "--log-format", "json",
                        "--engine-binary", programs / "engine-sim", "--state-dir", tmp_path / "state/orchestratord", name="home",
                        env={"POOL_MANAGERD_STATE_DIR": str(tmp_path / "state/pool-managerd"),
                             "POOL_MANAGERD_NODE_ID": "h1", "POOL_MANAGERD_MACHINE_ID": "box"})
    yield made
    runner.close()


def test_one_answer_tells_the_metrics_of_both(home):
    client = Client(home.address())
    wait_for("the model to be ready", lambda: client.get("/health").json()["pools_ready"] == 1)
    assert client.post("/v1/chat/completions", chat("hello", max_tokens=2)).status == 200
    seen = parse(client.get("/metrics").body.decode())
    assert set(seen) == set(documented("orchestratord")) | set(documented("pool-managerd"))
    assert seen["pool_ready"].value(node_id="h1", pool_id="default") == 1
    assert seen["orchd_nodes_online"].value(node_id="h1") == 1

    lines = [json.loads(line) for line in home.stderr.splitlines() if line.startswith("{")]
    node = [line for line in lines if line["logger"] in ("supervisor", "enroll", "lease", "inventory")]
    assert node and all((line["node_id"], line["machine_id"]) == ("h1", "box") for line in node)
    started = [line for line in lines if line["logger"] == "orchestratord"]
    assert not any("node_id" in line for line in started)
