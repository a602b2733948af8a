"""Whole models against mlx_lm.convert, and text from mlx_lm.generate."""

import pathlib
import tempfile

import mlx_lm

from support import DATA, ROOT, PeerTest, lbrx, read_json, read_tensors, source_for_peer

MODELS = {"bard-base": DATA / "bard-base", "tiny-llama": ROOT / "models/tiny-llama"}

# Name, our options, mlx_lm.convert's.
CASES = {
    "bf16": (["--to", "mlx"], {}),
    "f16": (["--to", "mlx", "--dtype", "f16"], {"dtype": "float16"}),
    "4bit_group_64": (["-q", "4bit"], {"quantize": True, "q_bits": 4, "q_group_size": 64}),
    "3bit_group_32": (
        ["-q", "3bit", "--group-size", "32"],
        {"quantize": True, "q_bits": 3, "q_group_size": 32},
    ),
    "8bit_group_128_f16": (
        ["-q", "8bit", "--group-size", "128", "--dtype", "f16"],
        {"quantize": True, "q_bits": 8, "q_group_size": 128, "dtype": "float16"},
    ),
}

PROMPTS = ("In the beginning", "KING HENRY:\nWhat", "And the Lord said unto")


class ConvertTest(PeerTest):
    def convert(self, model, options, peer_options):
        """(our folder, mlx-lm's) for one model."""
        work = pathlib.Path(tempfile.mkdtemp(prefix=model + "-", dir=self.folder))
        ours, theirs = work / "ours", work / "theirs"
        rule = ["--mlx-rule", "cpu"] if "-q" in options else []
        lbrx("convert", MODELS[model], ours, *options, *rule, "--no-sync", "--quiet")
        source = source_for_peer(MODELS[model], work / "source")
        mlx_lm.convert(str(source), str(theirs), **peer_options)
        return ours, theirs

    def compare(self, model, options, peer_options):
        ours, theirs = self.convert(model, options, peer_options)
        self.assert_same_tensors(read_tensors(ours), read_tensors(theirs))
        our_config = read_json(ours / "config.json")
        their_config = read_json(theirs / "config.json")
        for key in ("quantization", "quantization_config"):
            self.assertEqual(our_config.get(key), their_config.get(key), key)
        if peer_options.get("quantize"):
            self.assertEqual(our_config["quantization"]["bits"], peer_options["q_bits"])
        for key, value in their_config.items():
            if key not in ("dtype", "torch_dtype", "transformers_version"):
                self.assertEqual(our_config.get(key), value, key)
        our_index = read_json(ours / "model.safetensors.index.json")
        their_index = read_json(theirs / "model.safetensors.index.json")
        self.assertEqual(our_index["metadata"], their_index["metadata"])
        self.assertEqual(sorted(our_index["weight_map"]), sorted(their_index["weight_map"]))

    def test_generates_the_same_text(self):
        ours, theirs = self.convert("bard-base", *CASES["4bit_group_64"])
        texts = []
        for folder in (ours, theirs):
            model, tokenizer = mlx_lm.load(str(folder))
            texts.append([mlx_lm.generate(model, tokenizer, prompt, max_tokens=64)
                          for prompt in PROMPTS])
        self.assertEqual(texts[0], texts[1])
        for text in texts[0]:
            self.assertGreater(len(text), 64, "too little text to compare")


def add_tests():
    for model in MODELS:
        for name, (options, peer_options) in CASES.items():
            def test(self, model=model, options=options, peer_options=peer_options):
                self.compare(model, options, peer_options)

            setattr(ConvertTest, f"test_{model.replace('-', '_')}_{name}", test)


add_tests()
