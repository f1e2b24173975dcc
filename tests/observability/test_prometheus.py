"""A real Prometheus finds a cluster of three nodes by http_sd, and its alerts fire and resolve."""
import re
from contextlib import contextmanager

import pytest
import yaml
from exposition import ROOT
from support.cluster import pool
from support.http import Client
from support.process import Program, wait_for

NODES = ("n1", "n2", "n3")
WATCHED = {"NoNodesOnline", "NoPoolsAvailable", "NodeHeartbeatStalled"}
# What takes minutes in a real cluster takes seconds here; the expressions are the same.
WINDOWS = {"2m": "6s", "5m": "10s", "10m": "20s", "30m": "60s"}


def fast_rules(path):
    rules = yaml.safe_load((ROOT / "ci/alerts/cloud_profile.yml").read_text())
    for group in rules["groups"]:
        group["interval"] = "1s"
        for rule in group["rules"]:
            rule["for"] = "2s"
            rule["expr"] = re.sub(r"\[(\w+)\]", lambda window: "[%s]" % WINDOWS[window.group(1)], rule["expr"])
    path.write_text(yaml.safe_dump(rules))


def fast_config(path, cluster):
    config = yaml.safe_load((ROOT / "ci/prometheus/http_sd.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "scrape_timeout": "900ms", "evaluation_interval": "1s"}
    config["rule_files"] = ["rules.yml"]
    del config["alerting"]
    control, nodes = config["scrape_configs"]
    control["static_configs"] = [{"targets": [cluster.address]}]
    discovery = nodes["http_sd_configs"][0]
    discovery["url"] = discovery["url"].replace("control.example:8080", cluster.address)
    discovery["refresh_interval"] = "1s"
    discovery["authorization"]["credentials_file"] = str(cluster.token_file)
    path.write_text(yaml.safe_dump(config))


class Prometheus(Program):
    def __init__(self, root, tools, cluster):
        super().__init__(root, "prometheus", [
            tools / "prometheus", "--config.file", root / "prometheus.yml", "--storage.tsdb.path", root / "tsdb",
            "--web.listen-address", "127.0.0.1:0", "--web.console.templates", root, "--web.console.libraries", root])
        fast_rules(root / "rules.yml")
        fast_config(root / "prometheus.yml", cluster)

    def start(self):
        super().start()
        told = wait_for("Prometheus to listen", lambda: re.search(r'msg="Listening on" address=(\S+)', self.stderr))
        self.client = Client(told.group(1))
        return self

    def query(self, expression):
        """label sets with their values"""
        from urllib.parse import quote
        answer = self.client.get("/api/v1/query?query=" + quote(expression)).json()
        assert answer["status"] == "success", answer
        return [(sample["metric"], float(sample["value"][1])) for sample in answer["data"]["result"]]

    def firing(self):
        return {(labels["alertname"], labels.get("node_id"))
                for labels, _ in self.query('ALERTS{alertstate="firing"}') if labels["alertname"] in WATCHED}

    def tails(self):
        return self.tail()


@pytest.fixture(scope="module")
def three_nodes(cluster, model):
    cluster.start_control()
    for node_id in NODES:
        cluster.start_node(node_id, [pool(model)])
    cluster.wait_ready(*NODES)
    return cluster


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory, tools, three_nodes):
    made = Prometheus(tmp_path_factory.mktemp("prometheus"), tools, three_nodes).start()
    yield made
    made.kill()


@contextmanager
def silent(cluster, *node_ids):
    for node_id in node_ids:
        cluster.signal_node(node_id, "STOP")
    try:
        yield
    finally:
        for node_id in node_ids:
            cluster.signal_node(node_id, "CONT")


def test_alerts_fire_and_resolve(three_nodes, prometheus):
    wait_for("all targets to be read", lambda: [v for _, v in prometheus.query("sum(up)")] == [4.0])
    assert {labels["node_id"] for labels, _ in prometheus.query("pool_ready == 1")} == set(NODES)
    wait_for("every node's beats to be seen", lambda: {
        labels["node_id"] for labels, value in prometheus.query(
            'rate(orchd_node_heartbeats_total{outcome="success",node_id!="other"}[6s])') if value > 0} == set(NODES))
    wait_for("a quiet cluster", lambda: prometheus.firing() == set())

    with silent(three_nodes, "n3"):
        wait_for("the silence of n3 to be an alert", lambda: prometheus.firing() == {("NodeHeartbeatStalled", "n3")})
    wait_for("n3's alert to resolve", lambda: prometheus.firing() == set())

    with silent(three_nodes, *NODES):
        every = {("NodeHeartbeatStalled", node_id) for node_id in NODES} | {("NoNodesOnline", None), ("NoPoolsAvailable", None)}
        wait_for("the silence of all to be alerts", lambda: prometheus.firing() == every)
    wait_for("all alerts to resolve", lambda: prometheus.firing() == set())
