import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT / "tools")]

import make_tiny_gguf  # noqa: E402
from support.cluster import Cluster, pool  # noqa: E402
from support.process import Runner  # noqa: E402


@pytest.fixture(scope="session")
def programs():
    folder = Path(os.environ.get("ORCH_BIN", ROOT / "build/dev/bin"))
    assert folder.is_dir(), "no programs in %s: build them, or set ORCH_BIN" % folder
    return folder


@pytest.fixture(scope="session")
def engine():
    """The real engine."""
    binary = Path(os.environ.get("ORCH_LLAMA_SERVER", ROOT / "build/venv/bin/llorch-llama-server"))
    assert binary.is_file(), "no engine at %s: run scripts/engine_venv --tests, or set ORCH_LLAMA_SERVER" % binary
    return binary


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    return make_tiny_gguf.write(tmp_path_factory.mktemp("models") / "tiny.gguf")


@pytest.fixture(scope="session")
def slow_model(tmp_path_factory):
    return make_tiny_gguf.write(tmp_path_factory.mktemp("models") / "slow.gguf", "q8_0", slow=True)


@pytest.fixture
def cluster(tmp_path, programs, engine):
    """A cluster without anything started."""
    made = Cluster(tmp_path, programs, engine)
    yield made
    made.close()


def start_two_nodes(cluster, model):
    cluster.start_control()
    for node_id in ("n1", "n2"):
        cluster.start_node(node_id, [pool(model)])
    cluster.wait_ready("n1", "n2")
    return cluster


@pytest.fixture
def two_nodes(cluster, model):
    """A control plane and the nodes n1 and n2, each with one real engine that serves the model as "tiny"."""
    return start_two_nodes(cluster, model)


@pytest.fixture(scope="module")
def shared_two_nodes(tmp_path_factory, programs, engine, model):
    """two_nodes for all tests of a file: for those that leave it as it was."""
    made = Cluster(tmp_path_factory.mktemp("cluster"), programs, engine)
    try:
        yield start_two_nodes(made, model)
    finally:
        made.close()


@pytest.fixture
def runner(tmp_path, programs):
    made = Runner(tmp_path, programs)
    yield made
    made.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Adds the ends of all logs to a failure: of everything among the fixtures that has them."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for value in item.funcargs.values():
            if hasattr(value, "tails"):
                report.sections.append(("logs", value.tails()))
