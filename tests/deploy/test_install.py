"""`cmake --install`: with a DESTDIR, as packagers do, and with a prefix of one's own."""
import os
import stat
import subprocess


def test_a_destdir_receives_everything(installed):
    for path in ("usr/bin/orchestratord", "usr/bin/pool-managerd", "usr/bin/llorch",
                 "usr/lib/systemd/system/orchestratord.service", "usr/lib/systemd/system/pool-managerd.service",
                 "usr/lib/sysusers.d/llama-orch.conf", "usr/lib/tmpfiles.d/llama-orch.conf",
                 "usr/share/doc/llama-orch/README.md", "usr/share/doc/llama-orch/LICENSE",
                 "usr/share/doc/llama-orch/docs/CONFIGURATION.md",
                 "usr/share/doc/llama-orch/examples/systemd/orchestratord.env",
                 "usr/share/doc/llama-orch/examples/kubernetes/pool-managerd.yaml"):
        assert (installed / path).is_file(), path


def test_nothing_for_tests_is_installed(installed):
    assert sorted(path.name for path in (installed / "usr/bin").iterdir()) == ["llorch", "orchestratord", "pool-managerd"]


def test_installed_programs_run(installed):
    for program in ("orchestratord", "pool-managerd", "llorch"):
        path = installed / "usr/bin" / program
        assert path.stat().st_mode & stat.S_IXOTH
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20, env={"PATH": os.environ["PATH"]})
        assert answer.returncode == 0 and answer.stdout.strip()


def test_units_name_the_programs_of_their_prefix(installed, installed_under_own_prefix):
    for program in ("orchestratord", "pool-managerd"):
        packaged = (installed / ("usr/lib/systemd/system/%s.service" % program)).read_text()
        assert "ExecStart=/usr/bin/%s\n" % program in packaged
        own = (installed_under_own_prefix / ("lib/systemd/system/%s.service" % program)).read_text()
        assert "ExecStart=%s/bin/%s\n" % (installed_under_own_prefix, program) in own
        assert "@" not in packaged.replace("@system-service", "")


def test_the_page_that_a_unit_names_is_installed(installed):
    for unit in (installed / "usr/lib/systemd/system").iterdir():
        named = [line for line in unit.read_text().splitlines() if line.startswith("Documentation=")]
        assert named
        for line in named:
            assert (installed / line.removeprefix("Documentation=file:/")).is_file(), line
