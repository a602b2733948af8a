"""Every block type against ggml's own code, byte for byte, on fresh rows."""

import numpy as np

from gguf_file import BLOCKS, F32, STRING, U32, read_gguf, write_gguf, write_importance
from llama_cpp import Ggml
from rows import matrix
from support import SEED, PeerTest, lbrx

ROWS, COLUMNS = 21, 512
KINDS = {number: name.lower() for number, name in Ggml.DECODERS.items()}
# Types that llama-quantize, and so we, refuse to make without importances.
NEED_IMPORTANCE = (16, 17, 18, 19, 22, 29)
KEYS = {
    "general.architecture": (STRING, "llama"),
    "llama.block_count": (U32, len(KINDS)),
    "llama.context_length": (U32, 512),
    "llama.embedding_length": (U32, COLUMNS),
    "llama.feed_forward_length": (U32, ROWS),
    "llama.attention.head_count": (U32, 8),
    "llama.attention.layer_norm_rms_epsilon": (F32, 1e-5),
}


def tensor_of(kind):
    """Each type has a layer of its own, all in one file."""
    return f"blk.{list(KINDS).index(kind)}.ffn_up.weight"


def importances(random, kind):
    """Weights of columns over six orders of magnitude; every third type has some that never ran."""
    weights = np.exp(random.uniform(-7, 7, COLUMNS)).astype(np.float32)
    if kind % 3 == 0:
        weights[random.integers(0, COLUMNS // 32) * 32 :][:32] = 0
    return weights


class GgmlTest(PeerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ggml = Ggml()
        random = np.random.default_rng([SEED, 4])
        cls.values = {kind: matrix(random, ROWS, COLUMNS) for kind in KINDS}
        cls.importance = {kind: importances(random, kind) for kind in KINDS}
        source = cls.folder / "source.gguf"
        write_gguf(source, KEYS, {tensor_of(kind): (0, [ROWS, COLUMNS], values.tobytes())
                                  for kind, values in cls.values.items()})
        weights = cls.folder / "weights.dat"
        write_importance(weights, {tensor_of(kind): w for kind, w in cls.importance.items()})

        cls.plain = cls.quantized(source, "plain.gguf", lambda kind: kind not in NEED_IMPORTANCE)
        cls.weighted = cls.quantized(source, "weighted.gguf", lambda kind: True, "--imatrix", weights)
        cls.blocks, cls.decoded = cls.random_blocks(random)

    @classmethod
    def quantized(cls, source, name, chosen, *options):
        """Tensors of a file with each layer in its type."""
        rules = []
        for kind, label in KINDS.items():
            if chosen(kind):
                rules += ["--tensor-type", f"^{tensor_of(kind)}$={label}"]
        lbrx("quantize", source, cls.folder / name, "Q8_0", *rules, *options, "--no-sync", "--quiet")
        return read_gguf(cls.folder / name).tensors

    @classmethod
    def random_blocks(cls, random):
        """Of each type blocks of any bytes but those that mean NaN or infinity; and what we read."""
        blocks = {}
        for kind in KINDS:
            elements, size = BLOCKS[kind]
            count = ROWS * COLUMNS // elements
            data = random.integers(0, 256, (4 * count, size), np.uint8)
            values = cls.ggml.decode(kind, data).reshape(len(data), elements)
            data = data[np.isfinite(values).all(axis=1)][:count]
            assert len(data) == count, KINDS[kind]
            blocks[kind] = np.ascontiguousarray(data)
        path = cls.folder / "blocks.gguf"
        write_gguf(path, KEYS, {tensor_of(kind): (kind, [ROWS, COLUMNS], data.tobytes())
                                for kind, data in blocks.items()})
        back = cls.folder / "decoded.gguf"
        lbrx("convert", path, back, "--dequantize", "--dtype", "f32", "--no-sync", "--quiet")
        return blocks, read_gguf(back).tensors

    def assert_same_bytes(self, ours, theirs, size):
        if ours != theirs:
            a, b = np.frombuffer(ours, np.uint8), np.frombuffer(theirs, np.uint8)
            self.assertEqual(a.size, b.size)
            where = np.unique(np.flatnonzero(a != b) // size)
            self.fail(f"{where.size} of {b.size // size} blocks differ, first {where[0]}")

    def encoded(self, kind, tensors, importance):
        found, shape, data = tensors[tensor_of(kind)]
        self.assertEqual((found, shape), (kind, [ROWS, COLUMNS]))
        self.assert_same_bytes(data, self.ggml.encode(kind, self.values[kind], importance),
                               BLOCKS[kind][1])


def add_tests():
    for kind, name in KINDS.items():
        def plain_test(self, kind=kind):
            self.encoded(kind, self.plain, None)

        def weighted_test(self, kind=kind):
            self.encoded(kind, self.weighted, self.importance[kind])

        def decode_test(self, kind=kind):
            found, _, data = self.decoded[tensor_of(kind)]
            self.assertEqual(found, 0)
            theirs = self.ggml.decode(kind, self.blocks[kind])
            self.assert_same_bytes(data, theirs.tobytes(), 4 * BLOCKS[kind][0])

        if kind not in NEED_IMPORTANCE:
            setattr(GgmlTest, f"test_{name}_encodes", plain_test)
        setattr(GgmlTest, f"test_{name}_encodes_by_importance", weighted_test)
        setattr(GgmlTest, f"test_{name}_decodes", decode_test)


add_tests()
