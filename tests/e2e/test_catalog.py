"""Models on nodes: staged by checksum, copied between nodes, verified, listed, lost."""
import hashlib
import http.server
import threading
from pathlib import Path

import pytest
from support.cluster import pool
from support.http import Client
from support.process import wait_for


def digest_of(path):
    return "sha256:" + hashlib.sha256(Path(path).read_bytes()).hexdigest()


def start(cluster, *node_ids, pools=()):
    cluster.start_control()
    for node_id in node_ids:
        cluster.start_node(node_id, list(pools))
    wait_for("the nodes", lambda: all((cluster.node(n) or {}).get("reachable") for n in node_ids))


def node_client(cluster, node_id):
    return Client(cluster.nodes[node_id].address(), cluster.token)


def ended(cluster, operation):
    def end():
        seen = cluster.client.get("/v2/operations/" + operation["id"]).json()
        return seen if seen["state"] != "running" else None
    return wait_for("operation %s to end" % operation["kind"], end)


def stage(cluster, **request):
    answer = cluster.client.post("/v2/catalog/stage", request)
    assert answer.status == 202, answer
    return ended(cluster, answer.json())


def parts(operation):
    return {part["node_id"]: part for part in operation["nodes"]}


def store_file(cluster, node_id, digest):
    return cluster.root / node_id / "state/models/blobs" / digest.replace(":", "-")


def availability(cluster):
    return cluster.client.get("/v2/catalog/availability").json()


def test_a_model_is_staged_to_one_node_and_copied_to_the_other_and_both_serve_it(cluster, model):
    start(cluster, "n1", "n2")
    digest = digest_of(model)
    done = stage(cluster, model_ref=str(model), digest=digest, nodes=["n1"])
    assert (done["state"], done["target"], done["progress"]) == ("succeeded", "tiny", 1), done
    assert done["bytes_done"] == done["bytes_total"] == Path(model).stat().st_size

    wait_for("n1 to be listed", lambda: "tiny" in availability(cluster)["single_node_models"])
    done = stage(cluster, model_ref="tiny", replicas=2)
    assert done["state"] == "succeeded", done
    assert parts(done)["n1"]["state"] == "skipped"
    assert parts(done)["n2"]["source"].endswith("/v2/models/tiny/blob")
    assert digest_of(store_file(cluster, "n2", digest)) == digest

    wait_for("both to be listed", lambda: availability(cluster)["replicated_models"] == ["tiny"])
    for node_id in ("n1", "n2"):
        cluster.nodes[node_id].stop()
    for node_id in ("n1", "n2"):
        cluster.start_node(node_id, [pool("tiny")])
    cluster.wait_ready("n1", "n2")
    seen = availability(cluster)
    assert seen["replicated_models"] == ["tiny"] and seen["single_node_models"] == []
    assert seen["models"] == [{"model_id": "tiny", "nodes": ["n1", "n2"], "total_nodes": 2, "total_capacity": 4}]
    assert cluster.chat("alpha", model="tiny").status == 200

    refused = node_client(cluster, "n1").request("DELETE", "/v2/models/tiny")
    assert (refused.status, refused.error["code"]) == (409, "CONFLICT") and "chat" in refused.error["message"]


def test_a_changed_byte_is_found_by_verify_and_repaired_by_staging(cluster, model):
    start(cluster, "n1", "n2")
    digest = digest_of(model)
    assert stage(cluster, model_ref=str(model), digest=digest, nodes=["n1", "n2"])["state"] == "succeeded"
    wait_for("both copies", lambda: availability(cluster)["replicated_models"] == ["tiny"])
    assert ended(cluster, cluster.client.post("/v2/catalog/models/tiny/verify").json())["state"] == "succeeded"

    blob = store_file(cluster, "n2", digest)
    changed = bytearray(blob.read_bytes())
    changed[-1] ^= 1
    blob.write_bytes(changed)
    found = ended(cluster, cluster.client.post("/v2/catalog/models/tiny/verify").json())
    assert found["state"] == "failed"
    assert found["error"] == "n2: digest: is %s, expected %s" % (digest_of(blob), digest)
    assert parts(found)["n1"]["state"] == "succeeded"
    wait_for("the copy to count no more", lambda: availability(cluster)["single_node_models"] == ["tiny"])
    assert node_client(cluster, "n2").get("/v2/models/tiny/blob").status == 409

    assert stage(cluster, model_ref="tiny", nodes=["n2"])["state"] == "succeeded"
    assert digest_of(blob) == digest


