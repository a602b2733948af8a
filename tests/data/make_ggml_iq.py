#!/usr/bin/env python3
"""Writes ggml_iq.json: hashes of what ggml makes of rows that src/quant/schemes/ggml/test_iq_inputs.h
makes in the same way, and of what it reads from random blocks.

    make_ggml_iq.py .../libggml-base.so ggml_iq.json

The library must be built for x86-64 without FMA, as its own releases are. The file in this folder
was made with the ggml of llama-cpp-python 0.3.36.
"""

import ctypes
import hashlib
import json
import sys

import numpy as np

ROWS, COLUMNS = 3, 1024
TYPES = {"IQ2_XXS": 16, "IQ2_XS": 17, "IQ3_XXS": 18, "IQ1_S": 19, "IQ4_NL": 20, "IQ3_S": 21,
         "IQ2_S": 22, "IQ4_XS": 23, "IQ1_M": 29}
NEED_IMPORTANCE = {"IQ2_XXS", "IQ2_XS", "IQ1_S"}
RANDOM_BLOCKS = 8


class Random:
    def __init__(self, seed):
        self.state = (seed * 0x9E3779B97F4A7C15 + 1) % 2**64

    def bits(self):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return self.state >> 32

    def normal(self):
        """About normal, an integer within 2^22."""
        return sum(self.bits() >> 11 for _ in range(4)) - 2**22


def kept(i):
    return i // 256 % 2 == 0 and i // 32 % 4 != 2 and i // 16 % 8 != 1


# Name, value of element i as integer and power of two.
INPUTS = [
    ("normal", lambda i, r: (r.normal(), -25)),
    ("zeros", lambda i, r: (0, 0)),
    ("outlier", lambda i, r: (3, 0) if i % 256 == 77 else (r.normal(), -31)),
    ("equal", lambda i, r: (3 if i // COLUMNS % 2 == 0 else -3, -3)),
    ("denormal", lambda i, r: (r.normal(), -149)),
    ("tiny", lambda i, r: (r.normal(), -121)),
    ("huge", lambda i, r: (r.normal(), -6)),
    ("alternating", lambda i, r: (abs(r.normal()) * (1 - 2 * (i % 2)), -25)),
    ("ties", lambda i, r: (r.bits() % 61 - 30, -2)),
    ("ternary", lambda i, r: (r.bits() % 3 - 1, -1)),
    ("zero blocks", lambda i, r: (r.normal() if kept(i) else 0, -25)),
    ("mixed", lambda i, r: (r.normal(), -20 - (i // 32 * 7) % 20)),
]


def row_values(index):
    random = Random(index + 1)
    function = INPUTS[index][1]
    pairs = [function(i, random) for i in range(ROWS * COLUMNS)]
    return np.array([np.ldexp(float(m), e) for m, e in pairs]).astype(np.float32)


def importance():
    random = Random(99)
    out = []
    for c in range(COLUMNS):
        value = random.bits() % 1000 + 1
        out.append(0 if c % 37 == 0 or c // 32 % 11 == 5 else value / 256)
    return np.array(out, dtype=np.float32)


def random_blocks(name, size):
    random = Random(200 + TYPES[name])
    blocks = np.array([random.bits() >> 24 for _ in range(RANDOM_BLOCKS * size)], dtype=np.uint8)
    blocks = blocks.reshape(RANDOM_BLOCKS, size)
    blocks[:, 55 if name == "IQ1_M" else 1] &= 0xBF  # a finite scale
    return blocks


class Traits(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("block", ctypes.c_int64),
                ("interleave", ctypes.c_int64), ("size", ctypes.c_size_t),
                ("quantized", ctypes.c_bool), ("to_float", ctypes.c_void_p),
                ("from_float", ctypes.c_void_p)]


class Ggml:
    def __init__(self, path):
        self.lib = ctypes.CDLL(path)
        self.lib.ggml_get_type_traits.restype = ctypes.POINTER(Traits)
        self.lib.ggml_quantize_chunk.restype = ctypes.c_size_t

    def traits(self, type_id):
        return self.lib.ggml_get_type_traits(type_id).contents

    def encode(self, type_id, values, columns, weights=None):
        traits = self.traits(type_id)
        self.lib.ggml_quantize_init(type_id)
        out = np.zeros(len(values) // traits.block * traits.size, dtype=np.uint8)
        pointer = ctypes.c_void_p(None if weights is None else weights.ctypes.data)
        self.lib.ggml_quantize_chunk(
            type_id, ctypes.c_void_p(values.ctypes.data), ctypes.c_void_p(out.ctypes.data),
            ctypes.c_int64(0), ctypes.c_int64(len(values) // columns), ctypes.c_int64(columns),
            pointer)
        return out

    def decode(self, type_id, blocks):
        traits = self.traits(type_id)
        values = np.zeros(blocks.size // traits.size * traits.block, dtype=np.float32)
        to_float = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)(
            traits.to_float)
        to_float(blocks.ctypes.data, values.ctypes.data, len(values))
        return values


def digest(array):
    return hashlib.sha256(array.tobytes()).hexdigest()[:16]


def main():
    ggml = Ggml(sys.argv[1])
    weights = importance()
    encoded, decoded = [], []
    for name, type_id in TYPES.items():
        blocks = random_blocks(name, ggml.traits(type_id).size)
        decoded.append({"type": name, "values": digest(ggml.decode(type_id, blocks))})
        for index, (kind, _) in enumerate(INPUTS):
            values = row_values(index)
            for used in [weights] if name in NEED_IMPORTANCE else [None, weights]:
                out = ggml.encode(type_id, values, COLUMNS, used)
                encoded.append({"type": name, "input": kind, "importance": used is not None,
                                "blocks": digest(out), "values": digest(ggml.decode(type_id, out))})
    with open(sys.argv[2], "w", encoding="ascii") as out:
        rows = lambda items: ",\n".join(json.dumps(item) for item in items)
        out.write('{"encode": [\n%s\n],\n"decode": [\n%s\n]}\n' % (rows(encoded), rows(decoded)))


if __name__ == "__main__":
    main()
