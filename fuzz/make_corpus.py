"""Writes the seed corpus: corpus/<target>/<name>. Python's standard library only.

    python3 fuzz/make_corpus.py

Inputs that once broke something are added below with a word on what they broke. What fuzzing found
of new ground lies beside them under names that libFuzzer gave (40 hexadecimal digits), and stays.
"""

import json
import pathlib
import re
import struct
import zlib

import corpus_models
import corpus_text

FOLDER = pathlib.Path(__file__).parent / "corpus"


def write(target, files):
    folder = FOLDER / target
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if not re.fullmatch("[0-9a-f]{40}", path.name):
            path.unlink()
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


# --- torch ---------------------------------------------------------------------------------------


def text(value):
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def name(module, attribute):
    return f"c{module}\n{attribute}\n".encode()


def integers(*values):
    return b"(" + b"".join(b"K" + bytes([value]) for value in values) + b"t"


def torch_tensor(offset, shape, stride, storage="FloatStorage", key="0", elements=6, more=b""):
    return (name("torch._utils", "_rebuild_tensor_v3" if more else "_rebuild_tensor_v2") + b"(("
            + text("storage") + name("torch", storage) + text(key) + text("cpu")
            + b"K" + bytes([elements]) + b"tQK" + bytes([offset]) + integers(*shape)
            + integers(*stride) + b"\x89" + name("collections", "OrderedDict") + b")R" + more + b"tR")


def pickled(items):
    return b"\x80\x02}(" + b"".join(text(key) + value for key, value in items.items()) + b"u."


def archive(pickle, storages=(bytes(24),), root="m", crc=False, more=()):
    """A ZIP archive; without CRCs, which would keep a fuzzer out of the pickle."""
    members = [("data.pkl", pickle), ("byteorder", b"little"), ("version", b"3\n"), *more]
    members += [(f"data/{i}", data) for i, data in enumerate(storages)]
    out, directory = b"", b""
    for member, data in members:
        path = f"{root}/{member}".encode()
        figures = struct.pack("<III", zlib.crc32(data) if crc else 0, len(data), len(data))
        directory += (b"PK\x01\x02" + bytes(12) + figures + struct.pack("<H", len(path)) + bytes(12)
                      + struct.pack("<I", len(out)) + path)
        out += b"PK\x03\x04" + bytes(10) + figures + struct.pack("<HH", len(path), 0) + path + data
    return (out + directory + b"PK\x05\x06" + bytes(4)
            + struct.pack("<HHIIH", len(members), len(members), len(directory), len(out), 0))


def legacy(pickle, data=struct.pack("<q", 6) + bytes(24), key="0"):
    return (bytes.fromhex("80028a0a6cfc9c46f9206aa850192e") + b"\x80\x02M\xe9\x03."
            + pickled({"little_endian": b"\x88"}) + pickle + b"\x80\x02](" + text(key) + b"e." + data)


WEIGHT = torch_tensor(0, [2, 3], [3, 1])
STATE = pickled({"w": WEIGHT, "t": torch_tensor(0, [3, 2], [1, 3]), "s": torch_tensor(5, [], []),
                 "e": torch_tensor(0, [2, 3], [0, 1]), "n": torch_tensor(0, [0, 3], [3, 1])})