def test_a_wrong_checksum_leaves_nothing_behind(cluster, model):
    start(cluster, "n1")
    failed = stage(cluster, model_ref=str(model), digest="sha256:" + "0" * 64, nodes=["n1"])
    assert failed["state"] == "failed"
    assert failed["error"] == "n1: digest: is %s, expected sha256:%s" % (digest_of(model), "0" * 64)
    folder = cluster.root / "n1/state/models"
    assert [p for p in folder.rglob("*") if p.is_file() and p.name != "index.json"] == []
    assert node_client(cluster, "n1").get("/v2/models").json() == {"models": [], "count": 0}


def test_a_node_that_dies_while_it_stages_is_named(cluster, model):
    start(cluster, "n1", "n2")
    asked, gate = threading.Event(), threading.Event()

    class Slow(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(1 << 20))
            self.end_headers()
            self.wfile.write(b"GGUF")
            asked.set()
            gate.wait(60)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = "http://127.0.0.1:%d/large.gguf" % server.server_port
        operation = cluster.client.post("/v2/catalog/stage", {"model_ref": url, "nodes": ["n2"]}).json()
        assert asked.wait(60)
        cluster.nodes["n2"].kill()
        failed = ended(cluster, operation)
        assert failed["state"] == "failed" and failed["error"].startswith("n2: the node was lost"), failed
    finally:
        gate.set()
        server.shutdown()
        server.server_close()


def test_a_file_put_into_the_folder_is_found_and_survives_a_restart(cluster, model):
    start(cluster, "n1")
    folder = cluster.root / "n1/state/models"
    (folder / "mine.gguf").write_bytes(Path(model).read_bytes())

    def ready():
        return [(m["id"], m["state"], m["digest"]) for m in cluster.node("n1")["models"]] == [
            ("mine", "ready", digest_of(model))]
    wait_for("the file to be listed", ready)
    assert cluster.node("n1")["disk_free_bytes"] > 0
    cluster.nodes["n1"].stop()
    cluster.start_node("n1", [])
    wait_for("the file to be listed again", ready)


def test_a_download_from_a_server_and_one_that_is_not_there(cluster, model):
    start(cluster, "n1")

    class Files(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(Path(model).parent))

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = "http://127.0.0.1:%d/" % server.server_port
        done = stage(cluster, model_ref=url + "tiny.gguf?secret=1", digest=digest_of(model)[7:], nodes=["n1"])
        assert done["state"] == "succeeded", done
        assert node_client(cluster, "n1").get("/v2/models/tiny").json()["source"] == url + "tiny.gguf"
        failed = stage(cluster, model_ref=url + "absent.gguf", nodes=["n1"])
        assert failed["error"] == "n1: source: %sabsent.gguf answers with status 404" % url
    finally:
        server.shutdown()
        server.server_close()


def test_entries_survive_a_restart_and_a_corrupt_file_is_named(cluster):
    cluster.start_control()
    made = cluster.client.post("/v2/catalog/models", {"id": "tiny", "digest": "a" * 64, "signed": True},
                               {"X-Trust-Policy": "strict"})
    assert (made.status, made.json()["digest"]) == (201, "sha256:" + "a" * 64)
    refused = cluster.client.post("/v2/catalog/models", {"id": "x", "signed": False}, {"X-Trust-Policy": "strict"})
    assert (refused.status, refused.error["code"]) == (400, "UNTRUSTED_ARTIFACT")
    assert cluster.client.post("/v2/catalog/models/tiny/state", {"state": "Retired"}).status == 202

    assert cluster.control.stop() == 0
    cluster.restart_control()
    kept = cluster.client.get("/v2/catalog/models/tiny").json()
    assert (kept["state"], kept["signed"], kept["registered"]) == ("Retired", True, True)
    assert cluster.client.request("DELETE", "/v2/catalog/models/tiny").status == 204
    assert cluster.client.get("/v2/catalog/models/tiny").status == 404

    assert cluster.control.stop() == 0
    (cluster.control.state_dir / "catalog.json").write_text("{")
    assert cluster.control.run() == 4
    assert "catalog.json: is corrupt" in cluster.control.stderr


