"""The commands of the documents, executed in the order of their page against daemons that the page itself starts.

What is mapped, and nothing else: ports 8080 and 9200 become ports of the system's choice, FIRST_MACHINE becomes 127.0.0.1, and each
daemon gets a state directory of its own. tests/docs/documents.py says how a block is marked.
"""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.process import Program, end_strays, wait_for

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.append(str(ROOT / "tests/docs"))

import documents  # noqa: E402

PAGES = [page for page in documents.pages() if any(documents.steps(page))]
CONTROL = re.compile(r"\b(?:127\.0\.0\.1|FIRST_MACHINE):8080\b")
STEP_SECS = 60


class Walk:
    """Somebody who follows one page, in one folder."""

    def __init__(self, folder, programs, engine, model):
        self.folder, self.programs, self.daemons, self.control = Path(folder), programs, [], {}
        self.desk = self.folder / "desk"
        self.desk.mkdir()
        for name in ("tiny.gguf", "model.gguf"):
            shutil.copy(model, self.desk / name)
        (self.desk / "pools.yaml").write_text("pools:\n  - {id: chat, model: %s, served_name: tiny}\n" % (self.desk / "tiny.gguf"))
        links = self.folder / "bin"
        links.mkdir()
        (links / "llama-server").symlink_to(engine)
        (links / "python3").symlink_to(sys.executable)
        self.path = "%s:%s:/usr/bin:/bin" % (programs, links)

    def environment(self, scene):
        env = {"PATH": self.path, "HOME": str(self.folder), "TMPDIR": str(self.folder), "LANG": "C.UTF-8"}
        if scene in self.control:
            env["LLORCH_URL"] = "http://" + self.control[scene]
        return env

    def mapped(self, step, text):
        text = CONTROL.sub(lambda _: self.control.get(step.scene, "127.0.0.1:1"), text)
        return text.replace("0.0.0.0:8080", "0.0.0.0:0").replace("0.0.0.0:9200", "0.0.0.0:0")

    def follow(self, step):
        if step.kind == "start":
            self.start(step)
        elif step.kind == "until":
            wait_for(self.name(step), lambda: self.check(step))
        else:
            self.check(step)

    def name(self, step):
        return "%s:%d" % (step.page.relative_to(ROOT), step.line)

    def check(self, step):
        command = [sys.executable, "-c"] if step.language == "python" else ["bash", "-euc"]
        ended = subprocess.run(command + [self.mapped(step, step.text)], cwd=self.desk, env=self.environment(step.scene),
                               stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=STEP_SECS)
        said = ended.stdout + ended.stderr
        assert ended.returncode == step.exit_code, "%s: exit code %d\n%s" % (self.name(step), ended.returncode, said)
        for text in step.expected:
            assert text in said, "%s: no %r in\n%s" % (self.name(step), text, said)
        return True

    def start(self, step):
        *before, last = self.mapped(step, step.text).strip().replace("\\\n", " ").splitlines()
        state = self.folder / ("state-%d" % len(self.daemons))
        env = dict(self.environment(step.scene), ORCHESTRATORD_ADDR="127.0.0.1:0", POOL_MANAGERD_ADDR="127.0.0.1:0",
                   ORCHESTRATORD_STATE_DIR=str(state / "o"), POOL_MANAGERD_STATE_DIR=str(state / "p"))
        script = "\n".join(["cd %s" % self.desk, "{ :", *before, "} >&2", "exec " + last])
        daemon = Program(self.folder, "daemon-%d" % len(self.daemons), ["bash", "-euc", script], env).start()
        self.daemons.append(daemon)
        address = daemon.address()
        if last.startswith("orchestratord"):
            self.control[step.scene] = "127.0.0.1:" + address.rsplit(":", 1)[1]
        for text in step.expected:
            wait_for("%s: %r in its log" % (self.name(step), text), lambda text=text: text in daemon.stderr)

    def tails(self):
        return "\n".join(daemon.tail() for daemon in self.daemons)

    def close(self):
        try:
            for daemon in reversed(self.daemons):
                daemon.stop()
        finally:
            end_strays(self.folder)


@pytest.fixture
def walk(tmp_path, programs, engine, model):
    made = Walk(tmp_path, programs, engine, model)
    yield made
    made.close()


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_the_commands_of_the_page_do_what_it_says(walk, page):
    for step in documents.steps(page):
        walk.follow(step)


def test_every_mark_is_understood():
    for page in documents.pages():
        marks = re.findall(r"^ *<!-- (?:run|until|start|fails)\b.*-->$", page.read_text(), re.MULTILINE)
        assert len(marks) == len(list(documents.steps(page))), page


def test_the_pages_for_operators_are_executed():
    names = {page.name for page in PAGES}
    assert {"README.md", "deployment.md", "backup.md", "MANUAL_MODEL_STAGING.md"} <= names
