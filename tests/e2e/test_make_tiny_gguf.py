"""The model generator, without an engine."""
import hashlib

import make_tiny_gguf
import pytest

SHA256 = {
    ("f16", False): "c50c5756565377c3adcf162edd8ee39482c0e72675f9757c1c043b9ce6455ef5",
    ("q8_0", False): "5b933c0b224ac9d14138462128d5f64e3e762e92ee93dfe8b655945f82c56b5c",
    ("q8_0", True): "d576176c06f59e53aac4580b53db9eadd7444260a2a8a7abee5b7a932225c4c6",
}


@pytest.mark.parametrize("kind,slow", SHA256)
def test_same_arguments_give_the_same_bytes(kind, slow):
    assert hashlib.sha256(make_tiny_gguf.model_bytes(kind, slow)).hexdigest() == SHA256[kind, slow]


def test_every_key_has_its_own_text():
    texts = {key: make_tiny_gguf.golden(key) for key in (None,) + make_tiny_gguf.KEYS}
    assert len(set(texts.values())) == 5
    assert texts["beta"].startswith(" redB netB dayB")
    for text in texts.values():
        assert len(text.split()) == make_tiny_gguf.TOKENS_PER_ANSWER - 1 == len(set(text.split()))


def test_an_unknown_key_is_refused():
    with pytest.raises(ValueError, match="omega"):
        make_tiny_gguf.golden("omega")


def test_the_command_line_prints_and_writes_the_same(tmp_path, capsys):
    assert make_tiny_gguf.main(["--print-golden", "--key", "gamma"]) == 0
    assert capsys.readouterr().out == make_tiny_gguf.golden("gamma") + "\n"
    assert make_tiny_gguf.main([str(tmp_path / "m.gguf")]) == 0
    assert hashlib.sha256((tmp_path / "m.gguf").read_bytes()).hexdigest() == SHA256["f16", False]
    assert [p.name for p in tmp_path.iterdir()] == ["m.gguf"]
