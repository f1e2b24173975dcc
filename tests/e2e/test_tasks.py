"""Tasks on a real engine."""
import http.client

import pytest
from make_tiny_gguf import TOKENS_PER_ANSWER, golden
from support.cluster import pool
from support.http import Stream
from support.process import wait_for


def submit(cluster, prompt="say it, beta", headers=None, **fields):
    body = {"model_ref": "tiny", "messages": [{"role": "user", "content": prompt}], **fields}
    answer = cluster.client.post("/v2/tasks", body, headers)
    assert answer.status == 202, answer
    return answer.json()["task_id"]


def events(cluster, task_id, last_id=None, verbose=False):
    """The watch of a task, as a stream whose raw lines tell the ids too."""
    path = "/v2/tasks/%s/events%s" % (task_id, "?verbose=true" if verbose else "")
    headers = {"Authorization": "Bearer " + cluster.token}
    if last_id is not None:
        headers["Last-Event-ID"] = str(last_id)
    connection = http.client.HTTPConnection(cluster.address, timeout=120)
    connection.request("GET", path, None, headers)
    return Watch(connection, connection.getresponse())


class Watch(Stream):
    """Remembers the id of the event that came last."""
    last_id = None

    def _lines(self):
        for line in super()._lines():
            if line.startswith("id: "):
                self.last_id = int(line[4:])
            yield line


def text_of(seen):
    return "".join(e.json()["t"] for e in seen if e.name == "token")


def task(cluster, task_id):
    return cluster.client.get("/v2/tasks/" + task_id).json()


@pytest.fixture
def slow_node(cluster, slow_model):
    cluster.start_control()
    cluster.start_node("n1", [pool(slow_model, slots=1, ctx=8192, served_name="tiny")])
    cluster.wait_ready("n1")
    return cluster


def test_a_task_has_the_engines_exact_text_watched_or_not(shared_two_nodes):
    watched, unwatched = submit(shared_two_nodes), submit(shared_two_nodes)
    with events(shared_two_nodes, watched) as stream:
        seen = list(stream)
    assert [e.name for e in seen if e.name != "token"] == ["started", "metrics", "end"]
    assert text_of(seen) == golden("beta")
    assert [e.json()["i"] for e in seen if e.name == "token"] == list(range(len(seen) - 3))
    assert seen[-1].json()["tokens_out"] == TOKENS_PER_ANSWER
    assert seen[-1].json()["decode_ms"] == seen[-1].json()["decode_time_ms"]
    done = wait_for("the task to be done", lambda: (t := task(shared_two_nodes, unwatched))["state"] == "done" and t)
    assert (done["output"], done["tokens_out"]) == (golden("beta"), TOKENS_PER_ANSWER)
    assert done["node_id"] in ("n1", "n2") and done["pool_id"] == "chat"


def test_a_prompt_is_completed(shared_two_nodes):
    answer = shared_two_nodes.client.post("/v2/tasks", {"model": "tiny", "prompt": "delta\n", "max_tokens": 100})
    with events(shared_two_nodes, answer.json()["task_id"]) as stream:
        assert text_of(list(stream)) == golden("delta")


def test_a_watcher_that_comes_back_loses_and_repeats_nothing(slow_node):
    task_id = submit(slow_node, max_tokens=120)
    seen, last_id = [], None
    while not seen or seen[-1].name not in ("end", "error"):
        with events(slow_node, task_id, last_id) as stream:
            for event, _ in zip(stream, range(7)):  # leaves after seven events, in the middle of the stream
                seen.append(event)
                last_id = stream.last_id
    assert seen[-1].name == "end"
    numbers = [e.json()["i"] for e in seen if e.name == "token"]
    assert numbers == list(range(len(numbers))) and len(numbers) > 14
    with events(slow_node, task_id) as stream:
        again = list(stream)
    assert [(e.name, e.data) for e in again] == [(e.name, e.data) for e in seen]
    assert text_of(seen) == task(slow_node, task_id)["output"]
    assert golden("beta").startswith(text_of(seen)) or text_of(seen).startswith(golden("beta"))


