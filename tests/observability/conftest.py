import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT / "tests/e2e"), str(ROOT / "tools")]

import make_tiny_gguf  # noqa: E402
from support.cluster import Cluster, pool  # noqa: E402
from support.http import streamed_text  # noqa: E402


@pytest.fixture(scope="session")
def programs():
    folder = Path(os.environ.get("ORCH_BIN", ROOT / "build/dev/bin"))
    assert folder.is_dir(), "no programs in %s: build them, or set ORCH_BIN" % folder
    return folder


@pytest.fixture(scope="session")
def tools():
    """Prometheus, promtool and amtool."""
    folder = ROOT / "build/third_party/prometheus/usr/bin"
    assert (folder / "promtool").is_file(), "no promtool in %s: run scripts/setup --tests" % folder
    return folder


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    return make_tiny_gguf.write(tmp_path_factory.mktemp("models") / "tiny.gguf")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, programs):
    """A cluster without anything started; its engines are simulated ones."""
    made = Cluster(tmp_path_factory.mktemp("cluster"), programs, programs / "engine-sim")
    yield made
    made.close()


@pytest.fixture(scope="module")
def used_cluster(cluster, model):
    """One node with one pool that has served a stream and a whole answer, and a node that left."""
    cluster.start_control()
    for node_id in ("n1", "n2"):
        cluster.start_node(node_id, [pool(model)])
    cluster.wait_ready("n1", "n2")
    for node_id in ("n1", "n2"):
        assert cluster.chat("hello", headers={"X-Llorch-Node": node_id}).status == 200
    with cluster.chat_stream("hello", headers={"X-Llorch-Node": "n1"}, max_tokens=8) as stream:
        assert streamed_text(stream)
    assert cluster.chat("hello", model="absent").status in (404, 503)
    assert cluster.nodes.pop("n2").stop() == 0
    return cluster


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Adds the ends of all logs to a failure: of everything among the fixtures that has them."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for value in item.funcargs.values():
            if hasattr(value, "tails"):
                report.sections.append(("logs", value.tails()))
