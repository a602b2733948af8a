"""Every mode and recipe, whole models against mlx_lm.convert, and text from mlx_lm.generate."""

import mlx_lm

from support import DATA, ROOT, PeerTest, lbrx, quantized_modules, read_json

MODELS = {"bard-base": DATA / "bard-base", "tiny-llama": ROOT / "models/tiny-llama"}
PROMPTS = ("In the beginning", "KING HENRY:\nWhat", "And the Lord said unto")


def affine(bits, group, **more):
    return (["-q", f"{bits}bit", "--group-size", group],
            {"quantize": True, "q_bits": bits, "q_group_size": group, **more})


def recipe(name, **more):
    return ["-q", name], {"quantize": True, "quant_predicate": name, **more}


# Name: our options and mlx_lm.convert's.
BOTH_MODELS = {
    "bf16": (["--to", "mlx"], {}),
    "f16": (["--to", "mlx", "--dtype", "f16"], {"dtype": "float16"}),
    "4bit": (["-q", "4bit"], {"quantize": True}),
    "mxfp4": (["-q", "mxfp4"], {"quantize": True, "q_mode": "mxfp4"}),
    "mixed_3_6": recipe("mixed_3_6"),
}
ONE_MODEL = {
    f"{bits}bit_group_{group}": affine(bits, group)
    for bits in (2, 3, 4, 5, 6, 8) for group in (32, 64, 128)
} | {
    "mxfp8": (["-q", "mxfp8"], {"quantize": True, "q_mode": "mxfp8"}),
    "nvfp4": (["-q", "nvfp4"], {"quantize": True, "q_mode": "nvfp4"}),
    "mixed_2_6": recipe("mixed_2_6"),
    "mixed_3_4": recipe("mixed_3_4"),
    "mixed_4_6": recipe("mixed_4_6"),
    "mixed_3_4_group_32": (["-q", "mixed_3_4", "--group-size", "32"],
                           {"quantize": True, "q_group_size": 32, "quant_predicate": "mixed_3_4"}),
    "8bit_f16": (["-q", "8bit", "--dtype", "f16"],
                 {"quantize": True, "q_bits": 8, "dtype": "float16"}),
}


def texts(folder, prompts=PROMPTS, length=64):
    model, tokenizer = mlx_lm.load(str(folder))
    return [mlx_lm.generate(model, tokenizer, prompt, max_tokens=length) for prompt in prompts]


class ConvertTest(PeerTest):
    def compare(self, model, options, peer_options):
        ours, theirs = self.convert_both(MODELS[model], options, peer_options)
        self.assert_same_model(ours, theirs)
        self.assertEqual(bool(quantized_modules(ours)), bool(peer_options.get("quantize")))
        our_config = read_json(ours / "config.json")
        for key, value in read_json(theirs / "config.json").items():
            if not key.startswith("quantization") and key not in (
                    "dtype", "torch_dtype", "transformers_version"):
                self.assertEqual(our_config.get(key), value, key)
        our_index = read_json(ours / "model.safetensors.index.json")
        their_index = read_json(theirs / "model.safetensors.index.json")
        self.assertEqual(our_index["metadata"], their_index["metadata"])
        self.assertEqual(sorted(our_index["weight_map"]), sorted(their_index["weight_map"]))
        self.assertGreater(len(texts(ours, PROMPTS[:1], 8)[0]), 0)

    def test_generates_the_same_text(self):
        ours, theirs = self.convert_both(MODELS["bard-base"], *BOTH_MODELS["4bit"])
        our_texts = texts(ours)
        self.assertEqual(our_texts, texts(theirs))
        for text in our_texts:
            self.assertGreater(len(text), 64, "too little text to compare")


def add_tests():
    for model in MODELS:
        for name, both in (BOTH_MODELS if model == "tiny-llama" else BOTH_MODELS | ONE_MODEL).items():
            def test(self, model=model, both=both):
                self.compare(model, *both)

            setattr(ConvertTest, f"test_{model.replace('-', '_')}_{name}", test)


add_tests()