def test_cancel_ends_a_running_task_and_a_queued_one(slow_node):
    running = submit(slow_node, max_tokens=6000)
    with events(slow_node, running) as stream:
        seen = iter(stream)
        assert next(seen).name in ("queued", "started")
        queued = submit(slow_node)
        assert task(slow_node, queued)["state"] == "queued"
        assert slow_node.client.post("/v2/tasks/%s/cancel" % queued).status == 204
        with events(slow_node, queued) as other:
            assert [e.name for e in other] == ["queued", "end"]
        assert slow_node.client.post("/v2/tasks/%s/cancel" % running).status == 204
        last = list(seen)[-1]
    assert last.name == "end" and last.json()["canceled"] is True
    assert task(slow_node, running)["state"] == task(slow_node, queued)["state"] == "canceled"
    # The slot is free again, once the engine is idle.
    after = submit(slow_node, max_tokens=2)
    wait_for("the next task to be done", lambda: task(slow_node, after)["state"] == "done")


def test_a_task_whose_engine_is_killed_goes_on(slow_node):
    """There is no other engine: it goes on when this one is back, and nothing of its text is lost or repeated."""
    task_id = submit(slow_node, max_tokens=900)
    with events(slow_node, task_id) as stream:
        seen = iter(stream)
        first = [next(seen), next(seen), next(seen)]
        slow_node.kill_engine("n1")
        seen = first + list(seen)
    assert seen[-1].name == "end", seen[-1]
    numbers = [e.json()["i"] for e in seen if e.name == "token"]
    assert numbers == list(range(len(numbers)))
    undisturbed = submit(slow_node, max_tokens=900)
    wait_for("the other task to be done", lambda: task(slow_node, undisturbed)["state"] == "done")
    for field in ("output", "tokens_out"):
        assert task(slow_node, task_id)[field] == task(slow_node, undisturbed)[field]
    assert text_of(seen) == task(slow_node, undisturbed)["output"]


def test_the_same_submission_again_is_the_same_task(shared_two_nodes):
    key = {"Idempotency-Key": "a-key-of-this-test"}
    first = submit(shared_two_nodes, headers=key)
    assert submit(shared_two_nodes, headers=key) == first
    other = shared_two_nodes.client.post("/v2/tasks", {"model": "tiny", "prompt": "x"}, key)
    assert (other.status, other.error["code"]) == (409, "CONFLICT")


def test_preview_names_the_place_and_the_reasons(shared_two_nodes):
    answer = shared_two_nodes.client.post("/v2/tasks/preview", {"model": "tiny", "prompt": "x"})
    body = answer.json()
    assert answer.status == 200 and body["code"] is None
    assert body["decision"]["node_id"] in ("n1", "n2")
    assert {c["node_id"] for c in body["candidates"]} == {"n1", "n2"}
    assert all(c["feasible"] and c["reasons"] for c in body["candidates"])


def test_llorch_tasks(runner, shared_two_nodes):
    settings = {"LLORCH_URL": "http://" + shared_two_nodes.address, "LLORCH_API_TOKEN_FILE": str(shared_two_nodes.token_file)}

    def llorch(*arguments):
        return runner.run("llorch", "tasks", *arguments, env=settings)

    made = llorch("submit", "tiny", "delta\n", "--max-tokens", "100")
    task_id = made.stdout.strip()
    assert made.exit_code == 0 and task_id
    assert llorch("watch", task_id).stdout == golden("delta") + "\n"
    assert golden("delta") in llorch("show", task_id).stdout
    assert task_id in llorch("list", "--state", "done").stdout
    assert llorch("cancel", task_id).exit_code == 0
    assert llorch("show", "no-such-task").exit_code == 5
    assert llorch("watch", "no-such-task").exit_code == 5