TORCH = {
    "zip": archive(STATE),
    "zip_crc": archive(STATE, crc=True),
    "legacy": legacy(STATE),
    "v3": archive(pickled({"w": torch_tensor(0, [3], [1], "UntypedStorage", "0", 24,
                                             name("torch", "float8_e5m2"))})),
    "nested": archive(pickled({"epoch": b"K\x05", "model": b"}" + text("a") + b"}" + text("b")
                               + WEIGHT + b"ss"})),
    "parameter": archive(pickled({"w": name("torch._utils", "_rebuild_parameter") + b"(" + WEIGHT
                                  + b"\x88" + name("collections", "OrderedDict") + b")RtR"})),
    "pairs": archive(b"\x80\x02" + name("collections", "OrderedDict") + b"(](](U\x01w" + WEIGHT + b"eetR."),
    "metadata": archive(STATE[:-1] + b"}" + text("_metadata") + b"}sb."),
    "memo": archive(b"\x80\x04\x95" + struct.pack("<Q", 30) + b"}q\x00\x94(\x8c\x01wh\x00\x93u."),
    "protocol4": archive(b"\x80\x04}\x94(\x8c\x01w\x94\x8c\x0ctorch._utils\x94\x8c\x12_rebuild_tensor_v2"
                         b"\x94\x93\x94(" + WEIGHT[WEIGHT.index(b"((") + 1:] + b"u."),
    "scalars": archive(pickled({"a": b"N", "b": b"G" + bytes(8), "c": b"J" + bytes(4), "d": b"C\x02ab",
                                "e": b"\x8a\x03abc", "f": b"]", "g": b"\x8f(K\x01\x90", "w": WEIGHT})),
    "view": legacy(STATE.replace(b"K\x06tQ", b"K\x06(" + text("v") + b"K\x02K\x04ttQ")),
    "system": archive(b"\x80\x02" + name("os", "system") + b"(" + text("id") + b"tR."),
    "system_legacy": b"\x80\x02" + name("os", "system") + b"(" + text("id") + b"tR.",
    "self": archive(b"\x80\x02}q\x01" + text("a") + b"h\x01s" + text("w") + WEIGHT + b"s."),
    "outside": archive(pickled({"w": torch_tensor(1, [2, 3], [3, 1])})),
    "quantized": archive(pickled({"w": torch_tensor(0, [2], [1], "QInt8Storage")})),
    "no_storage": archive(STATE, ()),
    "script": archive(STATE, more=[("constants.pkl", b"N.")]),
    "cut": archive(STATE)[:-30],
    "trailing": legacy(STATE) + b"more",
}

# --- repair --------------------------------------------------------------------------------------

# Three layers, so that siblings tell about each other; then one damage each.
LAYERS = [f"model.layers.{i}.mlp.{part}_proj.weight" for i in range(3) for part in ("down", "up")]
SOUND = wrap([entry(name, "BF16", "[4,2]", 16 * i, 16 * i + 16) for i, name in enumerate(LAYERS)], 16 * len(LAYERS))


def poked(at, byte):
    out = bytearray(SOUND)
    out[at] = byte
    return bytes(out)


def at(text, shift=0):
    return SOUND.index(text.encode()) + shift


# Found by fuzzing; stands in the header twice.
TORN = (b'ta_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],' + b"\x95" * 25 + b"tjgg" + b"\x95" * 25
        + b'"data_offsets":[2,6]},"c":{"dtype":"U8","shape":[4],"' + b"\x01" + bytes(6) + b"\x01" + b"data_offsets")

REPAIR = {
    "sound": SOUND,
    "cut": SOUND[:-20],
    "cut_header": SOUND[:200],
    "behind": SOUND + bytes(5),
    "length_zero": bytes(8) + SOUND[8:],
    "length_huge": b"\xff" * 8 + SOUND[8:],
    "first_brace": poked(8, 0x3B),
    "name": poked(at("layers.1", 7), 0x39),
    "name_not_utf8": poked(at("layers.1", 2), 0xF9),
    "dtype": poked(at("BF16"), 0x43),
    "shape": poked(at("[4,2]", 1), 0x35),
    "shape_comma": poked(at("[4,2]", 2), 0x2E),
    "offset": poked(at("[16,32]", 1), 0x37),
    "quote": poked(at('"dtype"'), 0x23),
    "brace": poked(at("]},", 1), 0x5D),
    "comma": poked(at("},", 1), 0x2E),
    "zeroed": SOUND[:20] + bytes(150) + SOUND[170:],
    "overlap": wrap([entry("a", "U8", "[4]", 0, 4), entry("b", "U8", "[4]", 2, 6), entry("c", "U8", "[4]", 4, 8)], 8),
    "config": '{"a": 1, "b": {"c": [1, 2, }, "d": 3',
    # Its last member was kept beside the first of that name.
    "config_twice": '{"b": 1, "a": 2, "b": 3, ',
    # Its data began behind the end of the file.
    "start_behind_end": raw('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}  ', b"", 3)[:-1],
    # Of the entries that name the same bytes the last was distrusted instead of all.
    "tied_overlap": raw(b'{"a":{"dtype":"U8","shape":[4],"da"a":{"dtype":"U8","shape":[4],"da' + TORN + TORN
                        + b'":[4,8]}}', bytes(8), 0x9D),
    "index": '{"metadata": {"total_size": 5}, "weight_map": {"a": "x.safetensors", "b": "y.saf',
}

