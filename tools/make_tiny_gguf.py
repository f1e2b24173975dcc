#!/usr/bin/env python3
"""Write a tiny GGUF model whose greedy answer is known in advance and depends on a key word in the prompt.

    make_tiny_gguf.py tiny.gguf                    1.0 MB, f16, 2 layers
    make_tiny_gguf.py --type q8_0 tiny.gguf        0.9 MB
    make_tiny_gguf.py --slow slow.gguf             5.7 MB, q8_0, 200 narrow layers: a few hundred tokens a second
    make_tiny_gguf.py --print-golden --key beta    the answer to a prompt that holds the word "beta"

Nothing is downloaded or trained: every number derives from SEED, so the same arguments give the same bytes on any machine.
Run the engine with one thread: with more, synchronising them costs far more than the arithmetic of so small a model.

What the model answers. A chat at temperature 0 yields 64 words in a fixed order and then the end of turn (65 tokens, finish
reason "stop"). A key word anywhere in the context (alpha, beta, gamma, delta) picks how each word is spelled: " red" without
a key, " redB" behind beta. The words already written do not carry the key, so a continuation that lost its prompt goes on in
the plain spelling, and a repeated or lost token shows in the word order. With several keys the last of KEYS wins.

How that is put into weights (llama architecture, no bias vectors):

    hidden dim 0       the constant 1 in every embedding, never written to by a layer: column 0 of the output matrix is a
                       per-token bias that keeps everything but words and the end of turn from being sampled.
    hidden dims 1..4   which key was seen; zero but for the key tokens, and closed to the random projections too.
    the other dims     a random sign vector per word, shared by its spellings. The output row of a word is that of its
                       predecessor, so the successor's logit is GAIN and every other is noise.
    layer 0, head 0    finds the key: its query is the constant, its keys and values read dims 1..4 alone, so a key token
                       scores 16 or more and any other token 0. It turns with the slowest rotary pair at base 1e9, so
                       distance does not matter. What it finds is written to dims 1..4, twice as strong.
    output             five rows per word, alike but for the bias: the plain one 0, the others -GAIN and 2 GAIN more behind
                       their key. The end of turn gets GAIN behind any key.
    all other weights  small random numbers: attention, rotation and feed-forward really run but hardly disturb the rest.
"""
import argparse
import struct
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

SEED = 1
GAIN = 8.0
NOISE = 0.08
DISTINCT_LAYERS = 8
CONTEXT = 8192
ALIGNMENT = 32

WORDS = ("and ant arm art bat bed bee big box bus can car cat cow cup day dog dot ear egg elm fan fig fox gas gem hat hen ice "
         "ink jam jar jet key kit lab leg log map mix net nut oak oil owl pan pen pie rat red rug sea sky sun tea tin toy urn "
         "van wax web yak zip zoo").split()
KEYS = ("alpha", "beta", "gamma", "delta")
TOKENS_PER_ANSWER = len(WORDS) + 1

SPACE = "\u2581"  # how a SentencePiece vocabulary spells a space
VOCABULARY_SIZE = 800
UNKNOWN, BEGIN, END, TURN_END = 0, 1, 2, 260
FIRST_FREE_DIM = 1 + len(KEYS)

CHAT_TEMPLATE = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")

# Value types, tensor types and token types of the GGUF format.
U32, I32, F32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
TENSOR_F32, TENSOR_F16, TENSOR_Q8_0 = 0, 1, 8
FILE_TYPE = {"f16": 1, "q8_0": 7}
NORMAL, UNKNOWN_TYPE, CONTROL, BYTE = 1, 2, 3, 6


@dataclass(frozen=True)
class Shape:
    """The sizes of a model. head_size must be even and at least len(KEYS); q8_0 needs embd and ff in multiples of 32."""

    embd: int = 128
    ff: int = 256
    heads: int = 4
    kv_heads: int = 2
    layers: int = 2

    @property
    def head_size(self):
        return self.embd // self.heads


TINY = Shape()
SLOW = Shape(embd=64, ff=64, heads=2, kv_heads=1, layers=200)


