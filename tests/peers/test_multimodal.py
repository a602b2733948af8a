"""Multimodal models in mlx-lm: our folders load there and compute what their text computes."""

import json

import numpy as np

from multimodal import multimodal_source_for_peer
from support import DATA, PeerTest, lbrx, read_json, read_tensors
from test_architectures import logits_of

TOKENIZER = ("tokenizer.json", "tokenizer_config.json")


class MultimodalTest(PeerTest):
    def source(self, name):
        source = self.folder / f"{name}-source"
        if not source.exists():
            multimodal_source_for_peer(DATA / "multimodal" / name, source)
            # Ours has to do without what the peer needs.
            (source / "config.json").write_bytes(
                (DATA / "multimodal" / name / "config.json").read_bytes())
            for file in TOKENIZER:
                (source / file).write_bytes((DATA / "bard-base" / file).read_bytes())
        return source

    def logits(self, name, *options):
        source = self.source(name)
        target = self.folder / "-".join([name, *options])
        lbrx("convert", source, target, *options, "--no-sync", "--quiet")
        expected = read_json(source / "expected.json")
        logits = logits_of(target, expected["ids"])
        self.assertEqual(logits.argmax(-1).tolist(), expected["argmax"])
        np.testing.assert_allclose(logits[-1, :16], expected["last16"], rtol=0, atol=1e-3)
        np.testing.assert_allclose(np.linalg.norm(logits, axis=-1), expected["row_l2"], rtol=1e-3)
        return target

    def whole(self, name):
        """As transformers computes it from text (expected.json)."""
        target = self.logits(name, "--to", "mlx")
        text = self.logits(name, "--to", "mlx", "--text-only")
        self.assertLess(len(read_tensors(text)), len(read_tensors(target)))


def add_tests():
    for name in [row["name"] for row in json.loads(lbrx("architectures", "--json"))["multimodal"]]:
        def test(self, name=name):
            self.whole(name)

        setattr(MultimodalTest, f"test_{name}", test)


add_tests()
