"""A node that was given a folder of models: each is loaded when it is asked for, ended when it is drained, and replaced when
another is named."""
import os
import shutil
import threading
from pathlib import Path

import pytest
from make_tiny_gguf import golden
from support.http import Client, chat
from support.process import Runner, is_running, wait_for

MIB = 1024 * 1024


class Node(Runner):
    """One pool-managerd, on its own, with the models a and b."""

    def __init__(self, root, programs, engine, model):
        super().__init__(root, programs)
        self.engine, self.models, self.bin = engine, self.root / "models", self.root / "bin"
        self.models.mkdir()
        self.bin.mkdir()
        for name in ("a", "b"):
            shutil.copy(model, self.models / (name + ".gguf"))

    def install_gpu(self, total_mib, used_mib, engine_mib):
        """An nvidia-smi that tells of one GPU. Of its memory `used_mib` are in use, and `engine_mib` by each engine."""
        lines = ["#!/bin/sh", "used=%d" % used_mib]
        for name in ("a", "b"):
            # The brackets keep grep from finding its own command line.
            path = "[/]%s/%s.gguf" % (str(self.models)[1:], name)
            lines.append("grep -qs '%s' /proc/[0-9]*/cmdline && used=$((used + %d))" % (path, engine_mib))
        lines.append("echo \"0, GPU-1, NVIDIA Test, %d, $used, 3, 41, 9.0\"\n" % total_mib)
        script = self.bin / "nvidia-smi"
        script.write_text("\n".join(lines))
        script.chmod(0o755)

    def begin(self, *arguments):
        self.daemon = self.make("pool-managerd", "--addr", "127.0.0.1:0", "--node-id", "n1", "--models", self.models,
                                "--engine-binary", self.engine, "--state-dir", self.root / "state", *arguments,
                                env={"PATH": "%s:%s" % (self.bin, os.environ["PATH"])}).start()
        self.client = Client(self.daemon.address())
        wait_for("the pools to be loadable", lambda: all(self.pool(p)["loadable"] for p in ("a", "b")))

    def pool(self, pool_id):
        return self.client.get("/v2/pools/%s/status" % pool_id).json()

    def pid(self, pool_id):
        return self.pool(pool_id)["replicas"][0]["pid"]

    def load(self, pool_id):
        return self.client.post("/v2/pools/%s/preload" % pool_id)

    def drain(self, pool_id, body=None):
        return self.client.post("/v2/pools/%s/drain" % pool_id, body)

    def reload(self, pool_id, body):
        return self.client.post("/v2/pools/%s/reload" % pool_id, body)

    def model_file(self, pool_id):
        """Of the engine that runs."""
        command = Path("/proc/%d/cmdline" % self.pid(pool_id)).read_text().split("\0")
        return command[command.index("--model" if "--model" in command else "-m") + 1]

    def wait_ready(self, pool_id):
        wait_for("pool %s to be ready" % pool_id, lambda: self.pool(pool_id)["ready"])

    def ask(self, pool_id):
        return self.client.post("/v2/pools/%s/engine/v1/chat/completions" % pool_id, chat("beta", model=pool_id))

    def metric(self, line):
        return any(shown.startswith(line) for shown in self.client.get("/metrics").body.decode().splitlines())


@pytest.fixture
def node(tmp_path, programs, engine, model):
    made = Node(tmp_path, programs, engine, model)
    yield made
    made.close()