# --- prequantized --------------------------------------------------------------------------------

PREQUANTIZED = {}
SUFFIXES = [
    ".weight", ".qweight", ".qzeros", ".scales", ".g_idx", ".weight_scale_inv", ".weight_scale",
    ".weight_packed", ".weight_shape", ".weight_zero_point", ".weight_global_scale",
    ".weight.absmax", ".weight.quant_map", ".weight.nested_absmax", ".weight.nested_quant_map",
    ".weight.quant_state.bitsandbytes__nf4", ".weight.quant_state.bitsandbytes__fp4", ".SCB",
    ".weight_format", "_blocks", "_scales", ".input_scale", ".weight_g_idx", "",
]  # fmt: skip
TYPES = ["BOOL", "F4", "F6_E2M3", "F6_E3M2", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "I16",
         "U16", "F16", "BF16", "I32", "U32", "F32", "C64", "F64", "I64", "U64"]  # fmt: skip


def quantized(name, block, *arrays):
    """An array: suffix, dtype, shape, and its content or a byte that fills it."""
    text = json.dumps({"dtype": "bfloat16", "quantization_config": block})
    records, data = b"", b""
    for suffix, dtype, shape, content in arrays:
        dims = list(shape)
        shift = 0
        while dims and dims[-1] > 255:
            dims[-1], shift = dims[-1] // 2, shift + 1
        records += bytes([SUFFIXES.index(suffix), TYPES.index(dtype), len(dims)])
        records += bytes((dims + [0] * 4)[:4]) + bytes([shift])
        width = {"U": 8, "I": 8, "F": 8}[dtype[0]] if dtype[1] == "8" else int(dtype.lstrip("BFUI"))
        size = width // 8
        for dim in shape:
            size *= dim
        data += bytes([content]) * size if isinstance(content, int) else content
    PREQUANTIZED[name] = text.encode() + b"\0" + bytes([len(arrays)]) + records + data


for bits in (2, 3, 4, 8):
    quantized(
        f"gptq{bits}",
        {"quant_method": "gptq", "bits": bits, "group_size": 32},
        (".qweight", "I32", [2 * bits, 32], 0x5A),
        (".scales", "F16", [2, 32], 0x22),
        (".qzeros", "I32", [2, bits], 0x77),
        (".g_idx", "I32", [64], b"\1\0\0\0\0\0\0\0" * 32),
    )
quantized(
    "gptq_index",
    {"quant_method": "gptq", "bits": 4, "group_size": 32, "checkpoint_format": "gptq_v2"},
    (".qweight", "I32", [8, 32], 0x5A),
    (".scales", "F16", [2, 32], 0x22),
    (".qzeros", "I32", [2, 4], 0x77),
    (".g_idx", "I32", [64], b"\2\0\0\0" * 64),
)
quantized(
    "awq",
    {"quant_method": "awq", "bits": 4, "group_size": 32, "version": "gemm"},
    (".qweight", "I32", [64, 4], 0x5A),
    (".scales", "F16", [2, 32], 0x22),
    (".qzeros", "I32", [2, 4], 0x77),
)
quantized(
    "fp8",
    {"quant_method": "fp8", "weight_block_size": [16, 24]},
    (".weight", "F8_E4M3", [40, 64], 0x3A),
    (".weight_scale_inv", "F32", [3, 3], 0x3C),
    (".input_scale", "F32", [1], 0x3C),
)
quantized(
    "mxfp4",
    {"quant_method": "mxfp4"},
    ("_blocks", "U8", [2, 8, 2, 16], 0x5A),
    ("_scales", "U8", [2, 8, 2], 0x7C),
)


def compressed(form, **weights):
    return {
        "quant_method": "compressed-tensors",
        "format": form,
        "config_groups": {"group_0": {"weights": weights}},
    }


