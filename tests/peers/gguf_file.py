"""GGUF files, read and written by the format's own description."""

import dataclasses
import struct

MAGIC = b"GGUF"
ALIGNMENT = 32
U16, U32, I32, F32, STRING, ARRAY = 2, 4, 5, 6, 8, 9  # types of values
SCALARS = {0: "B", 1: "b", U16: "H", 3: "h", U32: "I", I32: "i", F32: "f", 7: "?", 10: "Q",
           11: "q", 12: "d"}

# Elements and bytes of a block, by the number of the tensors' type.
BLOCKS = {0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34),
          10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210),
          16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110),
          22: (256, 82), 23: (256, 136), 29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66),
          39: (32, 17), 40: (64, 36), 41: (128, 18), 42: (64, 18)}


@dataclasses.dataclass
class GgufFile:
    keys: dict  # {key: (type, value)}; an array's value is (type of elements, list)
    tensors: dict  # {name: (type, shape, bytes)}, rows last, in the file's order


class _Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, kind, count=1):
        values = struct.unpack_from(f"<{count}{kind}", self.data, self.at)
        self.at += struct.calcsize(f"<{count}{kind}")
        return list(values)

    def one(self, kind):
        return self.take(kind)[0]

    def string(self):
        size = self.one("Q")
        self.at += size
        return self.data[self.at - size : self.at].decode()

    def value(self, kind):
        if kind == STRING:
            return self.string()
        if kind != ARRAY:
            return self.one(SCALARS[kind])
        element, count = self.one("I"), self.one("Q")
        if element == STRING:
            return element, [self.string() for _ in range(count)]
        return element, self.take(SCALARS[element], count)


def read_gguf(path):
    reader = _Reader(path.read_bytes())
    assert reader.data[:4] == MAGIC, path
    reader.at = 4
    version, tensor_count, key_count = reader.one("I"), reader.one("Q"), reader.one("Q")
    assert version == 3, path
    keys, infos = {}, []
    for _ in range(key_count):
        key, kind = reader.string(), reader.one("I")
        assert key not in keys, f"{path}: {key} twice"
        keys[key] = kind, reader.value(kind)
    for _ in range(tensor_count):
        name = reader.string()
        shape = reader.take("Q", reader.one("I"))[::-1]
        infos.append((name, shape, reader.one("I"), reader.one("Q")))
    start = reader.at + -reader.at % keys.get("general.alignment", (U32, ALIGNMENT))[1]
    tensors = {}
    for name, shape, kind, offset in infos:
        size = _bytes_of(kind, shape)
        assert start + offset + size <= len(reader.data), f"{path}: {name} is not whole"
        assert name not in tensors, f"{path}: {name} twice"
        tensors[name] = kind, shape, reader.data[start + offset : start + offset + size]
    return GgufFile(keys, tensors)


def _bytes_of(kind, shape):
    elements, size = BLOCKS[kind]
    for dimension in shape:
        size *= dimension
    return size // elements


def _string(text):
    return struct.pack("<Q", len(text.encode())) + text.encode()


def _value(kind, value):
    if kind == STRING:
        return _string(value)
    if kind != ARRAY:
        return struct.pack("<" + SCALARS[kind], value)
    element, values = value
    return struct.pack("<IQ", element, len(values)) + b"".join(_value(element, v) for v in values)


def write_gguf(path, keys, tensors):
    """As GgufFile has them."""
    out = [MAGIC, struct.pack("<IQQ", 3, len(tensors), len(keys))]
    for key, (kind, value) in keys.items():
        out += [_string(key), struct.pack("<I", kind), _value(kind, value)]
    offset = 0
    for name, (kind, shape, data) in tensors.items():
        assert len(data) == _bytes_of(kind, shape), name
        out += [_string(name), struct.pack(f"<I{len(shape)}Q", len(shape), *shape[::-1]),
                struct.pack("<IQ", kind, offset)]
        offset += len(data) + -len(data) % ALIGNMENT
    header = b"".join(out)
    with path.open("wb") as file:
        file.write(header + bytes(-len(header) % ALIGNMENT))
        for _, _, data in tensors.values():
            file.write(data + bytes(-len(data) % ALIGNMENT))


def write_importance(path, entries):
    """The old form of llama-imatrix's files: {tensor: mean weight of each column}."""
    out = [struct.pack("<i", len(entries))]
    for name, weights in entries.items():
        out += [struct.pack("<i", len(name.encode())), name.encode(),
                struct.pack(f"<ii{len(weights)}f", 1, len(weights), *weights)]
    path.write_bytes(b"".join(out))
