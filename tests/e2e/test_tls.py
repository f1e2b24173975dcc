"""A cluster in which everything speaks TLS."""
import http.client
import json
import re

import pytest
from make_tiny_gguf import golden
from openai import DefaultHttpxClient, OpenAI
from support.certificates import Certificates
from support.cluster import pool
from support.http import Client
from support.process import wait_for


@pytest.fixture
def tls_cluster(cluster, tmp_path):
    cluster.certificates = Certificates(tmp_path / "tls", "control", "n1", "n2", "admin")
    return cluster


def start_two(cluster, model, *arguments):
    cluster.start_control(*arguments)
    for node_id in ("n1", "n2"):
        cluster.start_node(node_id, [pool(model)], *arguments)
    cluster.wait_ready("n1", "n2")


def llorch(cluster, *words, env=None):
    made = cluster.make("llorch", *words, env={"LLORCH_URL": cluster.url, "LLORCH_API_TOKEN_FILE": str(cluster.token_file),
                                               "LLORCH_TLS_CA": str(cluster.certificates.path("ca.pem")), **(env or {})})
    return made.run(), made


def test_two_nodes_join_and_serve_over_tls(tls_cluster, model):
    start_two(tls_cluster, model)
    for node_id in ("n1", "n2"):
        assert re.fullmatch(r"https://127\.0\.0\.1:\d+", tls_cluster.node(node_id)["address"])
    answers = tls_cluster.many_chats(20)
    assert [a.status for a in answers] == [200] * 20
    assert {a.headers["X-Llorch-Node"] for a in answers} == {"n1", "n2"}
    assert tls_cluster.chat_stream_text("gamma") == golden("gamma")

    http_client = DefaultHttpxClient(verify=tls_cluster.certificates.trusting())
    openai = OpenAI(base_url=tls_cluster.url + "/v1", api_key=tls_cluster.token, http_client=http_client)
    said = openai.chat.completions.create(model="tiny", messages=[{"role": "user", "content": "beta"}], temperature=0)
    assert said.choices[0].message.content == golden("beta")

    code, listed = llorch(tls_cluster, "nodes")
    assert code == 0 and "n1" in listed.stdout and "https://" in listed.stdout
    code, stranger = llorch(tls_cluster, "nodes", env={"LLORCH_TLS_CA": ""})
    assert code == 3 and "certificate" in stranger.stderr and "TLS_CA" in stranger.stderr

    plain = Client(tls_cluster.address, tls_cluster.token).get("/v2/nodes")
    assert (plain.status, plain.error["code"]) == (400, "INVALID_PARAMS") and "https://" in plain.error["message"]


def test_a_node_says_why_it_does_not_trust_the_control_plane(tls_cluster, model, tmp_path):
    tls_cluster.start_control()
    stranger = Certificates(tmp_path / "other", "n1")
    tls_cluster.certificates, ours = stranger, tls_cluster.certificates
    tls_cluster.start_node("n1", [pool(model)])
    tls_cluster.certificates = ours
    wait_for("the reason in the node's log", lambda: "unable to get local issuer certificate" in tls_cluster.nodes["n1"].stderr)
    assert tls_cluster.client.get("/v2/nodes").json()["count"] == 0


def test_a_node_whose_certificate_is_for_another_address_gets_no_work(tls_cluster, model):
    tls_cluster.start_control()
    tls_cluster.start_node("n1", [pool(model)], "--address", "https://localhost.localdomain:1")
    seen = wait_for("the node to be listed", lambda: tls_cluster.node("n1"))
    assert seen["reachable"] is False


def test_mutual_tls_refuses_callers_without_a_certificate(tls_cluster, model):
    certificates = tls_cluster.certificates
    trusting = certificates.trusting
    certificates.trusting = lambda: load(trusting(), certificates)
    start_two(tls_cluster, model, "--tls-client-ca", certificates.path("ca.pem"))
    assert tls_cluster.chat_text("beta") == golden("beta")
    with pytest.raises((http.client.HTTPException, OSError)):
        Client(tls_cluster.address, tls_cluster.token, tls=trusting()).get("/v2/nodes")
    code, refused = llorch(tls_cluster, "nodes")
    assert code == 3 and "demands a client certificate" in refused.stderr
    shown = {"LLORCH_TLS_CERT": str(certificates.path("admin.pem")), "LLORCH_TLS_KEY": str(certificates.path("admin.key"))}
    assert llorch(tls_cluster, "nodes", env=shown)[0] == 0


def load(context, certificates):
    context.load_cert_chain(certificates.path("admin.pem"), certificates.path("admin.key"))
    return context


def test_certificates_are_renewed_under_load_and_no_request_fails(tls_cluster, model):
    start_two(tls_cluster, model)
    node_address = tls_cluster.node("n1")["address"].removeprefix("https://")
    addresses = {"control": tls_cluster.address, "n1": node_address}
    before = {name: tls_cluster.certificates.fingerprint(at) for name, at in addresses.items()}

    def renew(count):
        if count == 30:
            for name in ("control", "n1", "n2"):
                tls_cluster.certificates.issue(name)

    answers = tls_cluster.many_chats(60, after=renew)
    assert [a.status for a in answers] == [200] * 60
    for name, at in addresses.items():
        wait_for("the new certificate of " + name, lambda name=name, at=at: tls_cluster.certificates.fingerprint(at) != before[name])
    assert [a.status for a in tls_cluster.many_chats(10)] == [200] * 10


def test_a_broken_certificate_keeps_the_old_one_and_is_named(tls_cluster):
    control = tls_cluster.start_control()
    before = tls_cluster.certificates.fingerprint(tls_cluster.address)
    tls_cluster.certificates.path("control.pem").write_text("no certificate")
    wait_for("the warning", lambda: "the TLS files have changed and are wrong" in control.stderr)
    warning = next(line for line in control.stderr.splitlines() if "the TLS files have changed" in line)
    assert json.loads(warning)["level"] == "warn" and "control.pem" in warning
    assert tls_cluster.certificates.fingerprint(tls_cluster.address) == before
    answer = tls_cluster.client.post("/v2/admin/reload")
    assert (answer.status, answer.error["code"]) == (400, "INVALID_PARAMS") and "control.pem" in answer.error["message"]
    assert tls_cluster.client.get("/v2/nodes").status == 200


def test_home_keeps_its_private_loopback_plain(runner, tmp_path, engine, model):
    certificates = Certificates(tmp_path / "tls", "home")
    home = runner.start("orchestratord", "--addr", "127.0.0.1:0", "--model", model, "--engine-binary", engine,
                        "--state-dir", tmp_path / "state", *certificates.flags("home"),
                        env={"POOL_MANAGERD_STATE_DIR": str(tmp_path / "node")})
    client = Client(home.address(), tls=certificates.trusting())
    wait_for("the pool", lambda: client.get("/health").json()["pools_ready"] == 1)
    body = {"messages": [{"role": "user", "content": "beta"}], "temperature": 0}
    assert client.post("/v1/chat/completions", body).json()["choices"][0]["message"]["content"] == golden("beta")
    assert client.get("/v2/nodes").json()["nodes"][0]["address"].startswith("http://127.0.0.1:")
