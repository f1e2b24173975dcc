"""deploy/compose: accepted by Compose itself, and every setting in it is one that the daemon reads."""
import os
import re
import shutil
import subprocess

import pytest
import yaml


def compose_command():
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True) if shutil.which("docker") else None
    if plugin and plugin.returncode == 0:
        return ["docker", "compose"]
    assert shutil.which("docker-compose"), "no docker-compose: run scripts/setup --tests"
    return ["docker-compose"]


def config(deploy, *files, **env):
    words = compose_command() + [word for name in files for word in ("-f", str(deploy / "compose" / name))] + ["config"]
    clean = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **env}
    return subprocess.run(words, capture_output=True, text=True, timeout=60, env=clean)


@pytest.fixture(scope="module")
def services(deploy):
    answer = config(deploy, "compose.yaml", LLORCH_API_TOKEN="0123456789abcdef")
    assert answer.returncode == 0, answer.stderr
    return yaml.safe_load(answer.stdout)["services"]


def test_two_nodes_and_a_control_plane(services):
    assert set(services) == {"orchestratord", "node1", "node2"}
    assert [services[name]["environment"]["POOL_MANAGERD_NODE_ID"] for name in ("node1", "node2")] == ["node1", "node2"]
    assert {service["environment"]["LLORCH_API_TOKEN"] for service in services.values()} == {"0123456789abcdef"}


def test_only_the_control_plane_is_published_and_only_on_this_machine(services):
    published = {name: service.get("ports") for name, service in services.items() if service.get("ports")}
    assert list(published) == ["orchestratord"]
    assert "127.0.0.1" in str(published["orchestratord"])


def test_without_a_token_compose_says_what_is_missing(deploy):
    answer = config(deploy, "compose.yaml")
    assert answer.returncode != 0
    assert "openssl rand -hex 24" in answer.stderr


def test_the_gpu_file_replaces_the_engine_and_reserves_devices(deploy):
    answer = config(deploy, "compose.yaml", "compose.gpu.yaml", LLORCH_API_TOKEN="0123456789abcdef", ENGINE_DIR="/opt/llama.cpp")
    assert answer.returncode == 0, answer.stderr
    seen = yaml.safe_load(answer.stdout)["services"]
    devices = [seen[name]["deploy"]["resources"]["reservations"]["devices"][0]["device_ids"] for name in ("node1", "node2")]
    assert devices == [["0", "1"], ["2", "3"]]
    for name in ("node1", "node2"):
        assert seen[name]["build"]["target"] == "pool-managerd"
        assert "/opt/engine" in str(seen[name]["volumes"])


def test_each_service_is_built_from_a_stage_that_exists(services, root):
    stages = re.findall(r"^FROM \S+ AS (\S+)$", (root / "deploy/docker/Dockerfile").read_text(), re.MULTILINE)
    for service in services.values():
        assert service["build"]["target"] in stages


def test_every_setting_is_one_that_the_daemon_reads(services, settings):
    for service in services.values():
        daemon = "orchestratord" if service["image"].endswith("orchestratord") else "pool-managerd"
        assert set(service["environment"]) <= settings[daemon]


def test_the_pools_are_accepted(deploy, check_pools):
    check_pools((deploy / "compose/pools.yaml").read_text())
