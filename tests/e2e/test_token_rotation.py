"""The cluster's token is replaced while requests run."""
import json
import shutil
import signal
import threading
from pathlib import Path

import pytest
from support.certificates import Certificates
from support.cluster import pool
from support.http import Client
from support.process import wait_for

GRACE_SECS = 2


class Rotation:
    """A cluster of three machines, each with its own copy of the token file."""

    def __init__(self, cluster, model):
        self.cluster, self.master = cluster, cluster.root / "master.token"
        shutil.copy2(cluster.token_file, self.master)
        self.copies = {name: cluster.root / (name + ".token") for name in ("control", "n1", "n2")}
        self.copy_to_all()
        grace = ("--token-grace-secs", GRACE_SECS, "--log-level", "debug")
        cluster.token_file = self.copies["control"]
        cluster.start_control(*grace)
        for node_id in ("n1", "n2"):
            cluster.token_file = self.copies[node_id]
            cluster.start_node(node_id, [pool(model)], *grace)
        cluster.wait_ready("n1", "n2")

    def copy_to_all(self):
        for copy in self.copies.values():
            shutil.copy2(self.master, copy)

    def programs(self):
        return {"control": self.cluster.control, **self.cluster.nodes}

    def step(self, *flags, pause=lambda name: None):
        """One step on the master file, then one machine after another; returns what llorch printed."""
        made = self.cluster.make("llorch", "token", "rotate", "--file", self.master, *flags)
        assert made.run() == 0, made.tail()
        for name, copy in self.copies.items():
            seen = self.programs()[name].stderr.count("the tokens were read again")
            shutil.copy2(self.master, copy)
            wait_for("%s to take the file in" % name,
                     lambda name=name, seen=seen: self.programs()[name].stderr.count("the tokens were read again") > seen)
            pause(name)
        return made.stdout

    def tokens(self):
        return [line for line in self.master.read_text().splitlines() if line and not line.startswith("#")]


@pytest.fixture
def rotation(cluster, model):
    return Rotation(cluster, model)


class Load:
    """Requests without a pause, by clients that show the first token of the master file."""

    def __init__(self, rotation):
        self.rotation, self.statuses, self.stopping = rotation, [], threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(3)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def run(self):
        body = {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 4}
        while not self.stopping.is_set():
            client = Client(self.rotation.cluster.address, self.token)
            self.statuses.append(client.post("/v1/chat/completions", body).status)

    token = None


def test_tokens_are_rotated_on_all_machines_and_no_request_fails(rotation):
    cluster = rotation.cluster
    old = cluster.token
    Load.token = old
    with Load(rotation) as load:
        first = rotation.step()
        assert "Step 1 of 3" in first and "--send-new" in first
        new = rotation.tokens()[1]
        assert new not in first and old not in first
        assert "Step 2 of 3" in rotation.step("--send-new")
        Load.token = cluster.client.token = new
        assert "Step 3 of 3" in rotation.step("--drop-old")
        wait_for("requests after the last step", lambda: load.statuses.count(200) > 30)
    assert set(load.statuses) == {200}, load.statuses
    assert rotation.tokens() == [new]

    wait_for("the old token to be refused", lambda: Client(cluster.address, old).get("/v2/nodes").status == 401)
    assert Client(cluster.address, old).get("/v2/nodes").error["code"] == "BAD_TOKEN"
    for node_id in ("n1", "n2"):
        address = cluster.node(node_id)["address"].removeprefix("http://")
        wait_for("the node to refuse it", lambda address=address: Client(address, old).get("/v2/node").status == 401)
        assert Client(address, new).get("/v2/node").status == 200
    # Membership goes on with the new one.
    beats = cluster.node("n1")["last_heartbeat_ms"]
    wait_for("another heartbeat", lambda: cluster.node("n1")["last_heartbeat_ms"] > beats)


