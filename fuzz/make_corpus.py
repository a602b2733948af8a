"""Writes the seed corpus: corpus/<target>/<name>. Python's standard library only.

    python3 fuzz/make_corpus.py

Inputs that once broke something are added below with a word on what they broke.
"""

import json
import pathlib
import shutil
import struct

FOLDER = pathlib.Path(__file__).parent / "corpus"


def write(target, files):
    folder = FOLDER / target
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


# --- json ----------------------------------------------------------------------------------------

JSON = {
    "scalars": '[null,true,false,0,-1,1.5,1e3,"x"]',
    "integers": "[18446744073709551615,-9223372036854775808,18446744073709551616,9007199254740993]",
    "spellings": "[1.0,1E+03,-0.0,0.10,3.141592653589793238462643383279,5e-324]",
    "overflow": "1e999",
    "minus_zero": "[-0]",
    "escapes": '"\\u0000\\u00e9\\ud83d\\ude00\\/\\b\\f\\n\\r\\t\\"\\\\"',
    "surrogate": '"\\ud800"',
    "utf8": '"é日本\U0001f600"',
    "bad_utf8": b'"\xff\xc0\xaf\xed\xa0\x80"',
    "bom": b"\xef\xbb\xbf{}",
    "nul": b"{}\x00",
    "duplicate": '{"a":1,"\\u0061":2}',
    "nested": "[" * 60 + "]" * 60,
    "too_deep": "[" * 300,
    "objects": '{"z":{"y":{"x":[]}},"a":{}}',
    "cut": '{"a": [1, 2',
    "trailing": "{} {}",
    "comment": "{/* */}",
    "infinity": "[Infinity]",
    "many_keys": json.dumps({str(i * 7919): i for i in range(64)}),
}

# --- safetensors ---------------------------------------------------------------------------------


def raw(text, data, length=None):
    text = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(name, dtype, shape, begin, end):
    return f'"{name}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{begin},{end}]}}'


def wrap(entries, size):
    return raw("{" + ",".join(entries) + "}", bytes(size))


A = entry("a", "F32", "[2]", 0, 8)
ALL = ["BOOL", "F4", "F6_E2M3", "F6_E3M2", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "I16", "U16", "F16", "BF16",
       "I32", "U32", "F32", "C64", "F64", "I64", "U64"]
BITS = [8, 4, 6, 6, 8, 8, 8, 8, 8, 16, 16, 16, 16, 32, 32, 32, 64, 64, 64, 64]


def every_dtype():
    entries, end = [], 0
    for dtype, bits in reversed(list(zip(ALL, BITS))):
        entries.append(entry(f"t.{dtype}", dtype, "[4,2]", end, end + bits))
        end += bits
    return wrap(entries, end)


