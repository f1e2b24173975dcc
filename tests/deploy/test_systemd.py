"""deploy/systemd: verified by systemd, and what the units say about the daemons is true."""
import re
import subprocess

import pytest

UNITS = ("orchestratord", "pool-managerd")


def run(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def units(installed_under_own_prefix):
    return {name: installed_under_own_prefix / ("lib/systemd/system/%s.service" % name) for name in UNITS}


@pytest.mark.parametrize("name", UNITS)
def test_the_unit_is_verified(units, name):
    answer = run("systemd-analyze", "verify", "--man=no", units[name])
    assert (answer.returncode, answer.stderr) == (0, "")


def test_verify_would_see_a_wrong_line(units, tmp_path):
    broken = tmp_path / "orchestratord.service"
    broken.write_text(units["orchestratord"].read_text().replace("RestartSec=5", "RestartSeconds=5"))
    assert "RestartSeconds" in run("systemd-analyze", "verify", "--man=no", broken).stderr


@pytest.mark.parametrize("name", UNITS)
def test_the_exposure_stays_low(units, name):
    answer = run("systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=25", units[name])
    assert answer.returncode == 0, answer.stdout[-400:]


@pytest.fixture
def system(installed):
    """A file system on which the user and the folders were made."""
    (installed / "etc").mkdir(exist_ok=True)
    assert run("systemd-sysusers", "--root=%s" % installed).returncode == 0
    assert run("systemd-tmpfiles", "--root=%s" % installed, "--create", "llama-orch.conf").returncode == 0
    return installed


def test_the_user_of_the_units_is_made(system, units):
    users = (system / "etc/passwd").read_text()
    for unit in units.values():
        user = re.search(r"^User=(\S+)$", unit.read_text(), re.MULTILINE)[1]
        assert re.search("^%s:" % user, users, re.MULTILINE)
    assert re.search("^video:.*llama-orch", (system / "etc/group").read_text(), re.MULTILINE)


def test_the_folder_of_the_token_is_closed_to_others(system):
    assert (system / "etc/llama-orch").stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize("name", UNITS)
def test_every_setting_is_one_that_the_daemon_reads(units, deploy, settings, name):
    text = units[name].read_text() + (deploy / "systemd" / (name + ".env")).read_text().replace("# ", "")
    named = set(re.findall(r"^(?:Environment=)?([A-Z][A-Z_]+)=", text, re.MULTILINE))
    assert len(named) > 2
    assert named <= settings["orchestratord"] | settings["pool-managerd"]


def test_the_pools_are_accepted(deploy, check_pools):
    check_pools((deploy / "systemd/pools.yaml").read_text())


def test_engines_outlive_the_node_unless_its_settings_file_says_otherwise(units):
    """systemd must not end them either, and a file overrides Environment= wherever it stands."""
    text = units["pool-managerd"].read_text()
    assert re.search("^KillMode=process$", text, re.MULTILINE)
    assert re.search("^Environment=POOL_MANAGERD_KEEP_ENGINES=true$", text, re.MULTILINE)
    assert re.search("^EnvironmentFile=-/etc/llama-orch/pool-managerd.env$", text, re.MULTILINE)


def test_the_stop_limit_is_longer_than_a_drain(units, root):
    drain = re.search(r"drain_limit = std::chrono::seconds\((\d+)\)", (root / "src/node/supervisor/supervisor.hpp").read_text())
    for unit in units.values():
        limit = re.search(r"^TimeoutStopSec=(\d+)$", unit.read_text(), re.MULTILINE)
        assert int(limit[1]) >= 2 * int(drain[1])
