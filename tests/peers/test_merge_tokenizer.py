"""Tokenizers that a merge writes in transformers: they load, and cut texts as mergekit's own do.

tests/data/merge_tokenizer/output is what a test of the room compares with what the code makes."""

import json
import re
import unittest

import transformers

import support

FOLDER = support.DATA / "merge_tokenizer"
FORMATS = support.ROOT / "src/merge/tokenizer/chat_formats.cc"


class MergeTokenizer(unittest.TestCase):
    def test_outputs(self):
        expected = support.read_json(FOLDER / "expected.json")
        folders = sorted(path for path in (FOLDER / "output").iterdir())
        self.assertGreater(len(folders), 3)
        for folder in folders:
            with self.subTest(folder.name):
                self.compare(folder, expected[folder.name])

    def compare(self, folder, case):
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        vocabulary = tokenizer.get_vocab()
        self.assertEqual(set(vocabulary), set(case["values"]))
        self.assertEqual(sorted(vocabulary.values()), list(range(len(vocabulary))))
        for text, tokens in case["texts"].items():
            ids = tokenizer.encode(text, add_special_tokens=False)
            self.assertEqual(tokenizer.convert_ids_to_tokens(ids), tokens)
            self.assertEqual(ids, [vocabulary[token] for token in tokens])
        written = json.loads((folder / "tokenizer.json").read_text())
        for token in written["added_tokens"]:
            self.assertEqual(vocabulary[token["content"]], token["id"])
            special = token["content"] in tokenizer.all_special_tokens
            self.assertEqual(special or token["special"], token["special"])


USER = [{"role": "user", "content": "Hi"}]
TALK = [
    {"role": "system", "content": "Be kind."},
    *USER,
    {"role": "assistant", "content": "Hello."},
    {"role": "user", "content": "Bye"},
]

# Conversations as the formats' definitions have them: USER, and TALK, each with what makes the
# model answer.
CONVERSATIONS = {
    "alpaca": (
        "<s>Below is an instruction that describes a task. Write a response that appropriately "
        "completes the request.\n\n### Instruction:\nHi\n\n### Response:\n",
        "<s>Be kind.\n\n### Instruction:\nHi\n\n### Response:\nHello.</s>\n\n"
        "### Instruction:\nBye\n\n### Response:\n",
    ),
    "chatml": (
        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
        "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
        "<|im_start|>assistant\nHello.<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n"
        "<|im_start|>assistant\n",
    ),
    "exaone": (
        "[|system|][|endofturn|]\n[|user|]Hi\n[|assistant|]",
        "[|system|]Be kind.[|endofturn|]\n[|user|]Hi\n[|assistant|]Hello.[|endofturn|]\n"
        "[|user|]Bye\n[|assistant|]",
    ),
    "llama3": (
        "<s><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n",
        "<s><|start_header_id|>system<|end_header_id|>\n\nBe kind.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nHello.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n",
    ),
    "mistral": (
        "<s>[INST] Hi [/INST]",
        "<s>[INST] Be kind.\n\nHi [/INST] Hello.</s>[INST] Bye [/INST]",
    ),
}


class ChatFormats(unittest.TestCase):
    def test_conversations(self):
        raw = re.findall(r'k(\w+) = R"\((.*?)\)";', FORMATS.read_text(), re.DOTALL)
        templates = {name.lower(): text for name, text in raw}
        self.assertEqual(set(templates), set(CONVERSATIONS))
        tokenizer = transformers.AutoTokenizer.from_pretrained(FOLDER / "base")
        for name, expected in CONVERSATIONS.items():
            for messages, text in zip((USER, TALK), expected):
                rendered = tokenizer.apply_chat_template(
                    messages,
                    chat_template=templates[name],
                    add_generation_prompt=True,
                    tokenize=False,
                )
                self.assertEqual(rendered, text, name)


if __name__ == "__main__":
    unittest.main()
