"""Golden files for the GGUF container, written by the packages that define it.

    pip install gguf numpy
    python tests/data/make_gguf.py LIBGGML_BASE LLAMA_GGUF_SPLIT

LIBGGML_BASE is llama.cpp's libggml-base.so, which reads a file and writes it anew (llama_*.gguf);
LLAMA_GGUF_SPLIT its tool, which makes the set. The rest of tests/data/gguf/*.gguf is gguf-py's.
cases.json tells of each file its keys (type and value), alignment and tensors (name, type, ggml's
dimensions, offset in the file, SHA-256 of the bytes), as gguf-py reads them.
"""

import ctypes
import hashlib
import json
import pathlib
import subprocess
import sys

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import GGUFValueType as Value

FOLDER = pathlib.Path(__file__).parent / "gguf"
LONGEST_NAME = "a" * 63


def add_keys(writer):
    writer.add_uint8("t.u8", 200)
    writer.add_int8("t.i8", -100)
    writer.add_uint16("t.u16", 60000)
    writer.add_int16("t.i16", -30000)
    writer.add_uint32("t.u32", 4_000_000_000)
    writer.add_int32("t.i32", -2_000_000_000)
    writer.add_float32("t.f32", 0.1)
    writer.add_bool("t.yes", True)
    writer.add_bool("t.no", False)
    writer.add_string("t.str", "héllo\n\"quoted\" 漢")
    writer.add_key_value("t.empty", "", Value.STRING)
    writer.add_uint64("t.u64", 2**64 - 1)
    writer.add_int64("t.i64", -(2**63))
    writer.add_float64("t.f64", 0.1)
    writer.add_key_value("t.u8s", bytes(range(5)), Value.ARRAY, Value.UINT8)
    writer.add_key_value("t.i32s", [1, -2, 3], Value.ARRAY, Value.INT32)
    writer.add_key_value("t.f32s", [0.5, -0.25], Value.ARRAY, Value.FLOAT32)
    writer.add_key_value("t.strs", ["a", "", "a longer text than fits in place"], Value.ARRAY)
    writer.add_key_value("t.bools", [True, False], Value.ARRAY)


def add_tensors(writer, seed, every_type):
    random = np.random.default_rng(seed)

    def block(name, shape, type_):
        per_block, size = gguf.GGML_QUANT_SIZES[type_]
        stored = (*shape[:-1], shape[-1] // per_block * size)
        writer.add_tensor(name, random.integers(0, 256, stored, dtype=np.uint8), raw_dtype=type_)

    writer.add_tensor("z.weight", random.standard_normal((3, 5)).astype(np.float32))
    writer.add_tensor("a.weight", random.standard_normal((2, 3, 7)).astype(np.float16))
    writer.add_tensor("a.bias", random.standard_normal(1).astype(np.float32))
    writer.add_tensor(LONGEST_NAME, random.integers(-9, 9, (1, 1, 2, 3), dtype=np.int8))
    block("q.weight", (3, 64), Type.Q4_0)
    if every_type:
        for type_ in Type:
            if type_ not in (Type.F32, Type.F16, Type.I8):
                block(f"t.{type_.name}", (2, 256), type_)


def write(name, alignment=None, tensors=True, every_type=False):
    path = FOLDER / f"{name}.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    if alignment:
        writer.add_custom_alignment(alignment)
    add_keys(writer)
    if tensors:
        add_tensors(writer, len(name), every_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    if tensors:
        writer.write_tensors_to_file()
    writer.close()
    return path


def rewrite(library, source):
    """The header that llama.cpp writes after reading `source`, with source's data behind it."""

    class Params(ctypes.Structure):
        _fields_ = [("no_alloc", ctypes.c_bool), ("context", ctypes.POINTER(ctypes.c_void_p))]

    library.gguf_init_from_file.restype = ctypes.c_void_p
    library.gguf_init_from_file.argtypes = [ctypes.c_char_p, Params]
    library.gguf_write_to_file.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_bool]
    context = library.gguf_init_from_file(str(source).encode(), Params(True, None))
    path = FOLDER / f"llama_{source.name}"
    assert library.gguf_write_to_file(context, str(path).encode(), True)
    with open(path, "ab") as out:
        out.write(source.read_bytes()[gguf.GGUFReader(source).data_offset :])
    return path


def describe_key(field):
    kind = field.types[0]
    if kind == Value.ARRAY:
        element = field.types[1].name if len(field.types) > 1 else "?"
        return [f"{element}[]", field.contents()]
    return [kind.name, field.contents()]


def describe(path):
    reader = gguf.GGUFReader(path)
    keys = {
        name: describe_key(field)
        for name, field in reader.fields.items()
        if not name.startswith("GGUF.")
    }
    tensors = [
        {
            "name": tensor.name,
            "type": tensor.tensor_type.name,
            "ne": [int(n) for n in tensor.shape],
            "offset": int(tensor.data_offset),
            "sha256": hashlib.sha256(np.ascontiguousarray(tensor.data).tobytes()).hexdigest(),
        }
        for tensor in reader.tensors
    ]
    return {"alignment": int(reader.alignment), "keys": keys, "tensors": tensors}


def main():
    FOLDER.mkdir(exist_ok=True)
    library = ctypes.CDLL(sys.argv[1])
    paths = [write("plain"), write("every_type", every_type=True), write("no_tensors", tensors=False)]
    paths += [write(f"aligned_{alignment}", alignment) for alignment in (8, 64, 4096)]
    paths += [rewrite(library, path) for path in list(paths)]
    # The same bytes are of version 2 as well.
    version2 = FOLDER / "version2.gguf"
    content = bytearray((FOLDER / "plain.gguf").read_bytes())
    content[4] = 2
    version2.write_bytes(content)
    paths.append(version2)
    subprocess.run(
        [sys.argv[2], "--split", "--split-max-tensors", "2", FOLDER / "plain.gguf", FOLDER / "set"],
        check=True,
    )
    paths += sorted(FOLDER.glob("set-*.gguf"))
    cases = {path.name: describe(path) for path in paths}
    (FOLDER / "cases.json").write_text(json.dumps(cases, indent=1, allow_nan=False) + "\n")


if __name__ == "__main__":
    main()
