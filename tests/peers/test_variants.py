"""Variants of the architectures (variants.py): what mlx-lm holds comes out as its own convert has
it, and of what it refuses to load we say so beforehand."""

import json

import mlx.core as mx
from mlx_lm.utils import load_model

from support import SEED, PeerTest, lbrx, source_folder
from variants import HELD, REFUSED, write_variant

IDS = mx.array([[5, 17, 400, 3, 99, 1200, 7, 8, 9, 10, 42, 1999]])
SAYING = "mlx-lm will refuse to load the result"


def logits_of(folder):
    model, _ = load_model(folder)
    model.set_dtype(mx.float32)  # MLX's CPU code has no other type for float experts
    return model(IDS)


class VariantTest(PeerTest):
    def source(self, variant):
        source = source_folder(f"arch/{variant.architecture}", self.folder / variant.name)
        mx.random.seed(SEED)
        write_variant(variant, source)
        return source

    def refusals(self, source, *options):
        target = source.parent / f"{source.name}{options[0]}"
        report = json.loads(lbrx("convert", source, target, *options, "--no-sync", "--json"))
        return target, [notice for notice in report["notices"] if SAYING in notice]

    def held(self, variant):
        source = self.source(variant)
        _, refusals = self.refusals(source, "--to", "mlx")
        self.assertEqual(refusals, [])
        ours, theirs = self.convert_both(
            source, ["-q", "4bit", "--group-size", str(variant.group)],
            {"quantize": True, "q_group_size": variant.group})
        self.assert_same_model(ours, theirs)
        logits = logits_of(ours)  # its config, too, means the same
        self.assertTrue(mx.isfinite(logits).all())
        self.assertTrue(mx.array_equal(logits, logits_of(theirs)))

    def refused(self, variant):
        source = self.source(variant)
        for options in (["--to", "mlx"], ["-q", "4bit", "--group-size", "32"]):
            target, refusals = self.refusals(source, *options)
            self.assertEqual(len(refusals), 1, refusals)
            self.assertIn(variant.refused, refusals[0])
            with self.assertRaises((ValueError, KeyError), msg="it loads: mend MlxClass"):
                load_model(target)


def add_tests():
    for kind, variants in (("held", HELD), ("refused", REFUSED)):
        for variant in variants:
            def test(self, kind=kind, variant=variant):
                getattr(self, kind)(variant)

            name = f"test_{kind}_{variant.name}"
            assert not hasattr(VariantTest, name), name
            setattr(VariantTest, name, test)


add_tests()
