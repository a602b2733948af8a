"""GGUF files of every architecture and the folders made of them, in llama.cpp, transformers and
mlx-lm: the same tokens, the same logits, the same text."""

import json
import shutil
import unicodedata

import mlx.core as mx
import mlx_lm
import numpy as np
import transformers

from llama_cpp import log_probabilities, token_ids
from support import DATA, FOLDER, SEED, PeerTest, lbrx, quantized_modules, read_json, source_folder
from texts import TEXTS

TEXT = FOLDER / "text.txt"
# What GGUF has no key for is as llama.cpp has it; mlx-lm's gemma2 knows no window.
CONFIG = {
    "deepseek_v3": {"scoring_func": "sigmoid"},
    "gemma2": {"sliding_window": 512},
    "qwen3_moe": {"norm_topk_prob": True},
}
# But for this: we write what is usual for the family, llama.cpp computes with the heads' size.
LLAMA_CPP_CONFIG = {
    "gemma2": {"query_pre_attn_scalar": 16},
    "gemma3_text": {"query_pre_attn_scalar": 16},
}
# A GGUF file does not tell them from their kin.
MODEL_TYPES = {"mistral": "llama"}
# What transformers takes for granted of a family's tokenizer, whatever the files say. Of Qwen2's
# also that texts are normalized.
TOKENIZER = {
    "qwen2": {r"\\p{N}{1,3}": r"\\p{N}"},
}
PROMPTS = ("In the beginning", "KING HENRY:\nWhat", "And the Lord said unto")
# Without loss; and with the error of their nearest kin.
EXACT = ("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0")
NEAR = ("Q3_K_M", "Q4_K_M", "Q6_K", "IQ4_XS")


def change_config(folder, changes):
    config = read_json(folder / "config.json") | changes
    if config["model_type"] == "gpt_oss":
        config["rope_parameters"]["truncate"] = True
    (folder / "config.json").write_text(json.dumps(config))


def change_source(name, folder):
    change_config(folder, CONFIG.get(name, {}))
    for file in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        text = (folder / file).read_text()
        for old, new in TOKENIZER.get(name, {}).items():
            text = text.replace(old, new)
        (folder / file).write_text(text)


def logits_of(folder, ids):
    """[token, vocabulary] from float32 weights."""
    model, _ = mlx_lm.load(str(folder))
    model.set_dtype(mx.float32)
    return np.array(model(mx.array([ids])).astype(mx.float32))[0]


def greedy_texts(folder, length=48):
    model, tokenizer = mlx_lm.load(str(folder))
    return [mlx_lm.generate(model, tokenizer, prompt, max_tokens=length) for prompt in PROMPTS]


def distance(a, b):
    return np.linalg.norm(a - b) / np.linalg.norm(b)