quantized(
    "ct_int3",
    compressed("pack-quantized", num_bits=3, type="int", strategy="group", group_size=32,
               symmetric=False),
    (".weight_packed", "I32", [10, 6], 0x5A),
    (".weight_scale", "BF16", [10, 2], 0x3C),
    (".weight_shape", "I64", [2], struct.pack("<QQ", 10, 64)),
    (".weight_zero_point", "I32", [1, 2], 0x77),
)
quantized(
    "ct_fp8",
    compressed("float-quantized", num_bits=8, type="float", strategy="channel"),
    (".weight", "F8_E4M3", [10, 64], 0x3A),
    (".weight_scale", "BF16", [10, 1], 0x3C),
)
# Exponents as scales of another 8-bit float: values once took the scales' type.
quantized(
    "ct_fp8_exponents",
    compressed("float-quantized", num_bits=8, type="float", strategy="channel"),
    (".weight", "F8_E5M2", [10, 64], 0x3A),
    (".weight_scale", "F8_E8M0", [10, 1], 0x7C),
)
quantized(
    "ct_nvfp4",
    compressed("nvfp4-pack-quantized", num_bits=4, type="float", strategy="tensor_group",
               group_size=16),
    (".weight_packed", "U8", [10, 32], 0x5A),
    (".weight_scale", "F8_E4M3", [10, 4], 0x3A),
    (".weight_global_scale", "F32", [1], 0x44),
)
for double in (False, True):
    state = {"quant_type": "nf4", "blocksize": 64, "dtype": "bfloat16", "shape": [6, 96]}
    if double:
        state |= {"nested_blocksize": 256, "nested_dtype": "float32", "nested_offset": 0.125}
    state = json.dumps(state).encode().ljust(160)
    absmax = (".weight.absmax", "U8" if double else "F32", [9], 0x3C)
    nested = (
        (".weight.nested_absmax", "F32", [1], 0x3C),
        (".weight.nested_quant_map", "F32", [256], 0x3C),
    )
    quantized(
        "nf4_double" if double else "nf4",
        {"quant_method": "bitsandbytes", "load_in_4bit": True},
        (".weight", "U8", [144, 2], 0x5A),
        absmax,
        *(nested if double else ()),
        (".weight.quant_map", "F32", [16], 0x3C),
        (".weight.quant_state.bitsandbytes__nf4", "U8", [160], state),
    )
quantized(
    "int8",
    {"quant_method": "bitsandbytes", "load_in_8bit": True},
    (".weight", "I8", [6, 40], 0x5A),
    (".SCB", "F32", [6], 0x3C),
    (".weight_format", "U8", [1], 0),
)

# --- gguf ----------------------------------------------------------------------------------------

GGUF = {}


def text(value):
    return struct.pack("<Q", len(value)) + value.encode()


def gguf_key(name, type_, value):
    return text(name) + struct.pack("<I", type_) + value


def gguf_array(name, type_, count, elements):
    return gguf_key(name, 9, struct.pack("<IQ", type_, count) + elements)


def gguf_tensor(name, ne, type_, offset):
    return text(name) + struct.pack(f"<I{len(ne)}QIQ", len(ne), *ne, type_, offset)


def gguf(name, keys=(), tensors=(), data=b"", version=3, alignment=32, counts=None):
    out = b"GGUF" + struct.pack("<IQQ", version, *(counts or (len(tensors), len(keys))))
    out += b"".join(keys) + b"".join(tensors)
    if tensors:
        out += bytes(-len(out) % alignment)
    GGUF[name] = out + data


SCALARS = [
    gguf_key(f"k{type_}", type_, value)
    for type_, value in enumerate(
        (b"\1", b"\xff", b"\1\2", b"\xff\xff", b"\1\2\3\4", b"\xff" * 4, b"\0\0\x80\x3f", b"\1")
    )
] + [gguf_key("k8", 8, text("text")), gguf_key("k10", 10, b"\1" * 8), gguf_key("k12", 12, bytes(8))]
ARRAYS = [
    gguf_array("numbers", 5, 3, struct.pack("<3i", 1, -2, 3)),
    gguf_array("texts", 8, 2, text("a") + text("")),
    gguf_array("none", 8, 0, b""),
]
TWO = (gguf_tensor("a", [8], 0, 0), gguf_tensor("b", [32, 2], 2, 32))
gguf("empty_file")
gguf("scalars", SCALARS)
gguf("arrays", ARRAYS)
gguf("two", SCALARS + ARRAYS, TWO, bytes(32 + 64))
gguf("unpadded", [], TWO, bytes(32 + 36))
gguf("version2", SCALARS, TWO, bytes(96), version=2)
gguf("aligned", [gguf_key("general.alignment", 4, struct.pack("<I", 64))],
     (gguf_tensor("a", [8], 0, 0), gguf_tensor("b", [8], 0, 64)), bytes(128), alignment=64)
