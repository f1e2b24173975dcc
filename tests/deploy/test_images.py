"""deploy/docker: parsed by Docker's own parser; its stages fit each other, the programs and the build context."""
import os
import re
import subprocess
from fnmatch import fnmatch

import dockerfile
import pytest

PART_OF_THE_BASE = {"libc6", "libgcc-s1"}
TRUSTED = {"ca-certificates"}  # https addresses are checked against the system's store by default
PROGRAMS = {"orchestratord": 8080, "pool-managerd": 9200}


@pytest.fixture(scope="module")
def stages(deploy):
    """{stage: [(command, flags, value)]}, and what a stage builds upon as its first entry."""
    found, current = {}, None
    for step in dockerfile.parse_file(str(deploy / "docker/Dockerfile")):
        if step.cmd.upper() == "FROM":
            base, _, name = step.value
            current = found[name] = []
        current.append((step.cmd.upper(), step.flags, step.value))
    return found


def values(stage, command):
    return [value for cmd, _, value in stage if cmd == command]


def installed_in(stage):
    words = " ".join(text for value in values(stage, "RUN") for text in value)
    lists = re.findall(r"apt-get install -y --no-install-recommends((?:\s+[\w.+-]+)+)", words.replace("\\", " "))
    return {name for names in lists for name in names.split()}


def shared_libraries(path):
    listed = subprocess.run(["ldd", path], capture_output=True, text=True).stdout
    return set(re.findall(r"=> (/\S+)", listed))


def package_of(library):
    """/lib and /usr/lib are one folder; the package may have either."""
    path = os.path.realpath(library)
    for name in (path, path.removeprefix("/usr")):
        found = subprocess.run(["dpkg-query", "--search", name], capture_output=True, text=True).stdout
        if found:
            return found.split(":")[0]
    raise AssertionError("no package holds " + path)


def test_stages_build_upon_each_other(stages):
    bases = {name: values(stage, "FROM")[0][0] for name, stage in stages.items()}
    assert bases == {"build": "debian:bookworm-slim", "runtime": "debian:bookworm-slim", "orchestratord": "runtime",
                     "pool-managerd": "runtime", "pool-managerd-cpu": "pool-managerd"}


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_image_starts_its_daemon_as_another_user_than_root(stages, program):
    stage = stages[program]
    assert values(stage, "ENTRYPOINT") == [(program,)]
    assert values(stage, "USER")[-1] == ("10001:10001",)
    assert values(stage, "EXPOSE") == [(str(PROGRAMS[program]),)]
    assert values(stage, "HEALTHCHECK") == [("CMD", "llorch", "health")]


def test_the_cpu_image_returns_to_that_user(stages):
    assert values(stages["pool-managerd-cpu"], "USER") == [("root",), ("10001:10001",)]


def test_settings_in_an_image_are_ones_that_its_daemon_reads(stages, settings):
    for program in PROGRAMS:
        names = {name for value in values(stages[program], "ENV") for name in value[::2] if re.match("ORCH|POOL_|LLORCH_", name)}
        assert names and names <= settings["orchestratord"] | settings["pool-managerd"]


def test_the_runtime_packages_are_those_that_the_programs_need(stages, programs):
    """Every shared library of the programs belongs to a package that is installed, and none is installed for nothing."""
    libraries = set()
    for program in (*PROGRAMS, "llorch"):
        libraries |= shared_libraries(programs / program)
    assert installed_in(stages["runtime"]) == {package_of(library) for library in libraries} - PART_OF_THE_BASE | TRUSTED


def test_the_cpu_image_has_what_its_engine_needs(stages, root):
    engine = next((root / "build/venv/lib").glob("python3*/site-packages/xllamacpp"))
    libraries = {library for part in engine.parent.glob("xllamacpp*/**/*.so*") for library in shared_libraries(part)}
    needed = {package_of(library) for library in libraries if not library.startswith(str(engine.parent))}
    assert "libgomp1" in needed
    there = set().union(*(installed_in(stages[name]) for name in ("runtime", "pool-managerd", "pool-managerd-cpu")))
    assert needed - PART_OF_THE_BASE <= there


def test_what_is_copied_from_the_context_exists_and_is_not_ignored(stages, root):
    wanted = [line.strip() for line in (root / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    kept = [pattern.lstrip("!") for pattern in wanted]
    for pattern in kept:
        assert (root / pattern).exists(), pattern
    for stage in stages.values():
        for command, flags, value in stage:
            if command != "COPY" or any(flag.startswith("--from") for flag in flags):
                continue
            for source in value[:-1]:
                assert (root / source).exists(), source
                assert source == "." or any(source == keep or source.startswith(keep + "/") or fnmatch(source, keep)
                                            for keep in kept), source


def test_what_is_copied_from_the_build_is_what_install_lays_down(stages, installed):
    for name in ("runtime", "orchestratord", "pool-managerd"):
        for command, flags, value in stages[name]:
            if command == "COPY":
                assert flags == ("--from=build",)
                for source in value[:-1]:
                    assert (installed / source.removeprefix("/staged/")).is_file(), source


def test_nothing_secret_is_in_an_image(deploy):
    assert not re.search(r"API_TOKEN|SECRET|PASSWORD", (deploy / "docker/Dockerfile").read_text())
