"""Seeds of the targets whose input is the files of a folder (input_folder.h), or a whole model."""

import json
import pathlib
import struct

DATA = pathlib.Path(__file__).parent.parent / "tests" / "data"


def header(arrays):
    """A safetensors header of (name, dtype, shape), and the bytes of its data."""
    bits = {"F32": 32, "BF16": 16, "F16": 16, "U32": 32, "U8": 8, "I32": 32}
    out, end = {}, 0
    for name, dtype, shape in sorted(arrays, key=lambda array: -bits[array[1]]):
        size = bits[dtype] // 8
        for dim in shape:
            size *= dim
        out[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + size]}
        end += size
    return json.dumps(out, separators=(",", ":")), end


def folder(files):
    """{name: text, object, or list of arrays} as an input."""
    out = ""
    for name, content in files.items():
        size = ""
        if isinstance(content, list):
            content, end = header(content)
            size = f" {end}"
        elif not isinstance(content, str):
            content = json.dumps(content)
        out += f"=== {name}{size}\n{content}\n"
    return out.removesuffix("\n")


# --- folder --------------------------------------------------------------------------------------

LLAMA = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "torch_dtype": "bfloat16",
    "hidden_size": 8, "intermediate_size": 8, "num_attention_heads": 2, "num_key_value_heads": 1,
    "num_hidden_layers": 1, "vocab_size": 6, "rms_norm_eps": 1e-05, "rope_theta": 10000.0,
    "max_position_embeddings": 64, "tie_word_embeddings": False, "bos_token_id": 0, "eos_token_id": 1,
}  # fmt: skip


def llama(dtype="BF16", layers=1):
    out = [("model.embed_tokens.weight", dtype, [6, 8]), ("model.norm.weight", dtype, [8]),
           ("lm_head.weight", dtype, [6, 8])]
    for layer in range(layers):
        at = f"model.layers.{layer}."
        out += [(at + f"self_attn.{name}_proj.weight", dtype, [rows, 8])
                for name, rows in (("q", 8), ("k", 4), ("v", 4), ("o", 8))]
        out += [(at + f"mlp.{name}_proj.weight", dtype, [8, 8]) for name in ("gate", "up", "down")]
        out += [(at + f"{name}_layernorm.weight", dtype, [8]) for name in ("input", "post_attention")]
    return out


def indexed(shards, **changes):
    total = sum(header(arrays)[1] for arrays in shards.values())
    index = {"metadata": {"total_size": total},
             "weight_map": {array[0]: name for name, arrays in shards.items() for array in arrays}}
    index["weight_map"] |= changes
    return {"config.json": LLAMA, "model.safetensors.index.json": index, **shards}


TOKENIZER = {
    "added_tokens": [{"id": 0, "content": "<s>", "special": True},
                     {"id": 1, "content": "</s>", "special": True}],
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True},
    "decoder": {"type": "ByteLevel"},
    "model": {"type": "BPE", "vocab": {"<s>": 0, "</s>": 1, "a": 2, "b": 3, "ab": 4, "\u0120": 5},
              "merges": [["a", "b"]]},
}  # fmt: skip
MODEL = {"config.json": LLAMA, "model.safetensors": llama()}
HALVES = {"model-00001-of-00002.safetensors": llama()[:5], "model-00002-of-00002.safetensors": llama()[5:]}
MLX = LLAMA | {"hidden_size": 64, "intermediate_size": 64, "quantization": {"group_size": 64, "bits": 4}}


def quantized_mlx():
    out = [("model.norm.weight", "BF16", [64])]
    for name, dtype, shape in llama():
        if len(shape) == 1:
            continue
        out += [(name, "U32", [shape[0], 8])]
        out += [(name.removesuffix("weight") + part, "BF16", [shape[0], 1]) for part in ("scales", "biases")]
    return out


