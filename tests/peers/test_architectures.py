"""Each architecture's output in mlx-lm: it loads, and computes what the original computes.

The registry is walked: an architecture without a model in tests/data/arch fails.
"""

import json

import mlx.core as mx
import mlx_lm
import numpy as np

from support import DATA, PeerTest, lbrx, read_json, source_folder

ARCHITECTURES = sorted(path.name for path in (DATA / "arch").iterdir())


def logits_of(folder, ids):
    """[token, vocabulary] in float32, from float32 weights."""
    model, _ = mlx_lm.load(str(folder))
    model.set_dtype(mx.float32)
    logits = model(mx.array([ids]))
    return np.array(logits.astype(mx.float32))[0]


class ArchitectureTest(PeerTest):
    def convert(self, name, *options):
        source = self.folder / f"{name}-source"
        if not source.exists():
            source_folder(f"arch/{name}", source)
        target = self.folder / "-".join([name, *options])
        if not target.exists():
            lbrx("convert", source, target, *options, "--no-sync", "--quiet")
        return source, target

    def float_weights(self, name):
        """Against the logits that transformers computed in float32 (expected.json)."""
        source, target = self.convert(name, "--to", "mlx")
        expected = read_json(source / "expected.json")
        logits = logits_of(target, expected["ids"])
        self.assertEqual(logits.argmax(-1).tolist(), expected["argmax"])
        # mlx-lm's gpt_oss computes its experts' activation in another order.
        near = 0.05 if name == "gpt_oss" else 1e-3
        np.testing.assert_allclose(logits[-1, :16], expected["last16"], rtol=0, atol=near)
        np.testing.assert_allclose(np.linalg.norm(logits, axis=-1), expected["row_l2"], rtol=1e-3)

    def quantized_weights(self, name):
        """8-bit weights compute nearly what the float ones do (2 to 3% off; 6% where a router decides)."""
        source, plain = self.convert(name, "--to", "mlx")
        _, quantized = self.convert(name, "-q", "8bit", "--group-size", "32")
        config = read_json(quantized / "config.json")
        self.assertEqual(config["quantization"]["bits"], 8)
        ids = read_json(source / "expected.json")["ids"]
        exact, rough = logits_of(plain, ids), logits_of(quantized, ids)
        error = np.linalg.norm(rough - exact) / np.linalg.norm(exact)
        self.assertLess(error, 0.08)
        self.assertGreater(error, 0, "nothing was quantized")


def add_tests():
    for name in [row["name"] for row in json.loads(lbrx("architectures", "--json"))["architectures"]]:
        def float_test(self, name=name):
            self.float_weights(name)

        def quantized_test(self, name=name):
            self.quantized_weights(name)

        setattr(ArchitectureTest, f"test_{name}_float", float_test)
        setattr(ArchitectureTest, f"test_{name}_8bit", quantized_test)


add_tests()
