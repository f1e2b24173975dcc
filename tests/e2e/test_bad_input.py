"""What clients send by mistake or malice: a typed answer, and the daemons go on."""
import http.client
import socket

import pytest
from make_tiny_gguf import golden
from support.http import Client
from support.process import wait_for

ERROR_KEYS = {"message", "type", "code", "param", "retriable", "retry_after_ms", "correlation_id", "details"}


@pytest.fixture(autouse=True)
def everything_still_works(shared_two_nodes):
    yield
    assert shared_two_nodes.chat_text("beta") == golden("beta")
    assert all(p.is_running() for p in shared_two_nodes.started)


def assert_error(answer, status, code, kind="invalid_request_error"):
    assert answer.status == status, answer
    assert set(answer.json()) == {"error"} and set(answer.error) == ERROR_KEYS
    assert (answer.error["code"], answer.error["type"], answer.error["retriable"]) == (code, kind, False)
    assert answer.headers["X-Correlation-Id"] == answer.headers["X-Request-Id"] == answer.error["correlation_id"]


@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b'"text"', b"null", b"\xff\xfe", b'{"model": 5, "messages": []}', b'{"messages": [], "stream": "yes"}',
    b'{"a":' * 100 + b"1" + b"}" * 100, b'{"messages":[]} trailing',
], ids=lambda body: body[:12].decode(errors="replace"))
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions"])
def test_a_malformed_body_is_the_clients_fault(shared_two_nodes, path, body):
    answer = shared_two_nodes.client.post(path, body, {"Content-Type": "application/json"})
    assert_error(answer, 400, "INVALID_PARAMS")


def test_an_unknown_model_is_not_found(shared_two_nodes):
    answer = wait_for("the first node time-out to pass", lambda: next(
        (a for a in [shared_two_nodes.chat("hello", model="gpt-99")] if a.status != 503), None))
    assert_error(answer, 404, "MODEL_NOT_FOUND")
    assert "gpt-99" in answer.error["message"]


def test_an_oversized_body_is_refused_at_the_head(shared_two_nodes):
    connection = http.client.HTTPConnection(shared_two_nodes.address, timeout=30)
    connection.putrequest("POST", "/v1/chat/completions")
    connection.putheader("Authorization", "Bearer " + shared_two_nodes.token)
    connection.putheader("Content-Length", str(64 * 1024 * 1024 + 1))
    connection.endheaders()
    response = connection.getresponse()  # not one byte of the body was sent
    assert response.status == 413 and b"PAYLOAD_TOO_LARGE" in response.read()
    connection.close()


def test_an_oversized_body_without_a_length_is_refused(shared_two_nodes):
    def chunks():
        yield b'{"messages":[{"role":"user","content":"'
        for _ in range(66):
            yield b"x" * (1024 * 1024)

    connection = http.client.HTTPConnection(shared_two_nodes.address, timeout=60)
    try:
        connection.request("POST", "/v2/nodes/register", chunks(), {"Authorization": "Bearer " + shared_two_nodes.token},
                           encode_chunked=True)
    except (BrokenPipeError, ConnectionResetError):
        pass  # refused while it was sent
    try:
        assert connection.getresponse().status == 413
    except ConnectionResetError:
        pass
    connection.close()


def test_oversized_headers_are_refused(shared_two_nodes):
    answer = shared_two_nodes.client.get("/v2/nodes", {"X-Long": "x" * 70000})
    assert answer.status == 431


def test_unknown_paths_and_wrong_verbs(shared_two_nodes):
    client = shared_two_nodes.client
    assert_error(client.get("/v1/nope"), 404, "NOT_FOUND")
    answer = client.get("/v1/chat/completions")
    assert_error(answer, 405, "METHOD_NOT_ALLOWED")
    assert "POST" in answer.headers["Allow"]
    assert_error(client.get("/v2/nodes/nobody"), 404, "NOT_FOUND")