class GgufArchitectureTest(PeerTest):
    """Of each architecture: folder, float32 GGUF, folder again."""

    def made(self, name, *suffix_and_options):
        suffix, *options = suffix_and_options
        # llama.cpp looks for families' names in general.name, which is the source's folder.
        source = self.folder / name / "source"
        if not source.exists():
            source_folder(f"arch/{name}", source)
            change_source(name, source)
        file = self.folder / name / "f32.gguf"
        if not file.exists():
            lbrx("convert", source, file, "--dtype", "f32", "--no-sync", "--quiet")
        target = self.folder / name / suffix
        if not target.exists():
            lbrx("convert", source if suffix == "mlx" else file, target, *options, "--no-sync", "--quiet")
        return source, file, target

    def same_logits(self, name):
        """GGUF -> Hugging Face computes what the source computes; both by way of MLX's classes."""
        source, _, back = self.made(name, "hf", "--to", "hf", "--dtype", "f32")
        target = self.folder / name / "hf-mlx"
        lbrx("convert", back, target, "--to", "mlx", "--no-sync", "--quiet")
        _, _, straight = self.made(name, "mlx", "--to", "mlx")
        ids = read_json(source / "expected.json")["ids"]
        expected = logits_of(straight, ids)
        found = logits_of(target, ids)
        self.assertLess(distance(found, expected), 1e-4)
        self.assertEqual(found.argmax(-1).tolist(), expected.argmax(-1).tolist())

    def straight_to_mlx(self, name):
        """Floats are 16 bits wide there, norms too."""
        source, _, target = self.made(name, "gguf-mlx", "--to", "mlx")
        _, _, straight = self.made(name, "mlx", "--to", "mlx")
        ids = read_json(source / "expected.json")["ids"]
        self.assertLess(distance(logits_of(target, ids), logits_of(straight, ids)), 0.01)

    def in_llama_cpp(self, name):
        """llama.cpp's probabilities of every token are those of the source in mlx-lm."""
        _, file, straight = self.made(name, "mlx", "--to", "mlx")
        if name in LLAMA_CPP_CONFIG:
            straight = shutil.copytree(straight, self.folder / name / "llama.cpp")
            change_config(straight, LLAMA_CPP_CONFIG[name])
        tokens, logs = log_probabilities(file, TEXT, "-fa", "off", "-ctk", "f32", "-ctv", "f32")
        rows = logs.shape[1]
        expected = np.stack([logits_of(straight, chunk.tolist())[-rows - 1 : -1] for chunk in tokens])
        expected = np.array(mx.array(expected) - mx.logsumexp(mx.array(expected), axis=-1, keepdims=True))
        # Deviations from the row's mean: what a model says beyond that all tokens are alike.
        centre = lambda a: a - a.mean(-1, keepdims=True)
        error = distance(centre(logs), centre(expected))
        self.assertLess(error, 0.01)

    def tokenizer(self, name):
        """transformers encodes as llama.cpp does, and as the source's tokenizer."""
        source, file, back = self.made(name, "hf", "--to", "hf", "--dtype", "f32")
        theirs = transformers.AutoTokenizer.from_pretrained(source)
        ours = transformers.AutoTokenizer.from_pretrained(back)
        for text in TEXTS:
            text = unicodedata.normalize("NFC", text) if name == "qwen2" else text
            ids = ours(text)["input_ids"]
            self.assertEqual(ids, theirs(text)["input_ids"], text)
            self.assertEqual(ids, token_ids(file, text), text)
            self.assertEqual(ours.decode(ids), theirs.decode(ids), text)
        self.assertEqual(ours.eos_token_id, theirs.eos_token_id)
        self.assertEqual(ours.bos_token_id, theirs.bos_token_id)
        chat = [{"role": "user", "content": "hello"}]
        self.assertEqual(ours.apply_chat_template(chat, tokenize=False),
                         theirs.apply_chat_template(chat, tokenize=False))
        config = transformers.AutoConfig.from_pretrained(back)
        model_type = read_json(source / "config.json")["model_type"]
        self.assertEqual(config.model_type, MODEL_TYPES.get(name, model_type))


class GgufToMlxTest(PeerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.file = cls.folder / "model.gguf"
        lbrx("convert", DATA / "bard-base", cls.file, "--dtype", "bf16", "--no-sync", "--quiet")

    def test_bf16_generates_the_text_of_the_source(self):
        ours, theirs = self.folder / "gguf-mlx", self.folder / "hf-mlx"
        lbrx("convert", self.file, ours, "--to", "mlx", "--no-sync", "--quiet")
        lbrx("convert", DATA / "bard-base", theirs, "--to", "mlx", "--no-sync", "--quiet")
        texts = greedy_texts(ours)
        self.assertEqual(texts, greedy_texts(theirs))
        for text in texts:
            self.assertGreater(len(text), 48, "too little text to compare")

    def quantized(self, file_type, limit):
        """mlx-lm runs the codes, nearly as it runs the values that the file means."""
        file = self.folder / f"{file_type}.gguf"
        lbrx("quantize", self.file, file, file_type, "--no-sync", "--quiet")
        ours, values = self.folder / f"{file_type}-mlx", self.folder / f"{file_type}-f32"
        lbrx("convert", file, ours, "--to", "mlx", "--no-sync", "--quiet")
        lbrx("convert", file, values, "--to", "hf", "--dequantize", "--dtype", "f32", "--no-sync",
             "--quiet")
        self.assertTrue(quantized_modules(ours))
        ids = np.random.default_rng(SEED).integers(0, 2000, 32).tolist()
        self.assertLess(distance(logits_of(ours, ids), logits_of(values, ids)), limit)
        model, tokenizer = mlx_lm.load(str(ours))
        self.assertGreater(len(mlx_lm.generate(model, tokenizer, PROMPTS[0], max_tokens=8)), 0)


def add_tests():
    for name in [row["name"] for row in json.loads(lbrx("architectures", "--json"))["architectures"]]:
        for kind in ("same_logits", "straight_to_mlx", "in_llama_cpp", "tokenizer"):
            def test(self, kind=kind, name=name):
                getattr(self, kind)(name)

            setattr(GgufArchitectureTest, f"test_{name}_{kind}", test)
    for file_type in EXACT + NEAR:
        def quantized_test(self, file_type=file_type):
            self.quantized(file_type, 2e-3 if file_type in EXACT else 0.2)

        setattr(GgufToMlxTest, f"test_{file_type}", quantized_test)


add_tests()
