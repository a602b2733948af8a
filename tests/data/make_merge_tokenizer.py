"""Writes tests/data/merge_tokenizer: small tokenizers, and what mergekit makes of them.

    python tests/data/make_merge_tokenizer.py

Needs mergekit 0.1.5 (with torch, transformers and tokenizers). MODEL/ are the inputs.
expected.json has, for each case, the configuration; the tokens of mergekit's tokenizer (`known`:
those of the donor, with their ids, which are kept; mergekit's order of new ones is that of a hash
table); the settings of its added tokens; the rows that its embeddings have, for each token a list
of one row a model; the mean row of the padding of each model; and, for some texts, the tokens that
its tokenizer cuts them into. Matrices are made up: see value(). output/CASE is what lbrx writes, not
this script: a test of the room compares it, and tests/peers loads it in transformers.
"""

import json
import pathlib
import shutil
import tempfile

import tokenizers
import torch
import transformers
from mergekit.common import ModelReference
from mergekit.tokenizer.build import build_tokenizer
from mergekit.tokenizer.config import TokenizerConfig
from mergekit.tokenizer.embed import PermutedVocabulary
from tokenizers import AddedToken, decoders, models, normalizers, pre_tokenizers

OUT = pathlib.Path(__file__).resolve().parent / "merge_tokenizer"
COLUMNS = 3
LETTERS = [chr(c) for c in range(ord("a"), ord("z") + 1)]
TEXTS = [
    "the cat and the hen then met",
    "<s>hello there<|im_end|>",
    "a <|im_start|>he<pad> thehello<|im_end|></s>",
]


def value(model, row, column):
    """Exact in bfloat16: 7 bits."""
    mixed = (model * 7919 + row * 131 + column * 17 + 1) * 2654435761 % (1 << 32)
    return (mixed >> 25) / 32 - 2


def special(content, **settings):
    return AddedToken(content, special=True, normalized=False, **settings)


def bpe(vocabulary, merges, added):
    out = tokenizers.Tokenizer(
        models.BPE(vocab={t: i for i, t in enumerate(vocabulary)}, merges=merges)
    )
    out.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    out.decoder = decoders.ByteLevel()
    for token in added:
        out.add_tokens([token])
    return out


def make_models():
    """name: (tokenizer, tokenizer_config.json, vocab_size)"""
    the = [("h", "e"), ("t", "he"), ("a", "n"), ("an", "d"), ("Ġ", "the")]
    merged = ["he", "the", "an", "and", "Ġthe"]
    roles = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
    kind = {"tokenizer_class": "PreTrainedTokenizerFast"}
    ends = [special("<s>"), special("</s>"), special("<pad>")]
    base = bpe(LETTERS + ["Ġ"] + merged, the, ends)

    more = the + [("l", "l"), ("he", "ll"), ("hell", "o"), ("m", "e"), ("me", "t")]
    chat = bpe(
        LETTERS + ["Ġ"] + merged + ["ll", "hell", "hello", "me", "met"],
        more,
        [special("<s>"), special("</s>"), special("<pad>", lstrip=True)]
        + [special("<|im_start|>"), special("<|im_end|>")],
    )
    # Another order, fewer tokens, others added, two of them tokens of the others' models; one role
    # is a token only by tokenizer_config.json, and so is an entry of its list.
    reverse = bpe(
        ["Ġ"] + LETTERS[::-1] + ["an", "en", "he"],
        [("a", "n"), ("e", "n"), ("h", "e")],
        [special("</s>"), "hello", "met", AddedToken("and", rstrip=True)],
    )
    # Its last two tokens have no row.
    short = bpe(LETTERS + ["Ġ"] + merged, the, ends)
    unigram = tokenizers.Tokenizer(
        models.Unigram(
            [("<unk>", 0.0), ("▁", -2.0)]
            + [(c, -4.0 - i / 16) for i, c in enumerate(LETTERS)]
            + [("▁the", -3.0), ("▁and", -3.5), ("he", -3.25)],
            unk_id=0,
            byte_fallback=False,
        )
    )
    unigram.normalizer = normalizers.Replace(" ", "▁")
    unigram.pre_tokenizer = pre_tokenizers.Metaspace()
    unigram.decoder = decoders.Metaspace()
    unigram.add_special_tokens(["<unk>"])
    unigram.add_special_tokens(["</s>"])
    listed = {"additional_special_tokens": ["<|tool|>"]}
    return {
        "base": (base, {**roles, **kind}, 40),
        "chat": (chat, {**roles, **kind, "eos_token": "<|im_end|>"}, 42),
        "reverse": (reverse, {"eos_token": "</s>", "pad_token": "<fill>", **listed, **kind}, 37),
        "short": (short, {**roles, **kind}, 33),
        "unigram": (unigram, {"eos_token": "</s>", "unk_token": "<unk>", **kind}, 32),
    }