gguf("bad_alignment", [gguf_key("general.alignment", 4, struct.pack("<I", 48))], TWO, bytes(96))
gguf("overlap", [], (gguf_tensor("a", [8], 0, 0), gguf_tensor("b", [8], 0, 0)), bytes(64))
gguf("hole", [], (gguf_tensor("a", [8], 0, 32),), bytes(64))
gguf("cut", [], TWO, bytes(40))
gguf("zero_dimension", [], (gguf_tensor("a", [2**63, 2, 0], 0, 0),), bytes(64))
gguf("many_dimensions", [], (gguf_tensor("a", [1] * 5, 0, 0),), bytes(64))
gguf("removed_type", [], (gguf_tensor("a", [32], 4, 0),), bytes(64))
gguf("duplicates", [SCALARS[0], SCALARS[0]])
gguf("nested", [gguf_array("a", 9, 1, gguf_array("", 4, 1, bytes(4))[12:])])
gguf("counts", counts=(2**63, 2**64 - 1))
gguf("set", [gguf_key("split.no", 2, b"\0\0"), gguf_key("split.count", 2, b"\2\0"),
             gguf_key("split.tensors.count", 5, b"\2\0\0\0")], TWO[:1], bytes(32))
GGUF["swapped"] = b"FUGG" + GGUF["two"][4:]
# --- imatrix -------------------------------------------------------------------------------------

# The GGUF form: what the tests have, of a few hundred bytes each.
IMATRIX = {
    path.stem: path.read_bytes()
    for path in sorted((FOLDER.parent.parent / "tests/data/imatrix").glob("*.gguf"))
    if path.stat().st_size < 1024
}


def dat(*entries, count=None, tail=b""):
    """The older form; an entry is a name, its calls and its values."""
    out = struct.pack("<i", len(entries) if count is None else count)
    for name, calls, values in entries:
        out += struct.pack("<i", len(name)) + name
        out += struct.pack(f"<ii{len(values)}f", calls, len(values), *values)
    return out + tail


ENTRY = (b"blk.0.attn_q.weight", 3, (1.0, 0.0, 2.5))
IMATRIX |= {
    "dat": dat(ENTRY, (b"a", 1, (4.0,)), tail=struct.pack("<ii", 3, 5) + b"a.txt"),
    "dat_no_tail": dat(ENTRY),
    "dat_no_dataset": dat(ENTRY, tail=struct.pack("<i", 3)),
    "dat_cut": dat(ENTRY)[:-2],
    "dat_count": dat(ENTRY, count=1 << 30),
    "dat_twice": dat(ENTRY, ENTRY),
    "dat_zero_calls": dat((b"a", 0, (1.0,))),
    "dat_nan": dat((b"a", 1, (float("nan"),))),
    "dat_name_length": struct.pack("<ii", 1, -1) + bytes(32),
    "dat_behind": dat(ENTRY, tail=struct.pack("<iii", 3, 0, 7)),
}


def main():
    write("json", JSON)
    write("safetensors", SAFETENSORS)
    write("torch", TORCH)
    write("gguf", GGUF)
    write("config", CONFIG)
    write("journal", JOURNAL)
    write("repair", REPAIR)
    write("prequantized", PREQUANTIZED)
    write("imatrix", IMATRIX)
    write("tokenizer", corpus_text.TOKENIZER)
    write("merge_config", corpus_text.MERGE_CONFIG)
    write("yaml", corpus_text.YAML)
    write("patterns", corpus_text.PATTERNS)
    write("names", corpus_text.NAMES)
    write("front_matter", corpus_text.FRONT_MATTER)
    write("sentencepiece", corpus_text.SENTENCEPIECE)
    write("folder", corpus_models.FOLDER)
    write("adapter", corpus_models.ADAPTER)
    write("plan", corpus_models.PLAN)
    write("merge_tokenizer", corpus_models.MERGE_TOKENIZER)
    write("gguf_model", corpus_models.GGUF_MODEL)


main()