def test_events_of_an_operation_end_with_its_end(cluster, model):
    start(cluster, "n1")
    operation = cluster.client.post("/v2/catalog/stage", {"model_ref": str(model), "nodes": ["n1"]}).json()
    with cluster.client.events("/v2/operations/%s/events" % operation["id"]) as stream:
        events = list(stream)
    assert [e.name for e in events][-1] == "end" and {e.name for e in events[:-1]} <= {"progress"}
    assert events[-1].json()["state"] == "succeeded"


@pytest.mark.parametrize("path", ["/v2/models/..%2f..%2findex.json/blob", "/v2/models/.hidden/blob",
                                  "/v2/models/index.json/blob", "/v2/models/%00/blob"])
def test_no_path_leads_out_of_the_store(cluster, path):
    start(cluster, "n1")
    assert node_client(cluster, "n1").get(path).status in (400, 404)


def test_ranges_of_a_blob(cluster, model):
    start(cluster, "n1")
    stage(cluster, model_ref=str(model), nodes=["n1"])
    node, whole = node_client(cluster, "n1"), Path(model).read_bytes()
    path, size = "/v2/models/tiny/blob", len(Path(model).read_bytes())
    answer = node.get(path)
    etag = answer.headers["ETag"]
    assert (answer.status, answer.body, etag) == (200, whole, '"%s"' % digest_of(model))
    for asked, first, last in (("bytes=0-3", 0, 3), ("bytes=1000-", 1000, size - 1), ("bytes=-5", size - 5, size - 1)):
        part = node.get(path, {"Range": asked, "If-Range": etag})
        assert (part.status, part.body) == (206, whole[first:last + 1]), asked
        assert part.headers["Content-Range"] == "bytes %d-%d/%d" % (first, last, size)
    assert node.get(path, {"Range": "bytes=0-3", "If-Range": '"another"'}).status == 200
    outside = node.get(path, {"Range": "bytes=%d-" % size})
    assert (outside.status, outside.headers["Content-Range"]) == (416, "bytes */%d" % size)


def test_a_download_that_breaks_off_goes_on_where_it_stopped(cluster, model):
    start(cluster, "n1")
    content, ranges = Path(model).read_bytes(), []

    class Breaks(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            ranges.append(self.headers["Range"])
            first = int(self.headers["Range"][6:-1]) if self.headers["Range"] else 0
            self.send_response(206 if first else 200)
            self.send_header("ETag", '"v1"')
            self.send_header("Content-Length", str(len(content) - first))
            if first:
                self.send_header("Content-Range", "bytes %d-%d/%d" % (first, len(content) - 1, len(content)))
            self.end_headers()
            self.wfile.write(content[first:] if first else content[:500_000])

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Breaks)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = "http://127.0.0.1:%d/tiny.gguf" % server.server_port
        done = stage(cluster, model_ref=url, digest=digest_of(model), nodes=["n1"])
        assert done["state"] == "succeeded", done
        assert ranges == [None, "bytes=500000-"]
    finally:
        server.shutdown()
        server.server_close()


def test_a_shared_folder_is_changed_by_its_owner_only(cluster, model):
    shared = cluster.root / "shared"
    cluster.start_control()
    for node_id in ("n1", "n2"):
        cluster.start_node(node_id, [], "--model-dir", str(shared))
        wait_for("node " + node_id, lambda node_id=node_id: cluster.node(node_id)["reachable"])
    assert stage(cluster, model_ref=str(model), nodes=["n1"])["state"] == "succeeded"
    wait_for("the reader to see it", lambda: availability(cluster)["replicated_models"] == ["tiny"])
    refused = node_client(cluster, "n2").request("DELETE", "/v2/models/tiny")
    assert refused.status == 409 and "belongs to node n1" in refused.error["message"]
    assert node_client(cluster, "n2").get("/v2/models/tiny/blob").body == Path(model).read_bytes()