FOLDER = {
    "llama": folder(MODEL),
    "f32": folder({"config.json": LLAMA, "model.safetensors": llama("F32")}),
    "tied": folder({"config.json": LLAMA | {"tie_word_embeddings": True}, "model.safetensors": llama()[:2] + llama()[3:]}),
    "tokenizer": folder(MODEL | {"tokenizer.json": TOKENIZER, "generation_config.json": {"eos_token_id": [1, 2]},
                                 "tokenizer_config.json": {"bos_token": "<s>", "chat_template": "{{ messages }}"}}),
    "card": folder(MODEL | {"README.md": "---\nlicense: mit\ntags: [a]\n---\n# A model\n"}),
    "two_shards": folder(indexed(HALVES)),
    "index_outside": folder(indexed(HALVES, x="../x.safetensors")),
    "index_more": folder(indexed(HALVES, x="model-00001-of-00002.safetensors")),
    "index_missing": folder(indexed(HALVES, x="y.safetensors")),
    "missing_shard": folder(indexed({"model-00001-of-00002.safetensors": llama()})),
    "twice": folder(MODEL | {"more.safetensors": llama()[:1]}),
    "mlx": folder({"config.json": MLX, "model.safetensors": quantized_mlx()}),
    "other_shape": folder({"config.json": LLAMA | {"hidden_size": 16}, "model.safetensors": llama()}),
    "two_layers": folder({"config.json": LLAMA | {"num_hidden_layers": 2}, "model.safetensors": llama(layers=2)}),
    "no_config": folder({"model.safetensors": llama()}),
    "cut_config": folder({"config.json": json.dumps(LLAMA)[:150], "model.safetensors": llama()}),
    "unknown": folder({"config.json": {"model_type": "x"}, "model.safetensors": [("a.weight", "BF16", [4, 8])]}),
    "gpt2": folder({"config.json": {"model_type": "gpt2", "n_embd": 8, "n_layer": 1, "n_head": 2, "vocab_size": 6},
                    "model.safetensors": [("h.0.attn.c_attn.weight", "F32", [8, 24]), ("wte.weight", "F32", [6, 8])]}),
    "empty": "",
}  # fmt: skip

# --- adapter -------------------------------------------------------------------------------------

PEFT = {"peft_type": "LORA", "r": 2, "lora_alpha": 4, "target_modules": ["q_proj"], "bias": "none"}
MLX_LORA = {"fine_tune_type": "lora", "num_layers": -1,
            "lora_parameters": {"rank": 2, "scale": 5.0, "dropout": 0.0, "keys": ["self_attn.q_proj"]}}
Q = "base_model.model.model.layers.0.self_attn.q_proj."
PAIR = [(Q + "lora_A.weight", "F32", [2, 64]), (Q + "lora_B.weight", "F32", [64, 2])]
EMBEDDING = "base_model.model.model.embed_tokens."


def peft(arrays, **changes):
    return folder({"adapter_config.json": PEFT | changes, "adapter_model.safetensors": arrays})


ADAPTER = {
    "lora": peft(PAIR),
    "rslora": peft(PAIR, use_rslora=True, revision=None, layers_pattern=None),
    "dora": peft([*PAIR, (Q + "lora_magnitude_vector", "F32", [64])], use_dora=True),
    "patterns": peft(PAIR, r=8, rank_pattern={"q_proj": 2}, alpha_pattern={"layers.*.q_proj": 3, "^model": 1}),
    "bias": peft([*PAIR, (Q + "lora_B.bias", "F32", [64])], lora_bias=True),
    "embedding": peft([(EMBEDDING + "lora_embedding_A", "BF16", [2, 96]),
                       (EMBEDDING + "lora_embedding_B", "BF16", [64, 2])], target_modules=["embed_tokens"]),
    "saved": peft([*PAIR, ("base_model.model.lm_head.weight", "BF16", [96, 64])], modules_to_save=["lm_head"]),
    "fan_in": peft(PAIR, fan_in_fan_out=True),
    "other_rank": peft([PAIR[0], (Q + "lora_B.weight", "F32", [64, 3])]),
    "one_of_two": peft(PAIR[:1]),
    "unknown_module": peft([(name.replace("q_proj", "x"), dtype, shape) for name, dtype, shape in PAIR]),
    "other_type": peft(PAIR, peft_type="IA3"),
    "mlx": folder({"adapter_config.json": MLX_LORA, "adapters.safetensors": [
        ("model.layers.0.self_attn.q_proj.lora_a", "F32", [64, 2]),
        ("model.layers.0.self_attn.q_proj.lora_b", "F32", [2, 64])]}),
    "mlx_dora": folder({"adapter_config.json": MLX_LORA | {"fine_tune_type": "dora"}, "adapters.safetensors": [
        ("model.layers.0.self_attn.q_proj.lora_a", "F32", [64, 2]), ("model.layers.0.self_attn.q_proj.m", "F32", [64]),
        ("model.layers.0.self_attn.q_proj.lora_b", "F32", [2, 64])]}),
    "mlx_full": folder({"adapter_config.json": {"fine_tune_type": "full", "num_layers": 1}, "adapters.safetensors": [
        ("model.layers.0.input_layernorm.weight", "F32", [64])]}),
}  # fmt: skip

