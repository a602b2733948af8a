"""Multimodal models in mlx-lm: our folders load there and compute what their text computes."""

import json
import shutil

import mlx.core as mx
import numpy as np
from mlx_lm.utils import load_model

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

    def variant(self, name, change):
        """What mlx-lm refuses to load, and nothing else, is said beforehand."""
        source = self.folder / f"{name}-{change.__name__}"
        shutil.copytree(DATA / "multimodal" / name, source)
        config = read_json(source / "config.json")
        tensors = mx.load(str(source / "model.safetensors"))
        change(config, tensors)
        mx.eval(tensors)
        mx.save_safetensors(str(source / "model.safetensors"), tensors, {"format": "pt"})
        (source / "config.json").write_text(json.dumps(config))
        target = self.folder / f"{source.name}-mlx"
        report = json.loads(lbrx("convert", source, target, "--to", "mlx", "--no-sync", "--json"))
        said = [notice for notice in report["notices"] if "mlx-lm will refuse" in notice]
        if said:
            with self.assertRaises((ValueError, KeyError), msg=said):
                load_model(target)
        else:
            load_model(target)
        return said


def adapter(_, tensors):
    """A tensor that no class knows."""
    tensors["adapter.weight"] = mx.zeros((4, 4), mx.bfloat16)


def other_head(config, tensors):
    """A tied head where there is one, else one of its own."""
    head = next((name for name in tensors if name.endswith("lm_head.weight")), None)
    if head is not None:
        del tensors[head]
    else:
        embedding = next(name for name in tensors if name.endswith("embed_tokens.weight"))
        around = "language_model." if embedding.startswith("language_model.") else ""
        tensors[f"{around}lm_head.weight"] = tensors[embedding]
    for part in (config, config.get("text_config", {})):
        part["tie_word_embeddings"] = head is not None


def add_tests():
    for name in [row["name"] for row in json.loads(lbrx("architectures", "--json"))["multimodal"]]:
        def test(self, name=name):
            self.whole(name)

        def adapter_test(self, name=name):
            self.assertEqual(len(self.variant(name, adapter)), 0 if name == "qwen3_vl_moe" else 1)

        def head_test(self, name=name):
            self.assertEqual(len(self.variant(name, other_head)), 1 if name == "qwen3_vl_moe" else 0)

        setattr(MultimodalTest, f"test_{name}", test)
        setattr(MultimodalTest, f"test_{name}_adapter", adapter_test)
        setattr(MultimodalTest, f"test_{name}_other_head", head_test)


add_tests()
