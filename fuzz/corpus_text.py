"""Seeds of the targets that read text, and of tokenizers."""

import json

import corpus_models

# --- tokenizer -----------------------------------------------------------------------------------

# The first byte says what follows: 0 tokenizer.json, 1 tokenizer.model, 2 lines that become keys.
BPE = {
    "added_tokens": [{"id": 4, "content": "<s>", "special": True, "normalized": False},
                     {"id": 6, "content": "\u2581 x"}],
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True},
    "post_processor": {"type": "TemplateProcessing",
                       "single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}],
                       "pair": [{"Sequence": {"id": "A"}}, {"SpecialToken": {"id": "<s>"}},
                                {"Sequence": {"id": "B"}}]},
    "decoder": {"type": "ByteLevel"},
    "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "\u0120": 3},
              "merges": [["a", "b"]]},
}
SPM = {
    "added_tokens": [{"id": 0, "content": "<unk>", "special": True}],
    "normalizer": {"type": "Prepend", "prepend": "\u2581"},
    "model": {"type": "BPE", "byte_fallback": True,
              "vocab": {"<unk>": 0, "<0x41>": 1, "a": 2, "aa": 3, "\u2581aa": 5},
              "merges": ["a a", ["\u2581", "aa"]][:1]},
}
UNIGRAM = {"model": {"type": "Unigram", "vocab": [["<unk>", 0], ["a", -1.5]], "unk_id": 0}}
PIECES = (b"\x0a\x0e\x0a\x05<unk>\x15\x00\x00\x00\x00\x18\x02"
          b"\x0a\x0b\x0a\x04\xe2\x96\x81a\x15\x00\x00\xc0\xbf\x12\x02\x18\x02\x1a\x02\x18\x00")

TOKENIZER = {
    "bpe": b"\x00" + json.dumps(BPE).encode(),
    "spm": b"\x00" + json.dumps(SPM).encode(),
    "unigram": b"\x00" + json.dumps(UNIGRAM).encode(),
    "pieces": b"\x01" + PIECES,
    "pieces_cut": b"\x01" + PIECES[:20],
    "keys_bpe": b"\x02model gpt2\npre llama-bpe\ntoken a\ntoken b\ntoken ab\nmerge a b\n"
                b"type 1\ntype 3\ntype 4\nbos_token_id 1\n",
    "keys_spm": b"\x02model llama\ntoken <unk>\ntoken a\ntoken aa\nscore 0\nscore 1\nscore 2\n"
                b"type 2\ntype 1\ntype 1\nunknown_token_id 0\n",
    "keys_raw": b"\x02model gemma4\ntoken a\ntoken b\ntoken ab\nmerge a b\n",
    "folder": b"\x03" + corpus_models.folder({
        "tokenizer.json": BPE, "tokenizer_config.json": {
            "bos_token": {"content": "<s>"}, "add_bos_token": True, "additional_special_tokens": ["<x>"],
            "added_tokens_decoder": {"7": {"content": "<y>", "special": True}}},
        "chat_template.jinja": "{{ messages }}", "generation_config.json": {"eos_token_id": [4]}}).encode(),
    "templates": b"\x03" + corpus_models.folder({
        "tokenizer.json": BPE, "tokenizer_config.json": {"chat_template": [
            {"name": "default", "template": "x"}, {"name": "tool_use", "template": "y"}]}}).encode(),
    "template_json": b"\x03" + corpus_models.folder({
        "tokenizer.json": BPE, "chat_template.json": {"chat_template": "x"}}).encode(),
    "word_files": b"\x03" + corpus_models.folder({
        "vocab.json": {"a": 0, "b": 1, "ab": 2}, "merges.txt": "#version: 0.2\na b\n"}).encode(),
    "pieces_added": b"\x03" + corpus_models.folder({
        "tokenizer.model": PIECES.decode("latin-1"), "added_tokens.json": {"<x>": 2}}).encode("latin-1"),
}


# --- merge_config --------------------------------------------------------------------------------

TWO = "merge_method: ties\nbase_model: base\nmodels:\n- model: a\n  parameters: {weight: 0.5}\n- model: b\n"
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi"))
MERGE_CONFIG = {
    "models": TWO,
    "settings": TWO + "parameters:\n  weight:\n  - {filter: mlp, value: [0, 0.5, 1]}\n  - {value: 1e-5}\n"
                      "  density: {value: [yes, no]}\n  lambda: 1:30\n  normalize: 'on'\n  x: .inf\n",
    "slices": "merge_method: slerp\nbase_model: a\nslices:\n- sources: [{model: a, layer_range: [0, 2]}, "
              "{model: b+l@r, layer_range: [1, 3]}]\n  base_model: b\n  parameters: {t: [0, 1]}\n  residual_weight: 1\n",
    "modules": "merge_method: passthrough\nmodules:\n  text: {slices: [{sources: [{model: v, layer_range: [0, 4]}]}]}\n"
               "  vision: {models: [{model: {model: {path: v, revision: r}, lora: l, override_architecture: X}}]}\n",
    "tokenizer": TWO + "dtype: torch.bfloat16\nout_dtype: float16\nchat_template: auto\ntokenizer:\n  source: union\n"
                       "  pad_to_multiple_of: 64\n  tokens:\n    <a>: {source: {kind: model_token, model: a, token_id: 7}}\n"
                       "    <b>: {source: {kind: zero}, force: true}\n    <c>: {source: a}\n",
    "tokenizer_source": TWO + "tokenizer_source: base\n",
    "merge_keys": "x: &x {weight: 1}\n" + TWO + "parameters: {<<: [*x, {density: 1}], gamma: 2}\n",
    "merge_twice": "a: {<<: [{p: 1}, {p: 2}]}\n",
    "documents": TWO + "---\n" + TWO,
    "laughs": LAUGHS,
    "recursion": "a: &a [*a]\n",
    "deep": "[" * 200,
    "tags": "a: !!str 7\nb: !!float 1e-5\nc: !foo 7\n",
    "block": "a: |\n  x\nb: >-\n  y\n\n? c\n: \"\\u00e9\"\n",
    "duplicate": TWO + "dtype: float32\ndtype: float16\n",
    "twice": "merge_method: linear\nmodels: [{model: a}, {model: a}]\n",
    "range": "merge_method: linear\nslices: [{sources: [{model: a, layer_range: [3, 3]}]}]\n",
    "typing_error": TWO + "dtyp: float32\n",
    "bad_utf8": b"a: \xff\n",
    "nul": b"a: \x00\n",
    "bom": b"\xef\xbb\xbfmerge_method: x\n",
    "empty": b"",
}