SAFETENSORS = {
    "good": wrap([A], 8),
    "empty": b"",
    "seven_bytes": b"\x02" + bytes(6),
    "length_zero": raw("{}", b"", 0),
    "length_beyond": raw("{}", b"", 3),
    "length_huge": raw("{}", b"", 2**63),
    "length_max": raw("{}", b"", 2**64 - 1),
    "no_tensors": raw("{}", b""),
    "every_dtype": every_dtype(),
    "metadata": wrap(['"__metadata__":{"format":"pt","é":"\\n"}', A], 8),
    "metadata_null": wrap(['"__metadata__":null', A], 8),
    "metadata_number": wrap(['"__metadata__":{"k":1}', A], 8),
    "metadata_twice": wrap(['"__metadata__":{}', A, '"__metadata__":{}'], 8),
    "leading_space": raw(" {" + A + "}", bytes(8)),
    "trailing": raw("{" + A + "}x", bytes(8)),
    "padded": raw("{" + A + "}   ", bytes(8)),
    "duplicate": wrap([A, entry("\\u0061", "F32", "[2]", 8, 16)], 16),
    "duplicate_field": raw('{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}', bytes(8)),
    "unknown_field": raw('{"a":{"x":[{"y":[]}],"dtype":"F32","shape":[2],"data_offsets":[0,8],"z":1}}', bytes(8)),
    "unknown_dtype": wrap([entry("a", "F12", "[2]", 0, 8)], 8),
    "shape_negative": wrap([entry("a", "U8", "[-4]", 0, 4)], 4),
    "shape_fraction": wrap([entry("a", "U8", "[4.0]", 0, 4)], 4),
    "shape_nested": wrap([entry("a", "U8", "[[4]]", 0, 4)], 4),
    "shape_rank9": wrap([entry("a", "U8", "[1,1,1,1,1,1,1,1,4]", 0, 4)], 4),
    "shape_overflow": wrap([entry("a", "U8", "[4294967296,4294967296]", 0, 4)], 4),
    "shape_zero_overflow": wrap([entry("a", "U8", "[4,9223372036854775808,0]", 0, 0)], 0),
    "scalar": wrap([entry("a", "F32", "[]", 0, 4)], 4),
    "zero_size": wrap([entry("a", "F32", "[0]", 0, 0), entry("b", "U8", "[1]", 0, 1)], 1),
    "reversed": wrap([entry("a", "U8", "[4]", 4, 0)], 4),
    "beyond": wrap([entry("a", "U8", "[5]", 0, 5)], 4),
    "offsets_three": raw('{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4,4]}}', bytes(4)),
    "wrong_size": wrap([entry("a", "F32", "[2]", 0, 4)], 4),
    "overlap": wrap([entry("a", "U8", "[4]", 0, 4), entry("b", "U8", "[4]", 3, 7)], 7),
    "hole": wrap([entry("a", "U8", "[4]", 0, 4), entry("b", "U8", "[1]", 5, 6)], 6),
    "misaligned": wrap([entry("a", "U8", "[1]", 0, 1), entry("b", "F32", "[1]", 1, 5)], 5),
    "behind": wrap([A], 9),
    "half_byte": wrap([entry("a", "F4", "[3]", 0, 1)], 1),
    "name_empty": wrap([entry("", "U8", "[1]", 0, 1)], 1),
    "name_nul": wrap([entry("a\\u0000", "U8", "[1]", 0, 1)], 1),
    "name_odd": wrap([entry("\\n\\u001b\u202e", "U8", "[1]", 0, 1)], 1),
    "missing_shape": raw('{"a":{"dtype":"U8","data_offsets":[0,4]}}', bytes(4)),
    "entry_number": raw('{"a":1}', b""),
    "entry_nested": raw('{"a":{"dtype":{"b":[]},"shape":{},"data_offsets":[[],{}]}}', b""),
    "deep": raw('{"a":{"x":' + "[" * 100, b""),
    "lfs": "version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 5\n",
    "html": "<!DOCTYPE html><html></html>",
    "zip": b"PK\x03\x04" + bytes(40),
    "pickle": b"\x80\x02}q\x01.",
    "gguf": b"GGUF\x03" + bytes(20),
}

# --- config --------------------------------------------------------------------------------------

MODULES = {"m": 0, "up": 1, "lm_head": 2, "": 3}
SUFFIXES = {"weight": 0, "scales": 1, "biases": 2, "bias": 3, "global_scale": 4, "": 5}
DTYPES = {name: i for i, name in enumerate(ALL)}


def array(module, suffix, dtype, shape, shift=0):
    dims = (list(shape) + [0, 0, 0, 0])[:4]
    return bytes([MODULES[module] << 4 | SUFFIXES[suffix], DTYPES[dtype], len(shape), *dims, shift])


def affine(module, weight, scales, dtype="BF16"):
    return (array(module, "weight", "U32", weight) + array(module, "scales", dtype, scales)
            + array(module, "biases", dtype, scales))


def fp(module, weight, scales):
    return array(module, "weight", "U32", weight) + array(module, "scales", "U8", scales)


def config(quantization, arrays=b""):
    return json.dumps({"quantization": quantization}).encode() + b"\x00" + arrays