def test_a_model_runs_from_its_preload_to_its_drain(node):
    node.begin()
    listed = node.client.get("/v2/pools").json()["pools"]
    assert [(p["pool_id"], p["loadable"], p["ready"], p["live"]) for p in listed] == [("a", True, False, False),
                                                                                     ("b", True, False, False)]
    assert node.ask("a").status == 503, "nothing runs yet"

    answer = node.load("a")
    begun = answer.json()
    assert (answer.status, begun["pool_id"], begun["loadable"], begun["draining"]) == (202, "a", False, False)
    assert begun["replicas"][0]["state"] == "starting"
    node.wait_ready("a")
    assert node.ask("a").json()["choices"][0]["message"]["content"] == golden("beta")
    assert node.pool("b")["loadable"], "nobody asked for it"
    pid = node.pid("a")
    assert node.load("a").status == 202, "it runs already"
    assert node.pid("a") == pid

    answer = node.drain("a", {"deadline_ms": 60000})
    assert (answer.status, answer.json()["draining"]) == (202, True)
    wait_for("the engine to end", lambda: not is_running(pid))
    wait_for("the pool to be at rest", lambda: node.pool("a")["replicas"][0]["state"] == "stopped")
    assert (node.pool("a")["draining"], node.pool("a")["loadable"]) == (True, False)
    assert node.ask("a").status == 503
    assert node.metric('drain_events_total{node_id="n1",pool_id="a",reason="request"} 1')
    assert node.metric('drain_duration_ms_count{node_id="n1",pool_id="a"} 1')

    assert node.load("a").json()["draining"] is False
    node.wait_ready("a")
    assert node.pid("a") != pid
    assert node.ask("a").status == 200


def test_what_cannot_be_loaded_or_drained_is_refused(node):
    node.begin()
    for path in ("preload", "drain"):
        answer = node.client.post("/v2/pools/absent/" + path)
        assert (answer.status, answer.error["code"]) == (404, "NOT_FOUND"), path
    for body, status in (({"deadline_ms": 3600001}, 400), ({"deadline_ms": "soon"}, 400), (b"{", 400)):
        answer = node.drain("a", body)
        assert answer.status == status, body
        if body != b"{":
            assert "deadline_ms" in answer.error["message"]
    assert not node.pool("a")["draining"]

    gone = node.models / "a.gguf"
    gone.rename(node.root / "away.gguf")
    answer = node.load("a")
    assert answer.status == 404 and str(gone) in answer.error["message"], answer
    assert node.pool("a")["loadable"], "its file may come back"
    (node.root / "away.gguf").rename(gone)
    assert node.load("a").status == 202
    node.wait_ready("a")


def test_a_model_that_does_not_fit_is_refused_until_another_has_ended(node):
    """The node looks at its GPU again because engines come and go: the interval is a day."""
    node.install_gpu(total_mib=4096, used_mib=2048, engine_mib=1100)
    node.begin("--gpu-discovery-interval-ms", 86400000)
    need = node.pool("b")["vram_need_bytes"]
    assert 1024 * MIB < need < 1100 * MIB, "the weights, the cache and what every engine takes"
    assert node.load("a").status == 202
    answer = node.load("b")
    assert (answer.status, answer.error["code"]) == (503, "POOL_UNAVAILABLE")
    assert answer.error["message"].startswith("pool 'b': its model needs about 1.0 GiB of VRAM, and "), answer
    node.wait_ready("a")
    alone = "pool 'b': its model needs about 1.0 GiB of VRAM, and 0.9 GiB are free"
    wait_for("the GPU to show the engine", lambda: node.load("b").error["message"] == alone)
    assert node.pool("b")["vram_free_bytes"] == 948 * MIB
    assert node.pool("b")["loadable"]
    assert node.load("a").status == 202, "what runs has its room"

    assert node.drain("a").status == 202
    wait_for("room for the other model", lambda: node.load("b").status == 202)
    node.wait_ready("b")
    assert node.ask("b").status == 200


class Asker(threading.Thread):
    """Asks a pool again and again until it is told to end."""

    def __init__(self, node, pool_id):
        super().__init__()
        self.node, self.pool_id, self.ending, self.answers = node, pool_id, threading.Event(), []

    def run(self):
        while not self.ending.wait(0.01):
            self.answers.append(self.node.ask(self.pool_id))

    def end(self):
        self.ending.set()
        self.join()
        return self.answers