def test_neither_token_shows_anywhere_and_the_audit_names_them_by_fingerprint(cluster, model, tmp_path):
    # Over TLS, and with everything logged that can be.
    cluster.certificates = Certificates(tmp_path / "tls", "control", "n1", "n2")
    rotation = Rotation(cluster, model)
    old = cluster.token
    rotation.step()
    new = rotation.tokens()[1]
    rotation.step("--send-new")
    cluster.client.token = new
    rotation.step("--drop-old")
    stranger = Client(cluster.address, "wrong-" + old, tls=cluster.certificates.trusting())
    assert stranger.get("/v2/nodes").status == 401
    for address in [cluster.address, *(cluster.node(n)["address"].removeprefix("https://") for n in cluster.nodes)]:
        assert Client(address, new, tls=cluster.certificates.trusting()).get("/health").status == 200
    for made in rotation.programs().values():
        wait_for("a debug line", lambda made=made: '"level":"debug"' in made.stderr)
    for made in reversed(cluster.started):
        assert made.stop() == 0
    files = [p for p in Path(cluster.root).rglob("*") if p.is_file() and p.suffix != ".token" and p.name != "token"]
    assert [p for p in files for token in (old, new) if token.encode() in p.read_bytes()] == []
    records = [json.loads(line) for p in files if p.suffix == ".ndjson" for line in p.read_text().splitlines()]
    events = {r["event"] for r in records}
    assert {"token_rotation_detected", "node_registered", "auth_failed", "node_deregistered"} <= events
    folders = {p.parent for p in files if p.suffix == ".ndjson"}
    assert len(folders) == 3
    for folder in folders:
        checked = cluster.make("llorch", "audit", "verify", folder)
        assert checked.run() == 0 and "the chain is whole" in checked.stdout, checked.tail()
    one = next(p for p in files if p.suffix == ".ndjson")
    one.write_text(one.read_text().replace("success", "refused", 1))
    assert cluster.make("llorch", "audit", "verify", one.parent).run() == 1


def test_a_broken_token_file_keeps_the_old_tokens_and_is_told_once(cluster):
    control = cluster.start_control()
    cluster.token_file.write_text("short\n")
    wait_for("the warning", lambda: "the token file has changed and is wrong" in control.stderr)
    assert cluster.client.get("/v2/nodes").status == 200
    cluster.token_file.write_text("")
    wait_for("the second warning", lambda: control.stderr.count("the token file has changed and is wrong") == 2)
    assert str(cluster.token_file) in control.stderr
    assert cluster.client.get("/v2/nodes").status == 200


def test_live_settings_are_taken_from_the_file_on_sighup_and_by_the_admin_route(cluster):
    config = cluster.root / "control.yaml"
    config.write_text("log_level: info\nnode_forget_secs: 100\n")
    control = cluster.start_control("--config", config)
    config.write_text("log_level: debug\nnode_forget_secs: 200\nedge_threads: 1\n")
    answer = cluster.client.post("/v2/admin/reload")
    assert answer.status == 200, answer
    assert set(answer.json()["changed"]) == {"ORCHESTRATORD_LOG_LEVEL", "ORCHESTRATORD_NODE_FORGET_SECS"}
    assert answer.json()["needs_restart"] == ["ORCHESTRATORD_EDGE_THREADS"]
    cluster.client.get("/health")
    wait_for("a debug line", lambda: '"level":"debug"' in control.stderr)

    config.write_text("log_level: debug\nnode_forget_secs: never\n")
    answer = cluster.client.post("/v2/admin/reload")
    assert (answer.status, answer.error["code"]) == (400, "INVALID_PARAMS")
    assert "ORCHESTRATORD_NODE_FORGET_SECS" in answer.error["message"]

    config.write_text("log_level: info\n")
    seen = control.stderr.count("the settings were read again")
    control.process.send_signal(signal.SIGHUP)
    wait_for("SIGHUP to be heard", lambda: control.stderr.count("the settings were read again") > seen)
    assert Client(cluster.address).post("/v2/admin/reload").status == 401
