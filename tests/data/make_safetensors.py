"""Golden files for the safetensors reader and layout, written by the safetensors package itself.

    pip install safetensors==0.8.0
    python tests/data/make_safetensors.py

Writes tests/data/safetensors/<case>.safetensors and cases.json, which tells what each file holds in
the order in which it was handed to the library (not in that of the file).
"""

import ctypes
import json
import pathlib
import random

import safetensors
from safetensors import TensorSpec, serialize

FOLDER = pathlib.Path(__file__).parent / "safetensors"

# safetensors name: (name that TensorSpec takes, bits). The 6-bit types cannot be written from Python.
DTYPES = {
    "BOOL": ("bool", 8),
    "F4": ("float4_e2m1fn_x2", 4),
    "U8": ("uint8", 8),
    "I8": ("int8", 8),
    "F8_E5M2": ("float8_e5m2", 8),
    "F8_E4M3": ("float8_e4m3fn", 8),
    "F8_E8M0": ("float8_e8m0fnu", 8),
    "I16": ("int16", 16),
    "U16": ("uint16", 16),
    "F16": ("float16", 16),
    "BF16": ("bfloat16", 16),
    "I32": ("int32", 32),
    "U32": ("uint32", 32),
    "F32": ("float32", 32),
    "C64": ("complex64", 64),
    "F64": ("float64", 64),
    "I64": ("int64", 64),
    "U64": ("uint64", 64),
}


def size_of(dtype, shape):
    elements = 1
    for dim in shape:
        elements *= dim
    return elements * DTYPES[dtype][1] // 8


def write(case, entries, metadata):
    """entries: (name, dtype, shape), shapes as in the file."""
    keep = []
    specs = {}
    for name, dtype, shape in entries:
        # Every byte of a tensor's data is the same: the length of its name.
        data = ctypes.create_string_buffer(bytes([len(name.encode()) & 255]) * max(1, size_of(dtype, shape)))
        keep.append(data)
        storage = list(shape)
        if dtype == "F4":
            storage[-1] //= 2  # TensorSpec doubles the last dimension
        specs[name] = TensorSpec(
            dtype=DTYPES[dtype][0],
            shape=storage,
            data_ptr=ctypes.addressof(data),
            data_len=size_of(dtype, shape),
        )
    (FOLDER / f"{case}.safetensors").write_bytes(bytes(serialize(specs, metadata)))
    return {
        "file": f"{case}.safetensors",
        "metadata": metadata or {},
        "entries": [{"name": n, "dtype": d, "shape": list(s)} for n, d, s in entries],
    }


def main():
    assert safetensors.__version__ == "0.8.0", safetensors.__version__
    FOLDER.mkdir(exist_ok=True)
    random.seed(20261124)
    cases = [
        write("empty", [], None),
        write("empty_metadata", [], {"format": "pt"}),
        write("scalar", [("s", "F32", [])], None),
        write("all_dtypes", [(f"t.{d.lower()}", d, [2, 4]) for d in DTYPES], {"format": "pt"}),
        write("zero_size", [("z", "F32", [0, 3]), ("a", "F32", [2]), ("y", "BF16", [4, 0])], None),
        write(
            "names",
            [
                (name, "U8", [3])
                for name in ["", "a.10", "a.2", "A", "_", "é", "日本", "\U0001f600", 'q"uote', "back\\slash",
                             "new\nline", "tab\t", "bell\x07", "esc\x1b", "del\x7f", "slash/", "\u202ebidi"]
            ],
            {"é\n\"": "\\ \x01 日本 / \x7f"},
        ),
        write("rank8", [("r", "I16", [1, 2, 1, 2, 1, 2, 1, 2])], None),
    ]
    # Every amount of padding.
    cases += [write(f"padding_{n}", [("x" * n, "F32", [1])], None) for n in range(1, 9)]
    # Random mixes, handed over in random order.
    for i in range(8):
        entries = []
        for k in range(random.randrange(2, 24)):
            dtype = random.choice(list(DTYPES))
            shape = [random.randrange(0, 4) for _ in range(random.randrange(0, 4))]
            shape.append(2 * random.randrange(1, 4))
            layer = random.randrange(0, 12)
            entries.append((f"model.layers.{layer}.{random.choice('abAB')}{k}.weight", dtype, shape))
        random.shuffle(entries)
        cases.append(write(f"mix_{i}", entries, random.choice([None, {"format": "pt"}])))
    text = json.dumps({"safetensors": safetensors.__version__, "cases": cases}, indent=1, ensure_ascii=False)
    (FOLDER / "cases.json").write_text(text + "\n", encoding="utf-8")


main()
