"""Names, types and labels are a contract: what the daemons expose is what docs/metrics.md says, and part of ci/metrics.lint.json."""
import json
import re

import pytest
from exposition import ROOT, documented, parse, promised
from support.http import Client
from support.process import wait_for


def scrape(address):
    answer = Client(address).get("/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return parse(answer.body.decode())


@pytest.fixture(scope="module")
def exposed(used_cluster):
    return {"orchestratord": scrape(used_cluster.address), "pool-managerd": scrape(used_cluster.nodes["n1"].address())}


@pytest.mark.parametrize("daemon", ["orchestratord", "pool-managerd"])
def test_the_daemon_exposes_what_is_promised(exposed, daemon):
    seen, wanted = exposed[daemon], documented(daemon)
    assert {name: m.type for name, m in seen.items()} == {name: e["type"] for name, e in wanted.items()}
    for name, metric in seen.items():
        assert len(metric.help) > 10 and metric.help.endswith("."), name
        for labels in metric.label_sets():
            assert labels == set(wanted[name]["labels"]), name


@pytest.mark.parametrize("daemon", ["orchestratord", "pool-managerd"])
def test_the_document_keeps_the_contract(daemon):
    contract = promised(daemon)
    for name, entry in documented(daemon).items():
        assert name in contract, "%s is missing in ci/metrics.lint.json" % name
        assert (entry["type"], set(entry["labels"])) == (contract[name]["type"], set(contract[name]["labels"])), name


def test_the_contract_file_is_well_formed():
    contract = json.loads((ROOT / "ci/metrics.lint.json").read_text())
    names = [e["name"] for e in contract["metrics"]]
    assert len(names) == len(set(names))
    for entry in contract["metrics"]:
        assert set(entry) == {"name", "type", "labels", "daemon"}
        assert entry["type"] != "counter" or entry["name"].endswith("_total"), entry["name"]
        assert set(entry["labels"]) <= set(contract["labels"]), entry["name"]
        assert not {"task_id", "correlation_id", "session_id"} & set(entry["labels"])


def test_later_metrics_are_not_exposed(exposed):
    text = (ROOT / "docs/metrics.md").read_text()
    later = set(re.findall(r"`([a-z_]+)`", text.split("\n## Later\n")[1].split("\n## ")[0]))
    assert len(later) > 3
    assert not later & set().union(*exposed.values())


def test_counters_count_what_happened(exposed):
    control, node = exposed["orchestratord"], exposed["pool-managerd"]
    assert control["orchd_node_registrations_total"].value(outcome="success") == 2
    assert control["orchd_node_deregistrations_total"].value(outcome="success") == 1
    assert control["orchd_nodes_online"].value() == 1
    assert control["orchd_pools_available"].value(node_id="n1", pool_id="chat") == 1
    assert control["orchd_node_heartbeats_total"].value(node_id="n1", outcome="success") >= 1
    assert node["pool_registration_attempts_total"].value(outcome="success") == 1
    assert node["preload_success_total"].value(pool_id="chat") == 1
    assert node["preload_failure_total"].value() == 0
    assert node["pool_slots_total"].value(pool_id="chat") == 2
    assert node["pool_ready"].value(pool_id="chat") == 1
    assert node["active_leases"].value(pool_id="chat") == 0


def test_requests_are_counted_where_they_ran(exposed):
    control = exposed["orchestratord"]
    assert control["tokens_out_total"].value(node_id="n1", pool_id="chat", replica_id="r0") > 0
    assert control["tokens_in_total"].value(node_id="n1", pool_id="chat", replica_id="r0") > 0
    assert control["latency_first_token_ms"].value() == 1, "of streams only"
    assert control["latency_decode_ms"].value() == 1


def test_a_node_that_left_takes_its_series_along(exposed):
    for name, metric in exposed["orchestratord"].items():
        assert not any(labels.get("node_id") == "n2" for _, labels, _ in metric.samples), name


def test_a_crashed_engine_shows_as_a_restart(used_cluster):
    before = scrape(used_cluster.nodes["n1"].address())["restart_total"].value()
    pid = used_cluster.kill_engine("n1")
    used_cluster.wait_another_engine("n1", pid)
    seen = wait_for("the restart to be counted", lambda: scrape(used_cluster.nodes["n1"].address()))
    assert seen["restart_total"].value(pool_id="chat", crash_reason="killed") == before + 1
    assert seen["restart_scheduled_total"].value(pool_id="chat", crash_reason="killed") == before + 1
    assert seen["circuit_breaker_state"].value(pool_id="chat") == 0
