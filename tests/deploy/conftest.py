import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SETTING = re.compile(r"\b(?:ORCHESTRATORD|ORCHD|POOL_MANAGERD|LLORCH)_[A-Z_]+\b")


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def deploy():
    return ROOT / "deploy"


@pytest.fixture(scope="session")
def programs():
    return Path(os.environ.get("ORCH_BIN", ROOT / "build/dev/bin"))


@pytest.fixture(scope="session")
def ask(programs):
    """ask(program, flags..., env={...}) -> the ended process; nothing of the caller's environment goes in."""
    def run(program, *flags, env=None):
        clean = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **(env or {})}
        return subprocess.run([programs / program, *flags], capture_output=True, text=True, timeout=20, env=clean)
    return run


@pytest.fixture(scope="session")
def settings(ask):
    """The environment names that each daemon reads: those of --print-config and the ones that stand outside it."""
    def names(daemon):
        return {"LLORCH_CONFIG", "LLORCH_URL"} | set(SETTING.findall(ask(daemon, "--print-config").stdout))
    return {daemon: names(daemon) for daemon in ("orchestratord", "pool-managerd")}


@pytest.fixture
def check_pools(ask, tmp_path):
    """check_pools(text): `pool-managerd` accepts the pools; their model files are thought to exist."""
    def check(text):
        model = tmp_path / "model.gguf"
        model.touch()
        path = tmp_path / "pools.yaml"
        path.write_text(re.sub(r"model: \S+\.gguf", "model: %s" % model, text))
        answer = ask("pool-managerd", "--check-config", "--config", path)
        assert (answer.returncode, answer.stderr) == (0, "")
    return check


def _install(prefix, destdir=None):
    build = os.environ.get("ORCH_BUILD", str(ROOT / "build/dev"))
    environment = dict(os.environ, **({"DESTDIR": str(destdir)} if destdir else {}))
    subprocess.run(["cmake", "--install", build, "--prefix", str(prefix), "--strip"], check=True, capture_output=True, env=environment)


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """The root of a file system with everything installed under /usr."""
    folder = tmp_path_factory.mktemp("root")
    _install("/usr", folder)
    return folder


@pytest.fixture(scope="session")
def installed_under_own_prefix(tmp_path_factory):
    prefix = tmp_path_factory.mktemp("prefix")
    _install(prefix)
    return prefix
