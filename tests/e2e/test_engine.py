"""The launcher over the packaged engine: what the other tests rely on, without llama-orch in between."""
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from make_tiny_gguf import KEYS, TOKENS_PER_ANSWER, golden, write
from support.http import Client, chat, streamed_text
from support.process import Runner, wait_for


class Engines(Runner):
    def start(self, model, *flags, env=None, token=None):
        """A launcher that is ready, and a client for it."""
        made = super().start(self.binary, "-m", model, "--port", "0", *flags, env=env)

        def listening():
            return re.search(r"llama-server: listening on http://(\S+)", made.stderr)

        client = Client(wait_for("the engine to listen", listening).group(1), token)
        wait_for("the engine to load", lambda: client.get("/health").status == 200)
        return made, client


@pytest.fixture
def engines(tmp_path, engine):
    made = Engines(tmp_path, engine.parent)
    made.binary = engine.name
    yield made
    made.close()


def ask(client, key):
    return client.post("/v1/chat/completions", chat("say it, %s" % (key or "please"))).json()


@pytest.mark.parametrize("kind,slow", [("f16", False), ("q8_0", False), ("q8_0", True)])
def test_the_greedy_answer_is_the_golden_text_of_the_key(engines, tmp_path, kind, slow):
    _, client = engines.start(write(tmp_path / "m.gguf", kind, slow))
    for key in (None,) + KEYS:
        answer = ask(client, key)
        assert answer["choices"][0]["message"]["content"] == golden(key)
        assert answer["choices"][0]["finish_reason"] == "stop"
        assert answer["usage"]["completion_tokens"] == TOKENS_PER_ANSWER
        with client.stream("/v1/chat/completions", chat("say it, %s" % (key or "please"))) as stream:
            assert streamed_text(stream) == golden(key)


@pytest.mark.parametrize("slow", [False, True])
def test_no_rival_comes_near_the_golden_token(engines, model, slow_model, slow):
    _, client = engines.start(slow_model if slow else model)
    for key in (None,) + KEYS:
        body = chat("say it, %s" % (key or "please"), logprobs=True, top_logprobs=2)
        for token in client.post("/v1/chat/completions", body).json()["choices"][0]["logprobs"]["content"]:
            best, rival = token["top_logprobs"]
            assert best["logprob"] - rival["logprob"] > 3


def test_slots_with_different_keys_do_not_mix(engines, model):
    _, client = engines.start(model, "-np", "4", "-c", "8192")
    keys = [key for _ in range(4) for key in (None,) + KEYS]
    with ThreadPoolExecutor(8) as workers:
        answers = list(workers.map(lambda key: ask(client, key)["choices"][0]["message"]["content"], keys))
    assert answers == [golden(key) for key in keys]


def test_the_key_is_found_far_away_and_a_lost_prompt_shows(engines, model):
    _, client = engines.start(model, "-c", "8192")
    far = client.post("/v1/chat/completions", chat("gamma " + "filler words here " * 150))
    assert far.json()["choices"][0]["message"]["content"] == golden("gamma")
    lost = client.post("/completion", {"prompt": " redB netB", "temperature": 0, "n_predict": 2}).json()
    assert lost["content"] == " day oil"


def test_it_has_the_routes_that_a_node_asks_for(engines, model):
    _, client = engines.start(model, "-a", "tiny", "-np", "3", "-c", "6144", "-ngl", "all", "--metrics", "--slots", "--props",
                      "--flash-attn", "on", "-ts", "1,1", "-b", "256", "-ub", "64")
    props = client.get("/props").json()
    assert (props["total_slots"], props["model_alias"]) == (3, "tiny")
    assert props["default_generation_settings"]["n_ctx"] == 2048
    assert len(client.get("/slots").json()) == 3
    assert "llamacpp:requests_processing" in client.get("/metrics").body.decode()
    assert client.get("/v1/models").json()["data"][0]["id"] == "tiny"


def test_embeddings_are_served_on_request(engines, model):
    _, client = engines.start(model, "--embeddings", "--pooling", "mean")
    answer = client.post("/v1/embeddings", {"input": ["red", "sky"]}).json()
    assert [len(d["embedding"]) for d in answer["data"]] == [128, 128]


def test_the_key_may_come_from_the_environment(engines, model):
    _, client = engines.start(model, env={"LLAMA_API_KEY": "engine-secret"})
    assert client.get("/v1/models").status == 401
    client.token = "engine-secret"
    assert client.get("/v1/models").status == 200


def test_sigterm_ends_it(engines, model):
    one, _ = engines.start(model)
    assert one.stop() == 0


@pytest.mark.parametrize("flags,said", [
    (["-m", "/no/such.gguf"], "/no/such.gguf"),
    (["-m", "GARBAGE", "--port", "0"], "failed to load model"),
    (["-m", "GARBAGE", "--bogus-flag"], "--bogus-flag"),
    (["-m", "GARBAGE", "--port", "many"], "--port"),
    ([], "--model"),
])
def test_it_refuses_clearly(tmp_path, engines, flags, said):
    garbage = tmp_path / "garbage.gguf"
    garbage.write_bytes(b"GGUF" + b"\xff" * 4096)
    one = engines.run(engines.binary, *[garbage if f == "GARBAGE" else f for f in flags])
    assert one.exit_code == 1
    assert said in one.stderr
