"""Nodes on machines of their own join, serve together and die."""
import time

import pytest
from make_tiny_gguf import golden
from support.cluster import NODE_TIMEOUT_SECS, pool
from support.host_cluster import NODES
from support.hosts import SUBNET
from support.process import wait_for

SLACK_SECS = 3  # of a busy machine
NOBODY = "http://%s99:9200" % SUBNET


@pytest.fixture
def three(hosts, model):
    hosts.start_control()
    for node_id in NODES:
        hosts.start_node(node_id, [pool(model)])
    hosts.wait_ready(*NODES)
    return hosts


def served_by(answers):
    return {a.headers["X-Llorch-Node"] for a in answers}


def test_three_hosts_join_with_their_own_addresses_and_all_serve(three):
    assert {n["node_id"]: n["address"] for n in three.client.get("/v2/nodes").json()["nodes"]} == {n: three.node_url(n) for n in NODES}
    answers = three.many_chats(30)
    assert {a.json()["choices"][0]["message"]["content"] for a in answers} == {golden("beta")}
    assert served_by(answers) == set(NODES)
    for node_id in NODES:
        assert three.chat("beta", headers={"X-Llorch-Node": node_id}).headers["X-Llorch-Node"] == node_id


def test_a_daemon_is_killed_and_its_host_stays(three):
    """Its port refuses at once; the node is listed until its deadline."""
    killed_at = []

    def kill_after(count):
        if count == 20:
            three.nodes["n2"].kill()
            killed_at.append(time.monotonic())

    answers = three.many_chats(60, after=kill_after)
    assert [a.status for a in answers] == [200] * 60
    assert {a.json()["choices"][0]["message"]["content"] for a in answers} == {golden("beta")}
    three.wait_offline("n2")
    assert time.monotonic() - killed_at[0] < NODE_TIMEOUT_SECS + SLACK_SECS
    assert three.node("n2")["heartbeat_age_ms"] >= NODE_TIMEOUT_SECS * 1000
    assert served_by(three.many_chats(8)) == {"n1", "n3"}
    three.nodes["n2"].start()
    three.wait_ready(*NODES)
    assert three.chat("beta", headers={"X-Llorch-Node": "n2"}).status == 200


def test_a_host_advertises_the_address_that_it_uses_to_reach_the_control_plane(hosts, model):
    for node_id in ("n1", "n2"):
        hosts.host(node_id).add_address("192.0.2.%s" % node_id[1])
    hosts.start_control()
    hosts.start_node("n1", [pool(model)])
    hosts.start_node("n2", [pool(model)], address=hosts.host("n2").address + ":0")
    hosts.wait_ready("n1", "n2")
    assert hosts.node("n1")["address"] == hosts.node_url("n1")
    assert hosts.node("n2")["address"] == "http://" + hosts.nodes["n2"].address()


def test_a_host_that_gets_another_address_is_found_there(hosts, model):
    hosts.start_control()
    hosts.start_node("n1", [pool(model)])
    hosts.wait_ready("n1")
    pid, before = hosts.engine_pid("n1"), hosts.host("n1").address
    hosts.host("n1").move(SUBNET + "77")
    try:
        wait_for("the new address", lambda: hosts.node("n1")["address"] == hosts.node_url("n1"))
        hosts.wait_ready("n1")
        assert hosts.chat_text("gamma") == golden("gamma")
        assert hosts.engine_pid("n1") == pid
    finally:
        hosts.host("n1").move(before)


def test_an_address_that_leads_elsewhere_is_shown_and_gets_no_work(hosts, model):
    wrong = {"n1": NOBODY, "n3": hosts.node_url("n2")}
    hosts.start_control()
    hosts.start_node("n2", [pool(model)])
    hosts.wait_ready("n2")
    for node_id, address in wrong.items():
        hosts.start_node(node_id, [pool(model)], env={"POOL_MANAGERD_ADDRESS": address})
    for node_id, address in wrong.items():
        wait_for("%s to be ready, as it says" % node_id, lambda node_id=node_id: hosts.pool(node_id)["ready"])
        seen = wait_for("the reason why %s cannot be reached" % node_id, lambda node_id=node_id: (
            lambda node: node["unreachable_reason"] and node)(hosts.node(node_id)))
        assert (seen["online"], seen["reachable"], seen["address"]) == (True, False, address)
    assert "n2" in hosts.node("n3")["unreachable_reason"]
    assert served_by(hosts.many_chats(8)) == {"n2"}
    for node_id in wrong:
        answer = hosts.chat("beta", headers={"X-Llorch-Node": node_id})
        assert (answer.status, answer.error["code"]) == (503, "NODE_UNAVAILABLE")
