"""Tokenizers of GGUF files as folders: transformers encodes what llama.cpp encodes, for every way of
cutting words and for vocabularies with scores."""

import re

import transformers

from gguf_file import ARRAY, F32, I32, STRING, U32, read_gguf, write_gguf
from llama_cpp import token_ids
from support import PeerTest, lbrx, source_folder
from texts import TEXTS, random_texts

# One name of each pattern that llama.cpp has for byte-level BPE.
PATTERNS = ("gpt-2", "starcoder", "llama-bpe", "qwen2", "qwen35", "ufakzeka", "jais-2", "tekken",
            "gpt-4o", "tiny_aya", "youtu", "kimi-k2", "bailingmoe", "seed-coder", "exaone-moe",
            "minicpm5", "laguna", "deepseek-v3", "spark2_5", "afmoe", "deepseek-llm",
            "deepseek-coder", "falcon", "default", "poro-chat", "viking", "chameleon", "superbpe")
# Patterns that cut numbers off first: between several blanks and a number llama.cpp cuts otherwise
# than the tokenizers library.
OTHERWISE_BEFORE_NUMBERS = ("afmoe", "tiny_aya")


def scored_vocabulary(byte_level):
    """(tokens, scores, types) as SentencePiece would have them, as many, of another's words."""
    words = [word.replace("Ġ", "▁") for word in byte_level
             if word.replace("Ġ", "").isascii() and not word.startswith("<|")]
    single = sorted({letter for word in words for letter in word})
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    room = len(byte_level) - len(special) - len(single)
    words = [word for word in words if len(word) > 1][:room]
    unused = [f"<unused{i}>" for i in range(room - len(words))]
    tokens = special + words + single + unused
    types = [2, 3, 3] + [6] * 256 + [1] * (len(words) + len(single)) + [5] * len(unused)
    scores = [0.0] * len(special) + [-float(rank) for rank in range(len(tokens) - len(special))]
    return tokens, scores, types


class GgufTokenizerTest(PeerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        whole = cls.folder / "whole.gguf"
        lbrx("convert", source_folder("arch/llama", cls.folder / "source"), whole, "--no-sync", "--quiet")
        cls.model = read_gguf(whole)

    def compare(self, keys, texts):
        file, folder = self.folder / "changed.gguf", self.folder / "folder"
        write_gguf(file, keys, self.model.tensors)
        lbrx("convert", file, folder, "--to", "hf", "--force", "--no-sync", "--quiet")
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        for text in texts:
            with self.subTest(text=text):
                ids = tokenizer(text)["input_ids"]
                self.assertEqual(ids, token_ids(file, text))
                self.assertGreater(len(ids), 0)

    def test_scores(self):
        tokens, scores, types = scored_vocabulary(self.model.keys["tokenizer.ggml.tokens"][1][1])
        keys = {key: value for key, value in self.model.keys.items() if not key.startswith("tokenizer.")}
        keys |= {
            "tokenizer.ggml.model": (STRING, "llama"),
            "tokenizer.ggml.tokens": (ARRAY, (STRING, tokens)),
            "tokenizer.ggml.scores": (ARRAY, (F32, scores)),
            "tokenizer.ggml.token_type": (ARRAY, (I32, types)),
            "tokenizer.ggml.unknown_token_id": (U32, 0),
            "tokenizer.ggml.bos_token_id": (U32, 1),
            "tokenizer.ggml.eos_token_id": (U32, 2),
        }
        self.compare(keys, (*TEXTS, *random_texts()))

    def pattern(self, name):
        keys = self.model.keys | {"tokenizer.ggml.pre": (STRING, name)}
        texts = ["".join(TEXTS), *random_texts(2, 100)]
        if name in OTHERWISE_BEFORE_NUMBERS:
            texts = [re.sub(r"\s+(?=[\d²])", " ", text) for text in texts]
        self.compare(keys, texts)


def add_tests():
    for name in PATTERNS:
        def test(self, name=name):
            self.pattern(name)

        setattr(GgufTokenizerTest, f"test_words_of_{name}", test)


add_tests()
