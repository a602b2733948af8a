"""llama.cpp's tools and its library of block types, as tools/peers.sh built them."""

import ctypes
import os
import re
import struct
import subprocess

import numpy as np

from gguf_file import BLOCKS
from support import ROOT

BIN = ROOT / "build/peers/llama.cpp/bin"
CONTEXT = 128  # tokens that perplexities are measured over at once


def tool(name, *arguments, text=""):
    """Runs a program with `text` as its input; what it printed. A failure carries what it said."""
    command = [str(BIN / name), *map(str, arguments)]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
    said = done.stderr.decode(errors="replace")
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit {done.returncode}\n{said[-2000:]}")
    return done.stdout.decode(errors="replace") + said


def file_types():
    """What llama-quantize makes, aliases left out."""
    rows = re.findall(r"^ +\d+ +or +(\w+) +:(.*)$", tool("llama-quantize", "--help"), re.MULTILINE)
    return [name for name, rest in rows if not rest.startswith(" alias")]


def quantize(source, target, file_type, *options):
    tool("llama-quantize", *options, source, target, file_type, 1)


def perplexity(model, text_file, *options):
    """As it is printed."""
    said = tool("llama-perplexity", "-m", model, "-f", text_file, "-c", CONTEXT, "-t", 1, *options)
    found = re.search(r"Final estimate: PPL = (\S+) ", said)
    assert found, said
    return found[1]


def token_ids(model, text, *options):
    said = tool("llama-tokenize", "-m", model, "--stdin", "--ids", "--log-disable", *options,
                text=text)
    return [int(number) for number in re.findall(r"\d+", said[: said.index("]")])]


def log_probabilities(model, text_file, folder):
    """(ids of the tokens of each chunk, log probabilities after each token of its second half)."""
    path = folder / "logits.bin"
    perplexity(model, text_file, "-ctk", "f32", "-ctv", "f32", "-fa", "off", "--kl-divergence-base",
               path)
    data = path.read_bytes()
    assert data[:8] == b"_logits_"
    context, vocabulary, chunks = struct.unpack_from("<iii", data, 8)
    tokens = np.frombuffer(data, np.int32, context * chunks, 20).reshape(chunks, context)
    # Of a token: scale and least value as float32, a code of 16 bits for each of the vocabulary.
    rows = np.frombuffer(data, np.uint16, offset=20 + tokens.nbytes)
    rows = rows.reshape(chunks, context - 1 - context // 2, -1)
    scale, least = np.moveaxis(np.ascontiguousarray(rows[..., :4]).view(np.float32), -1, 0)
    codes = rows[..., 4 : 4 + vocabulary].astype(np.float32)
    return tokens, codes * scale[..., None] + least[..., None]


class Ggml:
    """Block types of the library, by the number that GGUF has for them."""

    DECODERS = {2: "q4_0", 3: "q4_1", 6: "q5_0", 7: "q5_1", 8: "q8_0", 10: "q2_K", 11: "q3_K",
                12: "q4_K", 13: "q5_K", 14: "q6_K", 16: "iq2_xxs", 17: "iq2_xs", 18: "iq3_xxs",
                19: "iq1_s", 20: "iq4_nl", 21: "iq3_s", 22: "iq2_s", 23: "iq4_xs", 29: "iq1_m",
                34: "tq1_0", 35: "tq2_0", 39: "mxfp4", 40: "nvfp4", 41: "q1_0", 42: "q2_0"}

    def __init__(self):
        suffix = "dylib" if os.uname().sysname == "Darwin" else "so"
        self.library = ctypes.CDLL(str(BIN / f"libggml-base.{suffix}"))
        self.library.ggml_quantize_chunk.restype = ctypes.c_size_t
        self.library.ggml_quantize_requires_imatrix.restype = ctypes.c_bool

    def needs_importance(self, kind):
        return self.library.ggml_quantize_requires_imatrix(ctypes.c_int(kind))

    def encode(self, kind, values, importance=None):
        """Of a float32 matrix, the blocks."""
        rows, columns = values.shape
        elements, size = BLOCKS[kind]
        blocks = np.zeros(values.size // elements * size, np.uint8)
        written = self.library.ggml_quantize_chunk(
            ctypes.c_int(kind), _pointer(values), _pointer(blocks), ctypes.c_int64(0),
            ctypes.c_int64(rows), ctypes.c_int64(columns), _pointer(importance))
        assert written == blocks.size
        return blocks.tobytes()

    def decode(self, kind, blocks):
        elements, size = BLOCKS[kind]
        values = np.zeros(blocks.size // size * elements, np.float32)
        function = getattr(self.library, "dequantize_row_" + self.DECODERS[kind])
        function(_pointer(blocks), _pointer(values), ctypes.c_int64(values.size))
        return values


def _pointer(array):
    return None if array is None else array.ctypes.data_as(ctypes.c_void_p)