class Random:
    """SplitMix64, seeded per tensor by the FNV-1a hash of its name."""

    MASK = (1 << 64) - 1

    def __init__(self, name):
        state = 0xCBF29CE484222325
        for byte in name.encode():
            state = ((state ^ byte) * 0x100000001B3) & self.MASK
        self.state = state ^ (SEED * 0x9E3779B97F4A7C15 & self.MASK)

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & self.MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & self.MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & self.MASK
        return z ^ (z >> 31)

    def row(self, size, scale):
        """`size` numbers in [-scale, scale]."""
        words = b"".join(struct.pack("<Q", self.next()) for _ in range((size + 7) // 8))
        return [max(-127, b) * scale / 127.0 for b in struct.unpack("<%db" % len(words), words)[:size]]


class Vocabulary:
    """Token texts and types, and which token is which word in which spelling.

    SentencePiece merges pairs of pieces, so a word is only reachable if every prefix of it is a piece too.
    """

    def __init__(self):
        self.texts, self.types, self.ids = [], [], {}
        self._add("<unk>", UNKNOWN_TYPE)
        self._add("<s>", CONTROL)
        self._add("</s>", CONTROL)
        for byte in range(256):
            self._add("<0x%02X>" % byte, BYTE)
        self._add("<|im_start|>", CONTROL)
        self._add("<|im_end|>", CONTROL)
        for text in [SPACE] + [chr(c) for c in range(0x21, 0x7F)] + ["\n"]:
            self._add(text, NORMAL)
        for word in WORDS:
            self._add_with_prefixes(SPACE + word)
        for key in KEYS:
            self._add_with_prefixes(key)
            self._add_with_prefixes(SPACE + key)
            for word in WORDS:
                self._add_with_prefixes(SPACE + word + key[0].upper())
        while len(self.texts) < VOCABULARY_SIZE:
            self._add("<|unused_%d|>" % len(self.texts), CONTROL)

    def _add(self, text, kind):
        self.ids[text] = len(self.texts)
        self.texts.append(text)
        self.types.append(kind)

    def _add_with_prefixes(self, text):
        for end in range(1, len(text) + 1):
            if text[:end] not in self.ids:
                self._add(text[:end], NORMAL)

    def spelling(self, word, key=None):
        return self.ids[SPACE + word + (key[0].upper() if key else "")]


def answer_order():
    """The words in the order the model writes them."""
    order, random = list(WORDS), Random("order")
    for i in range(len(order) - 1, 0, -1):
        j = random.next() % (i + 1)
        order[i], order[j] = order[j], order[i]
    return order


def golden(key=None):
    """The text of a greedy chat answer to a prompt that holds `key` (None: holds no key word)."""
    if key is not None and key not in KEYS:
        raise ValueError("key is %r, not one of %s" % (key, ", ".join(KEYS)))
    return "".join(" " + word + (key[0].upper() if key else "") for word in answer_order())


def embedding_rows(vocab, shape):
    """One sign vector per word, shared by its spellings, and one for all other tokens."""
    random = Random("token_embd.weight")
    signs = [[1.0] + [0.0] * len(KEYS) + [1.0 if v >= 0 else -1.0 for v in random.row(shape.embd, 1.0)[FIRST_FREE_DIM:]]
             for _ in range(len(WORDS) + 1)]
    rows = [list(signs[-1]) for _ in vocab.texts]
    for i, word in enumerate(WORDS):
        for key in (None,) + KEYS:
            rows[vocab.spelling(word, key)] = list(signs[i])
    for j, key in enumerate(KEYS):
        for text in (key, SPACE + key):
            rows[vocab.ids[text]][1 + j] = 1.0
    return rows


def output_rows(vocab, shape, embedding):
    rows = [[-30.0] + [0.0] * (shape.embd - 1) for _ in vocab.texts]
    gain = GAIN / (shape.embd - FIRST_FREE_DIM)

    def follow(predecessor, bias):
        return [bias] + [0.0] * len(KEYS) + [gain * v for v in embedding[predecessor][FIRST_FREE_DIM:]]

    predecessor = vocab.ids["\n"]  # no word: the walk starts
    for word in answer_order():
        rows[vocab.spelling(word)] = follow(predecessor, 0.0)
        for j, key in enumerate(KEYS):
            row = follow(predecessor, -GAIN)
            row[1 + j] = GAIN
            rows[vocab.spelling(word, key)] = row
        predecessor = vocab.spelling(word)
    rows[TURN_END] = follow(predecessor, 0.0)
    rows[TURN_END][1:FIRST_FREE_DIM] = [GAIN / 2] * len(KEYS)
    return rows


def key_finder(shape):
    """The entries of layer 0, head 0 that are not zero: {tensor: {(row, column): value}}."""
    keys = range(len(KEYS))
    return {
        "blk.0.attn_q.weight": {(shape.head_size - 2, 0): 8.0},
        "blk.0.attn_k.weight": {(shape.head_size - 2, 1 + j): (2 + j) * shape.head_size**0.5 for j in keys},
        "blk.0.attn_v.weight": {(j, 1 + j): 1.0 for j in keys},
        "blk.0.attn_output.weight": {(1 + j, j): 2.0 for j in keys},
    }


def encode_q8_0(row):
    """Blocks of 32: an f16 scale, then 32 signed bytes."""
    out = b""
    for start in range(0, len(row), 32):
        block = row[start:start + 32]
        scale = struct.unpack("<e", struct.pack("<e", max(map(abs, block)) / 127.0))[0]
        quants = [max(-127, min(127, round(v / scale))) for v in block] if scale else [0] * 32
        out += struct.pack("<e32b", scale, *quants)
    return out


ENCODE = {
    TENSOR_F32: lambda row: struct.pack("<%df" % len(row), *row),
    TENSOR_F16: lambda row: struct.pack("<%de" % len(row), *row),
    TENSOR_Q8_0: encode_q8_0,
}


def encode(rows, kind):
    return b"".join(map(ENCODE[kind], rows))


@lru_cache(maxsize=None)
def random_matrix(name, shape, n_out, n_in, to_residual, kind):
    random = Random(name)
    scale = NOISE / shape.layers if to_residual else NOISE
    rows = [random.row(n_in, scale) for _ in range(n_out)]
    if to_residual:
        rows[:FIRST_FREE_DIM] = [[0.0] * n_in for _ in range(FIRST_FREE_DIM)]
    entries = key_finder(shape).get(name)
    if entries:
        for row in rows if to_residual else rows[:shape.head_size]:
            width = shape.head_size if to_residual else n_in
            row[:width] = [0.0] * width
        for (r, c), value in entries.items():
            rows[r][c] = value
    return encode(rows, kind)


def layer_tensors(layer, shape, weight_type):
    """Yields (name, dims, type, data). Only the first DISTINCT_LAYERS differ; deeper ones repeat them, but never layer 0."""
    embd, ff, kv = shape.embd, shape.ff, shape.head_size * shape.kv_heads
    source = layer if layer < DISTINCT_LAYERS else 1 + (layer - 1) % (DISTINCT_LAYERS - 1)
    for norm in ("attn_norm", "ffn_norm"):
        yield "blk.%d.%s.weight" % (layer, norm), [embd], TENSOR_F32, encode([[1.0] * embd], TENSOR_F32)
    for part, n_out, n_in, to_residual in (
            ("attn_q", embd, embd, False), ("attn_k", kv, embd, False), ("attn_v", kv, embd, False),
            ("attn_output", embd, embd, True), ("ffn_gate", ff, embd, False), ("ffn_up", ff, embd, False),
            ("ffn_down", embd, ff, True)):
        data = random_matrix("blk.%d.%s.weight" % (source, part), shape, n_out, n_in, to_residual, weight_type)
        yield "blk.%d.%s.weight" % (layer, part), [n_in, n_out], weight_type, data


def tensors(vocab, shape, weight_type):
    """Yields (name, dims, type, data), dims fastest first. Norms must be f32; the output matrix stays f32 beside q8_0."""
    embedding, output_type = embedding_rows(vocab, shape), TENSOR_F16 if weight_type == TENSOR_F16 else TENSOR_F32
    dims = [shape.embd, len(vocab.texts)]
    yield "token_embd.weight", dims, weight_type, encode(embedding, weight_type)
    yield "output_norm.weight", [shape.embd], TENSOR_F32, encode([[1.0] * shape.embd], TENSOR_F32)
    yield "output.weight", dims, output_type, encode(output_rows(vocab, shape, embedding), output_type)
    for layer in range(shape.layers):
        yield from layer_tensors(layer, shape, weight_type)


def string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def scalar(kind, value):
    return string(value) if kind == STRING else struct.pack({U32: "<I", I32: "<i", F32: "<f", BOOL: "<?"}[kind], value)


def entry(key, kind, value):
    if not isinstance(value, list):
        return string(key) + struct.pack("<I", kind) + scalar(kind, value)
    return string(key) + struct.pack("<IIQ", ARRAY, kind, len(value)) + b"".join(scalar(kind, v) for v in value)


def metadata(vocab, shape, weight_type_name, name):
    return [
        entry("general.architecture", STRING, "llama"),
        entry("general.name", STRING, name),
        entry("general.alignment", U32, ALIGNMENT),
        entry("general.file_type", U32, FILE_TYPE[weight_type_name]),
        entry("general.quantization_version", U32, 2),
        entry("llama.vocab_size", U32, len(vocab.texts)),
        entry("llama.context_length", U32, CONTEXT),
        entry("llama.embedding_length", U32, shape.embd),
        entry("llama.block_count", U32, shape.layers),
        entry("llama.feed_forward_length", U32, shape.ff),
        entry("llama.attention.head_count", U32, shape.heads),
        entry("llama.attention.head_count_kv", U32, shape.kv_heads),
        entry("llama.attention.layer_norm_rms_epsilon", F32, 1e-5),
        entry("llama.rope.dimension_count", U32, shape.head_size),
        entry("llama.rope.freq_base", F32, 1e9),
        entry("tokenizer.ggml.model", STRING, "llama"),
        entry("tokenizer.ggml.pre", STRING, "default"),
        entry("tokenizer.ggml.tokens", STRING, vocab.texts),
        # The pair with the highest score is merged first: longer pieces win.
        entry("tokenizer.ggml.scores", F32, [float(len(t)) if k == NORMAL else 0.0 for t, k in zip(vocab.texts, vocab.types)]),
        entry("tokenizer.ggml.token_type", I32, vocab.types),
        entry("tokenizer.ggml.bos_token_id", U32, BEGIN),
        entry("tokenizer.ggml.eos_token_id", U32, END),
        entry("tokenizer.ggml.eot_token_id", U32, TURN_END),
        entry("tokenizer.ggml.unknown_token_id", U32, UNKNOWN),
        entry("tokenizer.ggml.padding_token_id", U32, END),
        entry("tokenizer.ggml.add_bos_token", BOOL, True),
        entry("tokenizer.ggml.add_eos_token", BOOL, False),
        entry("tokenizer.ggml.add_space_prefix", BOOL, False),
        entry("tokenizer.chat_template", STRING, CHAT_TEMPLATE),
    ]


def padded(data):
    return data + b"\0" * (-len(data) % ALIGNMENT)


def model_bytes(weight_type_name="f16", slow=False):
    """The whole file. GGUF 3: header, metadata, tensor descriptions, then aligned tensor data."""
    shape, vocab = SLOW if slow else TINY, Vocabulary()
    weight_type = {"f16": TENSOR_F16, "q8_0": TENSOR_Q8_0}[weight_type_name]
    descriptions, blobs, offset = [], [], 0
    for name, dims, kind, data in tensors(vocab, shape, weight_type):
        descriptions.append(string(name) + struct.pack("<I%dQIQ" % len(dims), len(dims), *dims, kind, offset))
        blobs.append(padded(data))
        offset += len(blobs[-1])
    meta = metadata(vocab, shape, weight_type_name, "llama-orch-slow" if slow else "llama-orch-tiny")
    header = b"GGUF" + struct.pack("<IQQ", 3, len(descriptions), len(meta))
    return padded(header + b"".join(meta) + b"".join(descriptions)) + b"".join(blobs)


def write(path, weight_type_name="f16", slow=False):
    """Writes the model beside `path` first and renames it, so that a reader never sees half a file."""
    path = Path(path)
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(model_bytes(weight_type_name, slow))
    partial.replace(path)
    return path


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", nargs="?", help="file to write")
    parser.add_argument("--type", choices=sorted(FILE_TYPE), help="weights; default f16, with --slow q8_0")
    parser.add_argument("--slow", action="store_true", help="deep and narrow: for cancelling, queueing and draining")
    parser.add_argument("--print-golden", action="store_true", help="print the greedy chat answer and exit")
    parser.add_argument("--key", choices=KEYS, help="the key word in the prompt, for --print-golden")
    options = parser.parse_args(arguments)
    if options.print_golden:
        print(golden(options.key))
        return 0
    if options.out is None:
        parser.error("name the file to write")
    path = write(options.out, options.type or ("q8_0" if options.slow else "f16"), options.slow)
    print("%s: %d bytes" % (path, path.stat().st_size))
    return 0


if __name__ == "__main__":
    sys.exit(main())