def test_a_pool_goes_over_to_another_model_while_requests_come(node):
    node.begin()
    node.load("a")
    node.wait_ready("a")
    old_pid, other = node.pid("a"), str(node.models / "b.gguf")
    askers = [Asker(node, "a") for _ in range(3)]
    for asker in askers:
        asker.start()
    wait_for("requests to be answered", lambda: all(len(asker.answers) > 2 for asker in askers))

    answer = node.reload("a", {"new_model_ref": other})
    assert (answer.status, answer.json()["pool_id"], answer.json()["draining"]) == (202, "a", True), answer
    for refused in (node.reload("a", {"new_model_ref": other}), node.load("a"), node.drain("a")):
        assert (refused.status, refused.error["code"]) == (409, "CONFLICT"), refused
        assert refused.error["message"] == "pool 'a' is being reloaded"
    wait_for("the reload", lambda: node.metric('reload_success_total{node_id="n1",pool_id="a"} 1'))
    counts = [len(asker.answers) for asker in askers]
    wait_for("requests after it", lambda: all(len(asker.answers) > count + 2 for asker, count in zip(askers, counts)))

    answers = [answer for asker in askers for answer in asker.end()]
    for answer in answers:
        assert answer.status in (200, 503), answer
        if answer.status == 200:
            assert answer.json()["choices"][0]["message"]["content"] == golden("beta"), "none was cut off"
    assert all(asker.answers[-1].status == 200 for asker in askers)
    assert not is_running(old_pid) and node.model_file("a") == other
    assert node.pool("a")["ready"]
    assert node.metric('reload_duration_ms_count{node_id="n1",pool_id="a"} 1')
    assert node.metric('drain_events_total{node_id="n1",pool_id="a",reason="reload"} 1')


def test_a_broken_model_leaves_the_old_one_serving(node):
    node.begin()
    node.load("a")
    node.wait_ready("a")
    broken = node.models / "broken.gguf"
    broken.write_text("no model")
    assert node.reload("a", {"new_model_ref": str(broken)}).status == 202
    wait_for("the reload to fail",
             lambda: node.metric('reload_failure_total{node_id="n1",pool_id="a",reason="start_failed"} 1'))
    node.wait_ready("a")
    assert node.model_file("a") == str(node.models / "a.gguf")
    assert node.ask("a").json()["choices"][0]["message"]["content"] == golden("beta")


def test_what_cannot_be_reloaded_is_refused(node):
    node.begin()
    other, absent = str(node.models / "b.gguf"), str(node.models / "absent.gguf")
    answer = node.reload("absent", {"new_model_ref": other})
    assert (answer.status, answer.error["code"]) == (404, "NOT_FOUND")
    answer = node.reload("a", {"new_model_ref": absent})
    assert answer.status == 404 and absent in answer.error["message"], answer
    for body, field in (({}, "new_model_ref"), ({"new_model_ref": ""}, "new_model_ref"),
                        ({"new_model_ref": other, "drain_deadline_ms": 3600001}, "drain_deadline_ms")):
        answer = node.reload("a", body)
        assert answer.status == 400 and field in answer.error["message"], answer
    assert node.pool("a")["loadable"], "nothing was begun"


def test_the_control_plane_hears_of_loads_and_drains_at_once(cluster, model):
    """No poll and no heartbeat comes by itself: both intervals are an hour or more."""
    models = cluster.root / "models"
    models.mkdir()
    shutil.copy(model, models / "a.gguf")
    cluster.start_control("--pool-poll-interval-ms", 86400000, heartbeat_secs=3600, node_timeout_secs=86400)
    daemon = cluster.start_node("n1", [], "--models", models, "--heartbeat-interval-secs", 3600)
    node = Client(daemon.address(), cluster.token)

    def hears(what, **wanted):
        wait_for("the control plane to hear that " + what,
                 lambda: {key: cluster.pool("n1", "a")[key] for key in wanted} == wanted)

    hears("it can be loaded", loadable=True, ready=False)
    assert node.post("/v2/pools/a/preload").status == 202
    hears("it serves", loadable=False, ready=True)
    assert node.post("/v2/pools/a/drain").status == 202
    hears("it drains", draining=True, ready=False)
    assert node.post("/v2/pools/a/preload").status == 202
    hears("it serves again", draining=False, ready=True)
