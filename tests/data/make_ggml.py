"""Makes tests/data/ggml.json: hashes of what GGML's own quantizers write and read.

    python tests/data/make_ggml.py path/to/libggml-base.so

Needs numpy and GGML's base library as it is built for x86-64 by default, without FMA (made with the
one in llama-cpp-python 0.3.36). Where compilers contract, as on arm64, its bytes differ.

"decode": by type, the first 16 digits of the SHA-256 of the floats that blocks of random bytes are
read as (every NaN as 0x7FC00000). "encode": by type and kind of rows, that of the blocks without
importance, with it, and with one that is zero for some columns; "" where GGML refuses. The rows are
made from integers and powers of two only: src/quant/ggml_rows.h makes the same ones.
"""

import ctypes
import hashlib
import json
import pathlib
import sys

import numpy as np

# id, elements and bytes of a block, name of the decoder
TYPES = {
    "Q4_0": (2, 32, 18, "q4_0"),
    "Q4_1": (3, 32, 20, "q4_1"),
    "Q5_0": (6, 32, 22, "q5_0"),
    "Q5_1": (7, 32, 24, "q5_1"),
    "Q8_0": (8, 32, 34, "q8_0"),
    "Q2_K": (10, 256, 84, "q2_K"),
    "Q3_K": (11, 256, 110, "q3_K"),
    "Q4_K": (12, 256, 144, "q4_K"),
    "Q5_K": (13, 256, 176, "q5_K"),
    "Q6_K": (14, 256, 210, "q6_K"),
    "Q8_K": (15, 256, 292, "q8_K"),
    "IQ2_XXS": (16, 256, 66, "iq2_xxs"),
    "IQ2_XS": (17, 256, 74, "iq2_xs"),
    "IQ3_XXS": (18, 256, 98, "iq3_xxs"),
    "IQ1_S": (19, 256, 50, "iq1_s"),
    "IQ4_NL": (20, 32, 18, "iq4_nl"),
    "IQ3_S": (21, 256, 110, "iq3_s"),
    "IQ2_S": (22, 256, 82, "iq2_s"),
    "IQ4_XS": (23, 256, 136, "iq4_xs"),
    "IQ1_M": (29, 256, 56, "iq1_m"),
    "TQ1_0": (34, 256, 54, "tq1_0"),
    "TQ2_0": (35, 256, 66, "tq2_0"),
    "MXFP4": (39, 32, 17, "mxfp4"),
    "NVFP4": (40, 64, 36, "nvfp4"),
    "Q1_0": (41, 128, 18, "q1_0"),
    "Q2_0": (42, 64, 18, "q2_0"),
}
READ_ONLY = ("Q8_K",)
NEED_IMPORTANCE = ("IQ2_XXS", "IQ2_XS", "IQ1_S", "IQ1_M")
DECODED_BLOCKS = 40
COLUMNS = 512
ROWS = 8


class Random:
    """A linear congruential generator of 64 bits, of which the upper ones are used."""

    def __init__(self, seed):
        self.state = seed

    def bits(self, count):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return self.state >> (64 - count)

    def bell(self):
        """An integer below 2^23 in size, about normal."""
        return sum(self.bits(22) for _ in range(4)) - 2**23


def scaled(integer, exponent):
    return np.ldexp(np.float32(integer), exponent)


# Element i of a row of each kind.
KINDS = {
    "normal": lambda i, r: scaled(r.bell(), -27),
    "zeros": lambda i, r: np.float32(0),
    "outlier": lambda i, r: np.float32(50) if i % 256 == 77 else scaled(r.bell(), -33),
    "equal": lambda i, r: np.float32(-0.4375 if i // 512 % 2 else 0.4375),
    "subnormal": lambda i, r: scaled(r.bell(), -150),
    "tiny": lambda i, r: scaled(r.bell(), -123),
    "huge": lambda i, r: scaled(r.bell(), -7),
    "alternating": lambda i, r: scaled(abs(r.bell()) * (-1 if i % 2 else 1), -24),
    "ties": lambda i, r: scaled(r.bits(10) % 61 - 30, -2 - i // 64 % 4),
    "positive": lambda i, r: scaled(abs(r.bell()) + 2**17, -23),
    "zero runs": lambda i, r: np.float32(0)
    if i // 16 % 3 == 1 or i // 256 % 4 == 2
    else scaled(r.bell(), -25),
    "digits": lambda i, r: scaled(r.bits(8) % 3 - 1, -5),
    "wide": lambda i, r: scaled(r.bell(), -20 - r.bits(5)),
}


def rows(kind):
    random = Random(len(kind))
    count = ROWS * COLUMNS
    return np.array([KINDS[kind](i, random) for i in range(count)], np.float32)


def importance(with_zeros):
    random = Random(7)
    values = np.array([scaled(random.bits(20) + 1, -18) for _ in range(COLUMNS)], np.float32)
    if with_zeros:
        values[np.arange(COLUMNS) // 32 % 5 == 3] = 0
    return values


def digest(array):
    return hashlib.sha256(array.tobytes()).hexdigest()[:16]


def pointer(array):
    return None if array is None else array.ctypes.data_as(ctypes.c_void_p)


def decode(library, kind):
    number, elements, size, name = TYPES[kind]
    random = Random(number)
    blocks = np.array([random.bits(8) for _ in range(DECODED_BLOCKS * size)], np.uint8)
    values = np.zeros(DECODED_BLOCKS * elements, np.float32)
    function = getattr(library, "dequantize_row_" + name)
    function(pointer(blocks), pointer(values), ctypes.c_int64(len(values)))
    bits = values.view(np.uint32)
    bits[np.isnan(values)] = 0x7FC00000
    return digest(bits)


def encode(library, kind, values, weights):
    if weights is None and kind in NEED_IMPORTANCE:
        return ""
    number, elements, size, _ = TYPES[kind]
    blocks = np.zeros(len(values) // elements * size, np.uint8)
    written = library.ggml_quantize_chunk(
        ctypes.c_int(number),
        pointer(values),
        pointer(blocks),
        ctypes.c_int64(0),
        ctypes.c_int64(ROWS),
        ctypes.c_int64(COLUMNS),
        pointer(weights),
    )
    assert written == len(blocks), kind
    return digest(blocks)


def main():
    library = ctypes.CDLL(sys.argv[1])
    library.ggml_quantize_chunk.restype = ctypes.c_size_t
    given = (None, importance(False), importance(True))
    data = {kind: rows(kind) for kind in KINDS}
    result = {
        "decode": {kind: decode(library, kind) for kind in TYPES},
        "encode": {
            kind: {name: [encode(library, kind, values, w) for w in given] for name, values in data.items()}
            for kind in TYPES
            if kind not in READ_ONLY
        },
    }
    path = pathlib.Path(__file__).parent / "ggml.json"
    path.write_text(json.dumps(result, indent=1) + "\n")


main()