# --- plan ----------------------------------------------------------------------------------------

REQUEST = {
    "command": "convert", "source": "a", "merge": None, "destination": "b", "to": "mlx", "scheme": "4bit",
    "group_size": 64, "mlx_rule": "metal", "search": False, "dequantize": False, "dtype": "BF16",
    "text_only": False, "target_bpw": None, "target_size": None, "choices": [],
    "rules": [{"regex": "lm_head", "scheme": None}, {"regex": "q_proj$", "scheme": "8bit/32"}],
    "protect_routers": False, "shard_size": 5000000000, "strict": False, "card": True, "gguf": {},
}  # fmt: skip
GGUF_REQUEST = {
    "pre": "", "embed_hf": False, "imatrix": "", "include_weights": ["a"], "exclude_weights": [], "pure": False,
    "leave_output_tensor": False, "output_tensor_type": "Q6_K", "token_embedding_type": "",
    "tensor_types": [{"regex": "ffn_down", "type": "Q5_K"}], "override_kv": ["general.name=str:x"],
    "prune_layers": [1, 2], "allow_requantize": False, "keep_split": False,
}  # fmt: skip
MERGE_REQUEST = {
    "config_file": "m.yaml", "config": "merge_method: linear\nmodels: [{model: a}]\n", "seed": 0,
    "compat": False, "allow_crimes": False, "copy_tokenizer": True, "card": True, "strict": False, "dtype": None,
}  # fmt: skip
PLAN = {
    "mlx": REQUEST,
    "gguf": REQUEST | {"to": "gguf", "scheme": "q4_k_m", "dtype": None, "gguf": GGUF_REQUEST},
    "target": REQUEST | {"scheme": None, "target_bpw": 4.5,
                         "choices": [{"tensor": "a", "scheme": "4bit/64", "squared_error": 0.5},
                                     {"tensor": "b", "scheme": None, "squared_error": 0}]},
    "size": REQUEST | {"to": "gguf", "scheme": "iq", "target_size": 1 << 40},
    # Its group size and layer did not fit the fields that they were put into.
    "wide_group": REQUEST | {"group_size": 65600},
    "wide_layer": REQUEST | {"gguf": GGUF_REQUEST | {"prune_layers": [(1 << 32) + 1]}},
    "merge": REQUEST | {"command": "merge", "merge": MERGE_REQUEST},
    # A type that there is not was taken for none.
    "merge_type": REQUEST | {"command": "merge", "merge": MERGE_REQUEST | {"dtype": "float24"}},
    "missing": {"command": "convert"},
}  # fmt: skip
PLAN = {name: json.dumps(value) for name, value in PLAN.items()}

# --- merge_tokenizer -----------------------------------------------------------------------------


def tokenizer_files(name):
    return {path.name: json.loads(path.read_text()) for path in sorted((DATA / "merge_tokenizer" / name).iterdir())}


def two(first, second):
    return folder(first | {"b." + name: content for name, content in second.items()})


def small(vocab, added=(), **config):
    return {"tokenizer.json": {"added_tokens": [{"id": id, "content": text, "special": True} for text, id in added],
                               "model": {"type": "BPE", "vocab": vocab, "merges": []}},
            "tokenizer_config.json": config}