# --- yaml ----------------------------------------------------------------------------------------

YAML = {name: MERGE_CONFIG[name] for name in (
    "models", "merge_keys", "merge_twice", "documents", "laughs", "recursion", "deep", "tags", "block", "bad_utf8",
    "nul", "bom", "empty")} | {
    "scalars": "- 0x1F\n- 0b11\n- 017\n- 1_000\n- 1:30\n- .inf\n- .NaN\n- ~\n- 2001-12-14\n- yes\n- 1e3\n- 1.5e+3\n",
    "flow": "{a: [1, {b: c}], 'd': \"e\\n\", ? f : g}\n",
    "anchors": "- &a {x: 1}\n- *a\n- <<: *a\n  y: 2\n",
    "folded": "a: >+\n  b\n\n  c\n\nd: |-\n  e\n",
    "directives": "%YAML 1.1\n%TAG ! tag:yaml.org,2002:\n--- !!map\na: b\n...\n",
}

# --- patterns ------------------------------------------------------------------------------------

PATTERNS = {
    "plain": "q_proj\nmodel.layers.0.self_attn.q_proj.weight\n",
    "classes": "^model\\.layers\\.(?:1[0-9]|\\d)\\.[^.]+\\.(?<p>down|up)_proj$\nmodel.layers.3.mlp.up_proj\n",
    "look": "(?<!x)(?=mlp)(?>m+)\\p{Ll}\\R?\nmlp\n",
    "endless": "(a+)+$\n" + "a" * 40 + "b\n",
    "nested": "(" * 200 + ")" * 200,
    "repeat": "((a{1,999}){1,999}){1,99}\naaa\n",
    "recursion": "(?R)?a(?1)\naaa\n",
    "callout": "(?C1)(*LIMIT_MATCH=1)a\na\n",
    "bad": "(\n",
    "bad_utf8": b"a\xff\n\xff\n",
    "rules": "ffn_down=Q5_K\nattn_v=q6_k blk\\.0\\.=f16\n",
    "rules_bad": "a=b",
}

# --- names ---------------------------------------------------------------------------------------

NAMES = {
    "shard": "model-00001-of-00002.safetensors",
    "part": "model-00003-of-00012.gguf",
    "part_large": "a-99999-of-99999.gguf",
    "above": "../model.safetensors",
    "device": "con.safetensors",
    "drive": "c:model.safetensors",
    "nul": b"a\x00b",
    "hub": "a/b",
    "hub_revision": "a/b@refs/pr/1",
    "hub_above": "a/b@../../x",
    "commit": "a" * 40 + "\n",
    "lfs": "version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 5\n",
    "html": "<!DOCTYPE html>",
    "numbers": "layers.2layers.10layers.002",
}

# --- front_matter --------------------------------------------------------------------------------

FRONT_MATTER = {
    "card": "---\nlicense: mit\ntags:\n- a\n- b\n---\n# Title\n",
    "flow": "---\ntags: [a, 'b', \"c\"]\nbase_model: x/y\n---\ntext",
    "comments": "---\n# one\n\nlicense: mit  # two\nwidget:\n- text: |\n    a: b\n---\n",
    "none": "# Title\n\n---\n",
    "not_closed": "---\nlicense: mit\n",
    "quoted": "---\na: \"x\n  y: z\"\n---\n",
    "crlf": "---\r\nlicense: mit\r\ntags:\r\n- a\r\n---\r\n",
    "ticks": "a ``` b ```` c",
    "reserved": "yes",
    # Was written as it is, which YAML does not allow.
    "delete": "a\x7f",
    "escapes": "a\u0085b\u2028\x01",
    "base_models": "---\nbase_model:\n- a/b-v2\n- c\nlanguage: [en, de]\n---\n",
}

# --- sentencepiece -------------------------------------------------------------------------------

SENTENCEPIECE = {
    "pieces": PIECES,
    "cut": PIECES[:20],
    "trainer": PIECES + b"\x12\x0d\x18\x02\x20\x02\x98\x02\x01\xc0\x02\x00\xc8\x02\x01",
    "negative": PIECES + b"\x12\x0c\xd8\x02" + b"\xff" * 9 + b"\x01",
    "not_utf8": b"\x0a\x03\x0a\x01\xff",
    "long_number": b"\x0a" + b"\xff" * 11,
    "group": b"\x0b\x0c",
    "nothing": b"",
}
