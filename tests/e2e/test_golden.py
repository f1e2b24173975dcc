"""A real engine's exact text through every hop."""
from concurrent.futures import ThreadPoolExecutor

import pytest
from make_tiny_gguf import KEYS, TOKENS_PER_ANSWER, golden

PROMPTS = [(None, "say it please")] + [(key, "say it, %s, please" % key) for key in KEYS]


def assert_golden(cluster):
    for key, prompt in PROMPTS:
        assert cluster.chat_text(prompt, model="tiny") == golden(key)
        assert cluster.chat_stream_text(prompt, model="tiny") == golden(key)


def test_text_is_exact_for_every_key_before_and_after_a_node_died(two_nodes):
    assert_golden(two_nodes)
    two_nodes.nodes["n1"].kill()
    assert_golden(two_nodes)
    two_nodes.wait_offline("n1")
    assert_golden(two_nodes)


def test_mixed_keys_at_once_do_not_mix(shared_two_nodes):
    asked = PROMPTS * 6
    with ThreadPoolExecutor(8) as workers:
        texts = list(workers.map(lambda p: shared_two_nodes.chat_text(p[1]), asked))
    assert texts == [golden(key) for key, _ in asked]


def test_usage_and_finish_reason_are_the_engines(shared_two_nodes):
    answer = shared_two_nodes.chat("beta").json()
    assert answer["usage"]["completion_tokens"] == TOKENS_PER_ANSWER
    assert answer["choices"][0]["finish_reason"] == "stop"
    short = shared_two_nodes.chat("beta", max_tokens=4).json()
    assert short["choices"][0]["finish_reason"] == "length"
    assert short["choices"][0]["message"]["content"] == " redB netB dayB oilB"


def test_stream_ends_with_usage_when_asked(shared_two_nodes):
    with shared_two_nodes.chat_stream("beta", stream_options={"include_usage": True}) as stream:
        events = list(stream)
    assert events[-1].data == "[DONE]" and not stream.cut
    assert events[-2].json()["usage"]["completion_tokens"] == TOKENS_PER_ANSWER


def test_stream_without_asking_has_no_usage_chunk(shared_two_nodes):
    with shared_two_nodes.chat_stream("beta") as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert all(e.data == "[DONE]" or e.json()["choices"] for e in stream)


def test_a_chat_of_many_turns_keeps_its_key(shared_two_nodes):
    messages = [{"role": "user", "content": "remember gamma"}, {"role": "assistant", "content": "ok"},
                {"role": "user", "content": "go on"}]
    answer = shared_two_nodes.client.post("/v1/chat/completions", {"messages": messages, "temperature": 0})
    assert answer.json()["choices"][0]["message"]["content"] == golden("gamma")


def test_plain_completions(shared_two_nodes):
    answer = shared_two_nodes.client.post("/v1/completions", {"prompt": "delta\n", "temperature": 0, "max_tokens": 100})
    assert answer.json()["choices"][0]["text"] == golden("delta")


@pytest.mark.parametrize("stream", [False, True])
def test_an_engines_refusal_passes_unchanged(shared_two_nodes, stream):
    answer = shared_two_nodes.chat("word " * 3000, stream=stream)
    assert answer.status == 400
    assert answer.error["type"] == "exceed_context_size_error"