MERGE_TOKENIZER = {
    "same": two(small({"a": 0, "b": 1}), small({"a": 0, "b": 1})),
    "swapped": two(small({"a": 0, "b": 1}), small({"a": 1, "b": 0})),
    "added": two(small({"a": 0}, [("<s>", 1)], bos_token="<s>"), small({"a": 0}, [("<x>", 1)], eos_token="<x>")),
    "configured": two(small({"a": 0}), small({"a": 0}, added_tokens_decoder={"1": {"content": "<y>", "special": True}},
                                            additional_special_tokens=["<z>"])),
    # Lists by id took memory that nothing in the file justified.
    "far": two(small({"a": 0, "b": 1000000000}), small({"a": 0})),
    # The added token has the id of "b".
    "gap": two(small({"a": 0, "b": 2}, bos_token="<s>"), small({"a": 0})),
    "templates": two(small({"a": 0}, chat_template="x"), small({"a": 0}, chat_template=[
        {"name": "default", "template": "y"}, {"name": "tool", "template": "z"}])),
    "one": folder(small({"a": 0})),
    "hole": two(small({"a": 0, "b": 5}), small({"c": 2})),
    "base_chat": two(tokenizer_files("base"), tokenizer_files("chat")),
    "unigram": two(tokenizer_files("unigram"), tokenizer_files("unigram")),
}  # fmt: skip

# --- gguf_model ----------------------------------------------------------------------------------

# Llama's keys with a tensor or two of other names and sizes, as the GGUF library wrote them.
GGUF_MODEL = {path.stem: path.read_bytes() for path in sorted((DATA / "gguf").glob("llama_*.gguf"))
              if path.stat().st_size < 2048}


def text(value):
    value = value.encode()
    return struct.pack("<Q", len(value)) + value


def key(name, value):
    if isinstance(value, str):
        return text(name) + struct.pack("<I", 8) + text(value)
    if isinstance(value, float):
        return text(name) + struct.pack("<If", 6, value)
    if isinstance(value, list):
        elements = b"".join(text(v) if isinstance(v, str) else struct.pack("<i", v) for v in value)
        return text(name) + struct.pack("<IIQ", 9, 8 if isinstance(value[0], str) else 5, len(value)) + elements
    return text(name) + struct.pack("<II", 4, value)


def model(keys, tensors):
    """Tensors of float32, by name and dimensions, the row's length first."""
    out = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys))
    out += b"".join(key(name, value) for name, value in keys.items())
    offset = 0
    for name, ne in tensors.items():
        out += text(name) + struct.pack(f"<I{len(ne)}QIQ", len(ne), *ne, 0, offset)
        size = 4
        for dim in ne:
            size *= dim
        offset += size + -size % 32
    return out + bytes(-len(out) % 32) + bytes(offset)


def keys_of(architecture, **more):
    sizes = {"block_count": 1, "context_length": 64, "embedding_length": 8, "feed_forward_length": 8,
             "attention.head_count": 2, "attention.head_count_kv": 2, "attention.layer_norm_rms_epsilon": 1e-5,
             "rope.freq_base": 1e4, "rope.dimension_count": 4, "vocab_size": 3} | more
    return {"general.architecture": architecture, "general.name": "Tiny"} | {
        f"{architecture}.{name}": value for name, value in sizes.items()}


TOKENS = {"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "default", "tokenizer.ggml.tokens": ["a", "b", "ab"],
          "tokenizer.ggml.token_type": [1, 1, 1], "tokenizer.ggml.merges": ["a b"], "tokenizer.ggml.bos_token_id": 0}
BLOCK = {"attn_norm": [8], "attn_q": [8, 8], "attn_k": [8, 8], "attn_v": [8, 8], "attn_output": [8, 8],
         "ffn_norm": [8], "ffn_gate": [8, 8], "ffn_up": [8, 8], "ffn_down": [8, 8]}
TENSORS = {"token_embd.weight": [8, 3], "output_norm.weight": [8], "output.weight": [8, 3]} | {
    f"blk.0.{name}.weight": ne for name, ne in BLOCK.items()}
GGUF_MODEL |= {
    "tiny": model(keys_of("llama") | TOKENS, TENSORS),
    "qwen3": model(keys_of("qwen3") | TOKENS, TENSORS | {"blk.0.attn_q_norm.weight": [4], "blk.0.attn_k_norm.weight": [4]}),
    "gemma": model(keys_of("gemma3", **{"attention.key_length": 4, "attention.sliding_window": 8}), TENSORS),
    "scaled": model(keys_of("llama", **{"rope.scaling.type": "yarn", "rope.scaling.factor": 4.0}), TENSORS),
    "experts": model(keys_of("qwen3moe", expert_count=2, expert_used_count=1, expert_feed_forward_length=8), TENSORS),
    "embedded": model(keys_of("llama") | {"lbrx.file.config.json": json.dumps(LLAMA)}, TENSORS),
}  # fmt: skip
