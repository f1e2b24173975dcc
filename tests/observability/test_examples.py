"""Example configurations pass their tools' own checks."""
import re
import subprocess

import pytest
import yaml
from exposition import ROOT

SCRAPES = sorted((ROOT / "ci/prometheus").glob("*.yml"))
# Debian's Prometheus is built without these two: their blocks are compared with what the manual names.
FOREIGN = {"kubernetes_sd_configs": {"role", "selectors", "namespaces"}, "consul_sd_configs": {"server", "services", "tags"}}


def check(tool, *arguments):
    answer = subprocess.run([tool, *arguments], capture_output=True, text=True, timeout=150)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_there_is_a_scrape_configuration_for_each_way():
    assert [path.stem for path in SCRAPES] == ["consul", "http_sd", "kubernetes", "static"]


@pytest.mark.parametrize("path", SCRAPES, ids=lambda path: path.stem)
def test_the_scrape_configuration_is_valid(tools, tmp_path, path):
    config = yaml.safe_load(path.read_text())
    token = tmp_path / "token"
    token.write_text("x\n")
    for job in config["scrape_configs"]:
        assert job["honor_labels"], "else node_id becomes exported_node_id"
        for foreign, keys in FOREIGN.items():
            for block in job.pop(foreign, []):
                assert set(block) <= keys
        for discovery in job.get("http_sd_configs", []):
            assert discovery["url"].endswith("/v2/discovery/prometheus")
            discovery["authorization"]["credentials_file"] = str(token)
    config["rule_files"] = [str((path.parent / name).resolve()) for name in config["rule_files"]]
    (tmp_path / path.name).write_text(yaml.safe_dump(config))
    check(tools / "promtool", "check", "config", tmp_path / path.name)


def test_the_kubernetes_configuration_finds_what_the_manifests_start():
    job = yaml.safe_load((ROOT / "ci/prometheus/kubernetes.yml").read_text())["scrape_configs"][0]
    namespaces = job["kubernetes_sd_configs"][0]["namespaces"]["names"]
    apps = next(rule["regex"] for rule in job["relabel_configs"]
                if rule.get("action") == "keep" and "app" in rule["source_labels"][0])
    for name in ("orchestratord", "pool-managerd"):
        for part in yaml.safe_load_all((ROOT / "deploy/kubernetes" / (name + ".yaml")).read_text()):
            template = part.get("spec", {}).get("template") if part else None
            if template:
                assert part["metadata"]["namespace"] in namespaces
                assert re.fullmatch(apps, template["metadata"]["labels"]["app"])
                assert "http" in [port["name"] for c in template["spec"]["containers"] for port in c["ports"]]


def test_alertmanager_takes_its_example(tools):
    check(tools / "amtool", "check-config", ROOT / "ci/alertmanager/alertmanager.yml")


@pytest.mark.parametrize("severity, receiver", [("critical", "pager"), ("warning", "on-call")])
def test_alertmanager_routes_by_severity(tools, severity, receiver):
    answer = subprocess.run([tools / "amtool", "config", "routes", "test", "--config.file", ROOT / "ci/alertmanager/alertmanager.yml",
                             "severity=" + severity, "component=cloud-profile"], capture_output=True, text=True, timeout=150)
    assert answer.stdout.strip() == receiver, answer.stderr


@pytest.mark.parametrize("path", sorted((ROOT / "deploy/logging").glob("*.yml")), ids=lambda path: path.stem)
def test_log_shipping_examples_are_yaml_about_our_units(path):
    assert yaml.safe_load(path.read_text())
    assert "orchestratord" in path.read_text() and "pool-managerd" in path.read_text()


def test_the_alloy_example_is_balanced_and_complete():
    text = (ROOT / "deploy/logging/config.alloy").read_text()
    bare = re.sub(r'"(?:[^"\\]|\\.)*"|//.*', "", text)
    assert bare.count("{") == bare.count("}") and bare.count("[") == bare.count("]")
    declared = set(re.findall(r'^([a-z_.]+) "([a-z_]+)" \{', text, re.MULTILINE))
    for component, label in re.findall(r"\b(loki\.[a-z_]+)\.([a-z_]+)\.(?:receiver|rules)", text):
        assert (component, label) in declared
