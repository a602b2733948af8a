"""Each architecture's output in mlx-lm: it loads, and computes what the original computes.

The registry is walked: an architecture without a model in tests/data/arch fails.
"""

import json

import mlx.core as mx
import mlx_lm
import numpy as np

from support import PeerTest, lbrx, quantized_modules, read_json, source_folder

# What mlx_lm.convert fails on: their output is compared by the logits it gives in mlx-lm's classes.
NOT_IN_MLX_LM = ("gpt2", "gpt_oss")


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

    def as_mlx_lm(self, name, options, peer_options):
        """Against mlx_lm.convert: the same arrays under the same names."""
        if name in NOT_IN_MLX_LM:
            source = source_folder(f"arch/{name}", self.folder / f"{name}-peer-{len(options)}")
            with self.assertRaises(Exception, msg="mlx-lm has learned it: compare"):
                self.convert_both(source, options, peer_options)
            return
        source, _ = self.convert(name, "--to", "mlx")
        ours, theirs = self.convert_both(source, options, peer_options)
        self.assert_same_model(ours, theirs)
        self.assertEqual(bool(quantized_modules(ours)), bool(peer_options))


def add_tests():
    for name in [row["name"] for row in json.loads(lbrx("architectures", "--json"))["architectures"]]:
        def float_test(self, name=name):
            self.float_weights(name)

        def quantized_test(self, name=name):
            self.quantized_weights(name)

        def float_peer_test(self, name=name):
            self.as_mlx_lm(name, ["--to", "mlx"], {})

        def quantized_peer_test(self, name=name):
            self.as_mlx_lm(name, ["-q", "4bit", "--group-size", "32"],
                           {"quantize": True, "q_group_size": 32})

        setattr(ArchitectureTest, f"test_{name}_float", float_test)
        setattr(ArchitectureTest, f"test_{name}_float_as_mlx_lm", float_peer_test)
        setattr(ArchitectureTest, f"test_{name}_4bit_as_mlx_lm", quantized_peer_test)
        setattr(ArchitectureTest, f"test_{name}_8bit", quantized_test)


add_tests()