def write_models():
    sizes = {}
    for name, (tokenizer, config, size) in make_models().items():
        folder = OUT / name
        folder.mkdir(parents=True, exist_ok=True)
        tokenizer.save(str(folder / "tokenizer.json"))
        (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
        sizes[name] = size
    return sizes


def token_source(name, **rest):
    return {"kind": "model_token", "model": name, **rest}


SOURCES = {
    "<|im_end|>": {"source": "chat", "force": True},
    "<made>": {"source": token_source("chat", token="</s>")},
    "<seventh>": {"source": token_source("reverse", token_id=7)},
    "<nothing>": {"source": {"kind": "zero"}},
    "he": {"source": "reverse", "force": True},
    "q": {"source": {"kind": "zero"}, "force": True},
    "met": {"source": "chat"},
}

# name: (models, base_model, tokenizer block, dtype)
CASES = {
    "union": (["base", "chat", "reverse"], "base", {"source": "union"}, "float32"),
    "union_mean": (["base", "chat", "reverse", "unigram"], None, {"source": "union"}, "float32"),
    "union_bf16": (["chat", "reverse", "base"], None, {"source": "union"}, "bfloat16"),
    "base": (["base", "chat", "reverse"], "base", {"source": "base"}, "float32"),
    "model": (["base", "chat", "reverse"], "base", {"source": "reverse"}, "float32"),
    "sources": (
        ["base", "chat", "reverse"],
        "base",
        {"source": "union", "tokens": SOURCES, "pad_to_multiple_of": 32},
        "float32",
    ),
    "short_base": (["short", "chat"], "short", {"source": "base"}, "float32"),
    "short_union": (
        ["short", "chat"],
        None,
        {"source": "union", "pad_to_multiple_of": 64},
        "float32",
    ),
    "unigram": (["unigram", "chat"], "unigram", {"source": "union"}, "float32"),
}


def rows_of(vocabulary, matrices):
    return {
        token: [matrix[i].tolist() for matrix in matrices]
        for token, i in sorted(vocabulary.items())
    }


def cut(tokenizer, text):
    return tokenizer.convert_ids_to_tokens(tokenizer.encode(text, add_special_tokens=False))


def run_case(folder, sizes, case):
    names, base, block, dtype = case
    references = {n: ModelReference.model_validate(str(folder / n)) for n in sizes}

    def resolve(entry):  # names of models as paths
        if isinstance(entry, dict):
            return {k: resolve(v) if k in ("source", "model") else v for k, v in entry.items()}
        return str(folder / entry) if entry in sizes else entry

    given = dict(block)
    if block["source"] not in ("union", "base"):
        given["source"] = resolve(block["source"])
    given["tokens"] = {t: resolve(e) for t, e in block.get("tokens", {}).items()}
    config = TokenizerConfig.model_validate(given)
    referenced = [references[n] for n in names]
    base_model = references[base] if base else None
    info = build_tokenizer(base_model, referenced, config.source, False, list(config.tokens))

    tensors = {
        references[n]: torch.tensor(
            [[value(i, r, c) for c in range(COLUMNS)] for r in range(sizes[n])],
            dtype=getattr(torch, dtype),
        )
        for i, n in enumerate(names)
    }
    task = PermutedVocabulary.model_construct(
        tokens=config.tokens,
        pad_to_multiple_of=config.pad_to_multiple_of,
        base_model=base_model,
        vocabulary_axis=0,
    )
    result = task.execute(info, tensors)
    matrices = [result[r] for r in referenced]
    vocabulary = info.tokenizer.get_vocab()
    donor = block["source"] if block["source"] in sizes else (base or names[0])
    known = transformers.AutoTokenizer.from_pretrained(folder / donor).get_vocab()
    saved = json.loads(info.tokenizer._tokenizer.to_str())
    fields = ("single_word", "lstrip", "rstrip", "normalized", "special")
    return {
        "models": [{"name": n, "vocab_size": sizes[n]} for n in names],
        "base": base,
        "tokenizer": block,
        "dtype": dtype,
        "rows": len(matrices[0]),
        "known": {t: i for t, i in sorted(vocabulary.items()) if known.get(t) == i},
        "added": {
            e["content"]: [int(e[f]) for f in fields]
            for e in sorted(saved["added_tokens"], key=lambda e: e["content"])
        },
        "padding": [m[-1].tolist() for m in matrices] if len(matrices[0]) > len(vocabulary) else [],
        "values": rows_of(vocabulary, matrices),
        "texts": {t: cut(info.tokenizer, t) for t in TEXTS},
    }


def dump(cases):
    """JSON with a line for each entry of the inner objects."""
    out = []
    for name, case in cases.items():
        members = []
        for key, entry in case.items():
            if key in ("values", "texts"):
                lines = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in entry.items()]
                members.append(json.dumps(key) + ": {\n" + ",\n".join(lines) + "\n}")
            else:
                members.append(f"{json.dumps(key)}: {json.dumps(entry)}")
        out.append(json.dumps(name) + ": {\n" + ",\n".join(members) + "\n}")
    return "{\n" + ",\n".join(out) + "\n}\n"


def main():
    sizes = write_models()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        for name, size in sizes.items():  # mergekit asks config.json for vocab_size
            shutil.copytree(OUT / name, folder / name)
            config = transformers.LlamaConfig(vocab_size=size, architectures=["LlamaForCausalLM"])
            config.save_pretrained(folder / name)
        cases = {name: run_case(folder, sizes, case) for name, case in CASES.items()}
    (OUT / "expected.json").write_text(dump(cases))


if __name__ == "__main__":
    main()
