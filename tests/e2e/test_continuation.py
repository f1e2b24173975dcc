"""Streams whose engine dies in their middle: their clients do not see it.

The model's text depends on the key word in the prompt and on the last word, so a continuation that lost the prompt, a token or
its place gives another text.
"""
import json
from pathlib import Path

import pytest
from make_tiny_gguf import golden
from support.cluster import Cluster, pool

ENGINE = Path(__file__).parent / "support/mortal_engine.py"
PROMPT = "tell me, beta"
WORDS = [" " + word for word in golden("beta").split()]


@pytest.fixture(scope="module")
def mortal(tmp_path_factory, programs, engine, model):
    """Two nodes whose engines die when a request says so."""
    made = Cluster(tmp_path_factory.mktemp("cluster"), programs, ENGINE)
    env = {"MORTAL_ENGINE": str(engine), "MORTAL_COUNTS": str(tmp_path_factory.mktemp("counts"))}
    try:
        # A death per request is more than a cluster is meant to hide.
        made.start_control("--retry-budget-percent", 100)
        for node_id in ("n1", "n2"):
            made.start_node(node_id, [pool(model)], env=env)
        made.wait_ready("n1", "n2")
        yield made
    finally:
        made.close()


def read(cluster, path, body, dies_at, death=None):
    headers = {"X-Dies-At": dies_at, **({"X-Death": death} if death else {})}
    with cluster.client.stream(path, body, headers) as stream:
        assert stream.status == 200
        events = list(stream)
        assert not stream.cut
    assert events[-1].data == "[DONE]" and [e.data for e in events].count("[DONE]") == 1, events[-1]
    return [e.json() for e in events[:-1]]


def one(events, name):
    found = {json.dumps(e[name]) for e in events}
    assert len(found) == 1, (name, found)


def check_chat(cluster, dies_at, death=None, **fields):
    body = {"messages": [{"role": "user", "content": PROMPT}], "temperature": 0, "stream_options": {"include_usage": True}}
    events = read(cluster, "/v1/chat/completions", {**body, **fields}, dies_at, death)
    for name in ("id", "model", "object"):  # llama-server itself looks at its clock anew for each event
        one(events, name)
    deltas = [e["choices"][0]["delta"] for e in events if e["choices"]]
    assert [d["role"] for d in deltas if "role" in d] == ["assistant"]
    finishes = [e["choices"][0]["finish_reason"] for e in events if e["choices"]]
    assert [f for f in finishes if f] == finishes[-1:]
    return "".join(d.get("content") or "" for d in deltas), finishes[-1], events[-1]["usage"]


def check_completion(cluster, dies_at, **fields):
    events = read(cluster, "/v1/completions", {"prompt": PROMPT, "temperature": 0, **fields}, dies_at)
    for name in ("id", "model", "object"):  # llama-server itself looks at its clock anew for each event
        one(events, name)
    return "".join(e["choices"][0]["text"] for e in events), events[-1]["choices"][0]["finish_reason"], events[-1]["usage"]


def tokens_of(usage):
    return usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]


def test_a_chat_is_continued_whatever_token_its_engine_dies_at(mortal):
    whole = mortal.chat(PROMPT).json()["usage"]
    for k in range(len(WORDS) + 1):
        text, finish, usage = check_chat(mortal, str(k))
        assert (k, text, finish) == (k, golden("beta"), "stop")
        assert tokens_of(usage) == tokens_of(whole), k


def test_a_completion_is_continued_whatever_token_its_engine_dies_at(mortal):
    body = {"prompt": PROMPT, "temperature": 0, "max_tokens": 40}
    whole = mortal.client.post("/v1/completions", body).json()
    expected = whole["choices"][0]["text"]
    assert len(expected.split()) == 40
    for k in range(41):
        text, finish, usage = check_completion(mortal, str(k), max_tokens=40)
        assert (k, text, finish) == (k, expected, "length")
        assert tokens_of(usage) == tokens_of(whole["usage"]), k


def test_a_prompt_of_tokens_is_continued(mortal):
    prompt = [1, 578]  # the beginning of a text, " beta"
    whole = mortal.client.post("/v1/completions", {"prompt": prompt, "temperature": 0, "max_tokens": 20}).json()
    text, finish, usage = check_completion(mortal, "7", prompt=prompt, max_tokens=20)
    assert (text, finish) == (whole["choices"][0]["text"], "length")
    assert tokens_of(usage) == tokens_of(whole["usage"])


def test_a_limit_and_a_stop_word_hold_for_the_whole_answer(mortal):
    for k in range(8):
        text, finish, usage = check_chat(mortal, str(k), max_tokens=7)
        assert (text, finish, usage["completion_tokens"]) == ("".join(WORDS[:7]), "length", 7), k
    for k in range(5):
        text, finish, _ = check_chat(mortal, str(k), stop=WORDS[5].strip())
        assert (text, finish) == ("".join(WORDS[:5]) + " ", "stop"), k


def test_a_continuation_that_dies_is_continued_by_the_first_engine_that_is_back(mortal):
    for deaths in ("3,5", "63,1"):
        text, finish, usage = check_chat(mortal, deaths, death="process")
        assert (deaths, text, finish) == (deaths, golden("beta"), "stop")
        assert usage["completion_tokens"] == len(WORDS) + 1


def test_a_killed_engine_is_continued_for(mortal):
    for k in (1, 20, 64):
        text, finish, _ = check_chat(mortal, str(k), death="process")
        assert (k, text, finish) == (k, golden("beta"), "stop")
