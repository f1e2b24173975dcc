"""The runbook's commands run against a live cluster; those that need systemd are checked for their syntax."""
import os
import re
import subprocess

import pytest
from exposition import ROOT

RUNBOOK = ROOT / "docs/runbooks/CLOUD_PROFILE_INCIDENTS.md"
TEXT = RUNBOOK.read_text()
INCIDENTS = ["No Nodes Online", "Low Node Availability", "No Pools Available", "High Health Check Latency", "Heartbeat Failures",
             "Handoff Stalled", "Registration Failures"]
BLOCKS = [block for kind, block in re.findall(r"^```(\w+)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL) if kind == "sh"]
MACHINE = "# on the machine\n"
SETUP, *LIVE = [block for block in BLOCKS if not block.startswith(MACHINE)]
ON_MACHINE = [block for block in BLOCKS if block.startswith(MACHINE)]


def sections():
    parts = re.split(r"^## (.+)$", TEXT, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


def test_the_seven_incidents_have_all_their_parts():
    assert [title for title in sections() if title in INCIDENTS] == INCIDENTS
    for title in INCIDENTS:
        for part in ("Symptoms", "Diagnosis", "Resolution", "Verification", "Escalation"):
            assert "**%s.**" % part in sections()[title], (title, part)
    for word in ("Severity", "Impact", "Timeline", "Root cause", "Resolution", "Prevention", "Lessons"):
        assert word in sections()["Post-mortem template"]


def test_commands_are_marked_by_what_they_need():
    for block in LIVE:
        assert not re.search(r"\b(systemctl|journalctl|nvidia-smi|ss|sudo)\b", block), block
    assert len(LIVE) > 15 and len(ON_MACHINE) > 7


@pytest.mark.parametrize("block", ON_MACHINE, ids=range(len(ON_MACHINE)))
def test_commands_for_the_machine_are_shell(block):
    assert subprocess.run(["bash", "-n"], input=block, text=True, timeout=10).returncode == 0


@pytest.mark.parametrize("block", LIVE, ids=range(len(LIVE)))
def test_commands_for_the_cluster_work(used_cluster, programs, tmp_path, block):
    environment = {"PATH": "%s:%s" % (programs, os.environ["PATH"]), "HOME": str(tmp_path), "LANG": "C.UTF-8",
                   "LLORCH_URL": "http://" + used_cluster.address, "LLORCH_API_TOKEN_FILE": str(used_cluster.token_file),
                   "NODE_URL": "http://" + used_cluster.nodes["n1"].address()}
    for command in block.splitlines():
        done = subprocess.run(["bash", "-eo", "pipefail", "-c", SETUP + command], capture_output=True, text=True, timeout=90,
                              env=environment)
        assert done.returncode == 0, "%s\n%s%s" % (command, done.stdout, done.stderr)
        assert done.stdout or "/dev/null" in command or "-X DELETE" in command or "|| true" in command, command
        # An error body of the API, except of the node that is not there.
        assert '"error":{' not in done.stdout or "no-such-node" in command, done.stdout
