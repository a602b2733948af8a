#!/usr/bin/env python3
"""The torch twin of a folder with safetensors shards: the same tensors in pytorch_model*.bin.

    python3 bench/torch_twin.py build/bench/llama-1b build/bench/llama-1b-torch

Writes the ZIP layout of torch.save by hand (torch itself is 1 GB), aligned as torch does; python's
torch.load reads it.
"""

import argparse
import json
import pathlib
import shutil
import struct
import zipfile

CLASSES = {"BF16": "BFloat16Storage", "F16": "HalfStorage", "F32": "FloatStorage"}
WIDTHS = {"BF16": 2, "F16": 2, "F32": 4}
ALIGNMENT = 64
LOCAL_HEADER = 30


def text(value):
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def integer(value):
    return b"\x8a\x08" + struct.pack("<q", value)


def integers(values):
    return b"(" + b"".join(map(integer, values)) + b"t"


def tensor(key, dtype, shape):
    """Opcodes for a contiguous tensor that is the whole of storage `key`."""
    strides, count = [], 1
    for length in reversed(shape):
        strides.insert(0, count)
        count *= length
    return (b"ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage")
            + f"ctorch\n{CLASSES[dtype]}\n".encode() + text(str(key)) + text("cpu") + integer(count)
            + b"tQ" + integer(0) + integers(shape) + integers(strides)
            + b"\x89ccollections\nOrderedDict\n)RtR")


def add(archive, name, size, chunks):
    """A stored member whose data is aligned."""
    info = zipfile.ZipInfo(name)
    start = archive.fp.tell() + LOCAL_HEADER + len(name) + 4
    info.extra = b"FB" + struct.pack("<H", -start % ALIGNMENT) + b"Z" * (-start % ALIGNMENT)
    info.file_size = size
    with archive.open(info, "w") as out:
        for chunk in chunks:
            out.write(chunk)


def read_chunks(file, offset, size):
    file.seek(offset)
    while size > 0:
        chunk = file.read(min(size, 1 << 24))
        size -= len(chunk)
        yield chunk


def convert(source, target):
    with open(source, "rb") as file, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        header.pop("__metadata__", None)
        pickle = b"\x80\x02}("
        for key, (name, entry) in enumerate(header.items()):
            pickle += text(name) + tensor(key, entry["dtype"], entry["shape"])
        pickle += b"u."
        add(archive, "archive/data.pkl", len(pickle), [pickle])
        add(archive, "archive/byteorder", 6, [b"little"])
        for key, entry in enumerate(header.values()):
            begin, end = entry["data_offsets"]
            add(archive, f"archive/data/{key}", end - begin,
                read_chunks(file, 8 + length + begin, end - begin))
        add(archive, "archive/version", 2, [b"3\n"])


def torch_name(name):
    return name.replace("model", "pytorch_model", 1).replace(".safetensors", ".bin")


def make(source, target):
    """The folder appears under its name when it is complete."""
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for file in sorted(source.iterdir()):
        if file.name.endswith(".safetensors"):
            convert(file, partial / torch_name(file.name))
        elif file.name.endswith(".index.json"):
            index = json.loads(file.read_text())
            index["weight_map"] = {name: torch_name(shard)
                                   for name, shard in index["weight_map"].items()}
            (partial / torch_name(file.name)).write_text(json.dumps(index, indent=2))
        else:
            shutil.copy(file, partial / file.name)
    partial.rename(target)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("target", type=pathlib.Path)
    arguments = parser.parse_args()
    make(arguments.source, arguments.target)


if __name__ == "__main__":
    main()
