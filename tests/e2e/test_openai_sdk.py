"""The official OpenAI client, unchanged."""
import openai
import pytest
from make_tiny_gguf import KEYS, TOKENS_PER_ANSWER, golden
from support.cluster import pool
from support.process import wait_for
from support.queueing import queued, slot_held


def sdk(cluster, token=None, **options):
    return openai.OpenAI(base_url="http://%s/v1" % cluster.address, api_key=token or cluster.token, max_retries=0, **options)


def messages(prompt):
    return [{"role": "user", "content": prompt}]


@pytest.mark.parametrize("key", KEYS)
def test_chat(shared_two_nodes, key):
    made = sdk(shared_two_nodes).chat.completions.create(model="tiny", messages=messages(key), temperature=0)
    assert made.choices[0].message.content == golden(key)
    assert made.choices[0].finish_reason == "stop"
    assert made.usage.completion_tokens == TOKENS_PER_ANSWER


@pytest.mark.parametrize("key", KEYS)
def test_chat_stream(shared_two_nodes, key):
    stream = sdk(shared_two_nodes).chat.completions.create(model="tiny", messages=messages(key), temperature=0, stream=True)
    chunks = list(stream)
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == golden(key)
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_stream_with_usage(shared_two_nodes):
    stream = sdk(shared_two_nodes).chat.completions.create(
        model="tiny", messages=messages("beta"), temperature=0, stream=True, stream_options={"include_usage": True})
    assert list(stream)[-1].usage.completion_tokens == TOKENS_PER_ANSWER


def test_completions_streamed_and_not(shared_two_nodes):
    client = sdk(shared_two_nodes)
    arguments = dict(model="tiny", prompt="beta\n", temperature=0, max_tokens=100)
    assert client.completions.create(**arguments).choices[0].text == golden("beta")
    chunks = client.completions.create(**arguments, stream=True)
    assert "".join(c.choices[0].text for c in chunks if c.choices) == golden("beta")


def test_models(shared_two_nodes):
    listed = sdk(shared_two_nodes).models.list().data
    assert [(m.id, m.object) for m in listed] == [("tiny", "model")]


def test_a_wrong_key_is_an_authentication_error(shared_two_nodes):
    with pytest.raises(openai.AuthenticationError) as caught:
        sdk(shared_two_nodes, "not-the-token-of-this-cluster").models.list()
    assert caught.value.code == "BAD_TOKEN" and caught.value.type == "authentication_error"


def test_an_unknown_model_is_a_not_found_error(shared_two_nodes):
    def error():
        try:
            sdk(shared_two_nodes).chat.completions.create(model="gpt-99", messages=messages("hello"))
        except openai.InternalServerError:
            return None  # just started: it may still turn up
        except openai.NotFoundError as caught:
            return caught

    caught = wait_for("the first node time-out to pass", error)
    assert caught.code == "MODEL_NOT_FOUND" and caught.type == "invalid_request_error" and caught.request_id


def test_bad_parameters_are_a_bad_request_error(shared_two_nodes):
    with pytest.raises(openai.BadRequestError):
        sdk(shared_two_nodes).chat.completions.create(model="tiny", messages="hello")


def test_a_full_queue_is_a_rate_limit_error_and_retries_get_through(cluster, slow_model):
    cluster.start_control("--admission-capacity", "1")
    cluster.start_node("n1", [pool(slow_model, slots=1, ctx=8192)])
    cluster.wait_ready("n1")
    arguments = dict(model="slow", messages=messages("beta"), temperature=0, max_tokens=2)
    with slot_held(cluster) as stream, queued(cluster, 1):
        with pytest.raises(openai.RateLimitError) as caught:
            sdk(cluster).chat.completions.create(**arguments)
        stream.close()
    assert caught.value.code == "ADMISSION_REJECT" and caught.value.type == "rate_limit_error"
    assert int(caught.value.response.headers["retry-after"]) >= 1
    made = sdk(cluster).with_options(max_retries=10).chat.completions.create(**arguments)
    assert made.choices[0].message.content == " redB netB"