CONFIG = {
    "none": b"{}",
    "affine": config({"group_size": 64, "bits": 4, "mode": "affine"}, affine("m", [2, 8], [2, 1])),
    "experts": config({"group_size": 128, "bits": 6}, affine("up", [4, 3, 24], [4, 3, 1], "F32")),
    "override": config({"group_size": 64, "bits": 4, "lm_head": {"group_size": 32, "bits": 8}},
                       affine("m", [2, 8], [2, 1]) + affine("lm_head", [2, 8], [2, 1])),
    "null_group": config({"group_size": 64, "bits": 4, "m": {"group_size": None, "bits": 8}},
                         affine("m", [2, 16], [2, 1])),
    "mxfp4": config({"group_size": 32, "bits": 4, "mode": "mxfp4"}, fp("m", [2, 8], [2, 2])),
    "mxfp8": config({"group_size": 32, "bits": 8, "mode": "mxfp8"}, fp("m", [2, 8], [2, 1])),
    "nvfp4": config({"group_size": 16, "bits": 4, "mode": "nvfp4"}, fp("m", [2, 8], [2, 4])),
    "unlisted_fp": config({"group_size": 64, "bits": 4}, fp("m", [2, 8], [2, 2])),
    "global_scale": config({"group_size": 16, "bits": 4, "mode": "nvfp4"},
                           fp("m", [2, 8], [2, 4]) + array("m", "global_scale", "F32", [1])),
    "false": config({"group_size": 64, "bits": 4, "m": False}, affine("m", [2, 8], [2, 1])),
    "true": config({"group_size": 64, "bits": 4, "m": True}, affine("m", [2, 8], [2, 1])),
    "no_block": b"{}\x00" + affine("m", [2, 8], [2, 1]),
    "no_biases": config({"group_size": 64, "bits": 4}, fp("m", [2, 8], [2, 1])),
    "listed_without_scales": config({"group_size": 64, "bits": 4, "m": {}}, array("m", "weight", "BF16", [2, 64])),
    "wrong_rows": config({"group_size": 64, "bits": 4}, affine("m", [2, 9], [2, 1])),
    "overflow": config({"group_size": 64, "bits": 4},
                       array("m", "weight", "U32", [1, 8]) + array("m", "scales", "BF16", [1, 1], 59)
                       + array("m", "biases", "BF16", [1, 1], 59)),
    "zero_rows": config({"group_size": 64, "bits": 4}, affine("m", [2, 0], [2, 0])),
    "bad_bits": config({"group_size": 64, "bits": 7}, affine("m", [2, 8], [2, 1])),
    "bad_group": config({"group_size": -64, "bits": 4}, affine("m", [2, 8], [2, 1])),
    "bad_mode": config({"mode": "awq"}, affine("m", [2, 8], [2, 1])),
    "gptq": json.dumps({"quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 128}}),
    "nameless": config({"group_size": 64, "bits": 4}, affine("", [2, 8], [2, 1])),
}


# --- journal -------------------------------------------------------------------------------------

# A journal of two records as lbrx writes it (Python has no XXH3 for its checksums).
JOURNAL_BYTES = bytes.fromhex(
    "4c4252584a4e4c31170000007b22706c616e223a223030222c2262616e6473223a327d1e6b3c2f0d7a46a700000000000000"
    "0034120000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000032edee8d44f910d50100000000000000351200000000000001000000000000000100000000000000400000"
    "000000000000000000000000000000000000000000000000000000000089692c97a52ff063"
)
RECORD = 72


def changed(at):
    """The journal with one byte changed."""
    out = bytearray(JOURNAL_BYTES)
    out[at] ^= 0x40
    return bytes(out)


JOURNAL = {
    "good": JOURNAL_BYTES,
    "header_only": JOURNAL_BYTES[: -2 * RECORD],
    "one_record": JOURNAL_BYTES[:-RECORD],
    "torn_record": JOURNAL_BYTES[:-1],
    "torn_header": JOURNAL_BYTES[: -2 * RECORD - 1],
    "damaged_record": changed(-RECORD),
    "damaged_first_record": changed(-2 * RECORD),
    "damaged_checksum": changed(-1),
    "damaged_header": changed(14),
    "damaged_length": changed(8),
    "huge_length": JOURNAL_BYTES[:8] + b"\xff" * 4 + JOURNAL_BYTES[12:],
    "other_magic": b"LBRXJNL0" + JOURNAL_BYTES[8:],
    "magic_only": b"LBRXJNL1",
    "zeros_behind": JOURNAL_BYTES + bytes(3 * RECORD),
    "empty": b"",
}


def main():
    write("json", JSON)
    write("safetensors", SAFETENSORS)
    write("config", CONFIG)
    write("journal", JOURNAL)


main()
