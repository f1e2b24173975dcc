"""Alerts, dashboard and runbook fit each other and what the daemons expose; promtool checks every expression."""
import json
import re
import subprocess

import pytest
import yaml
from exposition import ROOT, names_in, promised

ALERTS = ["NoNodesOnline", "LowNodeAvailability", "NoPoolsAvailable", "LowPoolAvailability", "HighHealthCheckLatency",
          "HealthCheckFailureRate", "HeartbeatFailureRate", "NodeHeartbeatStalled", "HighRegistrationFailureRate",
          "HandoffProcessingStalled", "HighHandoffProcessingLatency", "CloudProfileDegraded"]
CRITICAL = {"NoNodesOnline", "NoPoolsAvailable", "NodeHeartbeatStalled"}
PANELS = ["Node Status", "Pool Availability", "Node Registrations", "Heartbeat Success Rate", "Pool Health Check Latency",
          "Pool Health Checks", "Node Deregistrations", "Task Placement by Node"]
RULES = ROOT / "ci/alerts/cloud_profile.yml"
RULE_TESTS = sorted((ROOT / "ci/alerts/tests").glob("*.yml"))
RUNBOOK = ROOT / "docs/runbooks/CLOUD_PROFILE_INCIDENTS.md"


def alerts():
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboard():
    return json.loads((ROOT / "ci/dashboards/cloud_profile_overview.json").read_text())


def expressions():
    """(where, expression) of everything that is written in PromQL."""
    found = [(rule["alert"], rule["expr"]) for rule in alerts()]
    for panel in dashboard()["panels"]:
        found += [(panel["title"], target["expr"]) for target in panel["targets"]]
    for query in re.findall(r"^```promql\n(.*?)^```", RUNBOOK.read_text(), re.MULTILINE | re.DOTALL):
        found += [("runbook", line) for line in query.splitlines()]
    return found


def anchors(page):
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def promtool(tools, *arguments):
    return subprocess.run([tools / "promtool", *arguments], capture_output=True, text=True, timeout=150)


def test_the_twelve_alerts_are_complete():
    assert [rule["alert"] for rule in alerts()] == ALERTS
    for rule in alerts():
        name = rule["alert"]
        assert rule["for"] and set(rule["annotations"]) == {"summary", "description", "runbook"}, name
        assert rule["labels"]["severity"] == ("critical" if name in CRITICAL else "warning"), name
        assert rule["labels"]["component"] == ("pool-managerd" if "Handoff" in name else "cloud-profile"), name


def test_every_alert_leads_to_its_place_in_the_runbook():
    for rule in alerts():
        page, anchor = rule["annotations"]["runbook"].split("#")
        assert ROOT / page == RUNBOOK and anchor in anchors(RUNBOOK), rule["alert"]
        assert "`%s`" % rule["alert"] in RUNBOOK.read_text()


def test_the_rules_pass_their_tests(tools):
    assert promtool(tools, "check", "rules", RULES).returncode == 0
    answer = promtool(tools, "test", "rules", *RULE_TESTS)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_every_alert_is_tested_firing_and_silent():
    firing, silent = set(), set()
    for path in RULE_TESTS:
        for case in yaml.safe_load(path.read_text())["tests"]:
            for check in case["alert_rule_test"]:
                (firing if check["exp_alerts"] else silent).add(check["alertname"])
    assert firing == silent == set(ALERTS)


@pytest.mark.parametrize("sabotage", ["vector(1) > 2", "vector(1)"], ids=["never", "always"])
def test_the_tests_notice_alerts_that_never_or_always_fire(tools, tmp_path, sabotage):
    rules = yaml.safe_load(RULES.read_text())
    for rule in rules["groups"][0]["rules"]:
        rule["expr"], rule["for"] = sabotage, "0s"
    (tmp_path / "cloud_profile.yml").write_text(yaml.safe_dump(rules))
    (tmp_path / "tests").mkdir()
    for path in RULE_TESTS:
        (tmp_path / "tests" / path.name).write_text(path.read_text())
    answer = promtool(tools, "test", "rules", *sorted((tmp_path / "tests").iterdir()))
    assert answer.returncode != 0
    assert set(re.findall(r"alertname: ?(\w+)", answer.stdout + answer.stderr)) == set(ALERTS)


def test_every_expression_is_promql_over_metrics_that_exist(tools, tmp_path):
    rules = [{"record": "checked:expression_%d" % i, "expr": expr} for i, (_, expr) in enumerate(expressions())]
    (tmp_path / "all.yml").write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}))
    answer = promtool(tools, "check", "rules", tmp_path / "all.yml")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    known = set(promised()) | {"up", "ALERTS"}
    for where, expression in expressions():
        names = names_in(expression)
        assert names and names <= known, "%s: %s" % (where, names - known)


def test_the_dashboard_has_its_eight_panels():
    board = dashboard()
    assert [panel["title"] for panel in board["panels"]] == PANELS
    assert board["refresh"] == "10s" and board["time"]["from"] == "now-1h"
    colours = [[step["color"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]] for panel in board["panels"]]
    assert colours[0] == colours[1] == ["red", "yellow", "green"] and "red" in colours[4]
    places = [tuple(panel["gridPos"][key] for key in "xywh") for panel in board["panels"]]
    for i, (x, y, w, h) in enumerate(places):
        assert x + w <= 24
        for x2, y2, w2, h2 in places[i + 1:]:
            assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y


def test_the_annotations_show_every_alert():
    note = dashboard()["annotations"]["list"][0]["expr"]
    components = re.search(r'component=~"([^"]+)"', note).group(1)
    assert all(re.fullmatch(components, rule["labels"]["component"]) for rule in alerts())