@pytest.mark.parametrize("data", [
    b"\x00" * 100, b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"])
def test_what_is_not_http_is_closed(shared_two_nodes, data):
    host, port = shared_two_nodes.address.split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while part := connection.recv(65536):
                answer += part
        except ConnectionResetError:
            pass
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400")


# Tokens

def test_without_or_with_a_wrong_token_nothing_is_told(shared_two_nodes):
    stranger = Client(shared_two_nodes.address)
    for method, path in [("GET", "/v1/models"), ("POST", "/v1/chat/completions"), ("GET", "/v2/nodes"), ("GET", "/v2/pools"),
                         ("POST", "/v2/nodes/register"), ("POST", "/v2/nodes/n1/heartbeat"), ("DELETE", "/v2/nodes/n1")]:
        assert_error(stranger.request(method, path, b"{}"), 401, "MISSING_TOKEN", "authentication_error")
        for wrong in ("Bearer wrong-token-of-some-length", "Bearer " + shared_two_nodes.token[:-1], "Bearer ", "Basic abc"):
            answer = stranger.request(method, path, b"{}", {"Authorization": wrong})
            assert answer.status == 401 and answer.error["code"] in ("BAD_TOKEN", "MISSING_TOKEN")
    for path in ("/health", "/livez", "/readyz", "/metrics"):
        assert stranger.get(path).status == 200
    assert shared_two_nodes.node("n1")["online"]


def test_a_node_refuses_strangers_too(shared_two_nodes):
    address = shared_two_nodes.node("n1")["address"].removeprefix("http://")
    for path in ("/v2/node", "/v2/pools", "/v2/pools/chat/engine/v1/models"):
        assert Client(address).get(path).status == 401
        assert Client(address, shared_two_nodes.token).get(path).status == 200


# The node protocol

def register(cluster, **changes):
    body = {"node_id": "fake", "machine_id": "fake-machine", "address": "http://127.0.0.1:1", "pools": ["p"],
            "capabilities": {"gpus": []}, **changes}
    return cluster.client.post("/v2/nodes/register", body)


@pytest.fixture
def fake_node(shared_two_nodes):
    answer = register(shared_two_nodes)
    assert answer.status == 200 and answer.json()["success"] and answer.json()["next_heartbeat_ms"] == 1000
    yield "fake"
    shared_two_nodes.client.request("DELETE", "/v2/nodes/fake")
    assert shared_two_nodes.node("fake") is None


def heartbeat(cluster, node_id, **changes):
    body = {"timestamp": "2026-01-01T00:00:00Z", "pools": [{"pool_id": "p", "ready": True, "slots_free": 1}], **changes}
    return cluster.client.post("/v2/nodes/%s/heartbeat" % node_id, body)


def test_a_heartbeat_of_an_unknown_node_is_not_found(shared_two_nodes):
    assert_error(heartbeat(shared_two_nodes, "nobody"), 404, "NOT_FOUND")


def test_an_unreachable_node_is_listed_and_gets_no_work(shared_two_nodes, fake_node):
    assert heartbeat(shared_two_nodes, fake_node, pools=[
        {"pool_id": "p", "ready": True, "slots_free": 50, "served_name": "tiny", "models_available": ["tiny"]}]).status == 200
    node = wait_for("the probe to fail", lambda: next(
        (n for n in [shared_two_nodes.node(fake_node)] if n["unreachable_reason"]), None))
    assert node["online"] and node["reachable"] is False
    answers = shared_two_nodes.many_chats(8, model="tiny")
    assert {a.status for a in answers} == {200} and {a.headers["X-Llorch-Attempts"] for a in answers} == {"1"}


def test_another_machine_cannot_take_a_live_nodes_name(shared_two_nodes, fake_node):
    assert_error(register(shared_two_nodes, machine_id="somebody-else"), 409, "CONFLICT")
    assert register(shared_two_nodes).status == 200


@pytest.mark.parametrize("changes", [
    {"node_id": "no spaces please"}, {"node_id": ""}, {"node_id": 7}, {"address": "ftp://x"}, {"address": "nowhere"},
    {"pools": "p"}, {"capabilities": []}, {"api_version": "99.0"},
], ids=str)
def test_a_bad_registration_names_its_field(shared_two_nodes, changes):
    answer = register(shared_two_nodes, **changes)
    assert_error(answer, 400, "INVALID_PARAMS")
    assert next(iter(changes)) in answer.error["message"]


@pytest.mark.parametrize("pools,named", [
    ([{"pool_id": "p", "ready": True}], "slots_free"), ([{"ready": True, "slots_free": 1}], "pool_id"),
    ([{"pool_id": "p", "ready": "yes", "slots_free": 1}], "ready"),
    ([{"pool_id": "p", "ready": True, "slots_free": -1}], "slots_free"), ("none", "pools"),
])
def test_a_bad_heartbeat_names_its_field_and_changes_nothing(shared_two_nodes, fake_node, pools, named):
    answer = heartbeat(shared_two_nodes, fake_node, pools=pools)
    assert_error(answer, 400, "INVALID_PARAMS")
    assert named in answer.error["message"]


def test_a_correlation_id_is_echoed_or_replaced(shared_two_nodes):
    client = shared_two_nodes.client
    assert client.get("/v2/nodes", {"X-Correlation-Id": "abc-1.2_3"}).headers["X-Correlation-Id"] == "abc-1.2_3"
    for bad in ("has spaces", "x" * 65, "semi;colon"):
        assert client.get("/v2/nodes", {"X-Correlation-Id": bad}).headers["X-Correlation-Id"] not in ("", None, bad)
