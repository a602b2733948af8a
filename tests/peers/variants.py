"""Variants of the small models in tests/data/arch: each is a list of changes to one of them."""

import dataclasses
import json
import re

import mlx.core as mx

from support import read_json

ATTENTION = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj")
FEED_FORWARD = ("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")
# The names' beginnings, as Hugging Face spells them.
LAYER = re.compile(r"(model\.layers|transformer\.h)\.(\d+)\.(.*)")


@dataclasses.dataclass(frozen=True)
class Variant:
    name: str
    architecture: str
    changes: tuple  # functions of (config, tensors)
    refused: str = ""  # words of the notice, where mlx-lm's class cannot hold it
    group: int = 32


def write_variant(variant, folder):
    """Changes the source folder in place."""
    config = read_json(folder / "config.json")
    tensors = mx.load(str(folder / "model.safetensors"))
    for change in variant.changes:
        change(config, tensors)
    mx.eval(tensors)
    mx.save_safetensors(str(folder / "model.safetensors"), tensors, {"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config))


def random(*shape):
    return mx.random.normal(shape, scale=0.05).astype(mx.bfloat16)


def layer_prefixes(tensors):
    return sorted({match[0][: match.start(3)] for match in map(LAYER.match, tensors) if match})


def setting(**values):
    return lambda config, tensors: config.update(values)


def rope(**values):
    """rope_parameters, but for the base and what else is there."""
    return lambda config, tensors: config["rope_parameters"].update(values)


def head(config, tensors):
    tensors["lm_head.weight"] = random(config["vocab_size"], config.get("hidden_size", 64))
    config["tie_word_embeddings"] = False


def tied(config, tensors):
    tensors.pop("lm_head.weight", None)
    config["tie_word_embeddings"] = True


def biases(*modules, **values):
    def change(config, tensors):
        config.update(values)
        for prefix in layer_prefixes(tensors):
            for module in modules:
                if f"{prefix}{module}.weight" in tensors:
                    rows = tensors[f"{prefix}{module}.weight"].shape[0]
                    tensors[f"{prefix}{module}.bias"] = random(rows)

    return change


def without(pattern, **values):
    def change(config, tensors):
        config.update(values)
        for name in [name for name in tensors if re.search(pattern, name)]:
            del tensors[name]

    return change


def added(shapes, layers=(0, 1), **values):
    """{what follows the layer's prefix: shape}"""
    def change(config, tensors):
        config.update(values)
        for layer in layers:
            for name, shape in shapes.items():
                tensors[f"model.layers.{layer}.{name}"] = random(*shape)

    return change


def depth(layers):
    """One layer, or more with copies of the second."""
    def change(config, tensors):
        for name in list(tensors):
            match = LAYER.match(name)
            if match and int(match[2]) >= layers:
                del tensors[name]
            elif match and match[2] == "1":
                for layer in range(2, layers):
                    tensors[f"{match[1]}.{layer}.{match[3]}"] = tensors[name]
        config["n_layer" if "n_layer" in config else "num_hidden_layers"] = layers
        for key in ("layer_types", "no_rope_layers"):
            if config.get(key):
                config[key] = (config[key] + config[key][-1:] * layers)[:layers]

    return change


def narrow(size):
    """A feed-forward part that no group divides."""
    def change(config, tensors):
        config["intermediate_size"] = size
        for name, tensor in tensors.items():
            if re.search(r"gate_up_proj", name):
                tensors[name] = tensor[: 2 * size]
            elif re.search(r"mlp\.(gate_proj|up_proj|c_fc)", name):
                tensors[name] = tensor[:size]
            elif re.search(r"mlp\.(down_proj|c_proj)\.weight", name):
                tensors[name] = tensor[:, :size]

    return change


def narrow_experts(size):
    def change(config, tensors):
        config["moe_intermediate_size"] = size
        for name, tensor in tensors.items():
            if re.search(r"experts\.(\d+\.)?(gate_proj|up_proj)", name):
                tensors[name] = tensor[:size]
            elif re.search(r"experts\.(\d+\.)?down_proj", name):
                tensors[name] = tensor[:, :size]

    return change


def hidden(size):
    """A residual stream that no group divides."""
    def change(config, tensors):
        config["hidden_size"] = size
        for name, tensor in tensors.items():
            if re.search(r"(q|k)_norm", name):
                continue
            outputs = re.search(r"(norm|layernorm|o_proj|down_proj)\.weight", name)
            shape = [size, *tensor.shape[1:]] if outputs else [tensor.shape[0], size]
            tensors[name] = random(*shape)

    return change


def wide_heads(config, tensors):
    """Heads twice as wide as hidden_size says."""
    config["head_dim"] = 2 * config["hidden_size"] // config["num_attention_heads"]
    for name, tensor in tensors.items():
        if re.search(r"self_attn\.(q|k|v|qkv)_proj", name):
            tensors[name] = mx.concatenate([tensor, tensor])
        elif "self_attn.o_proj.weight" in name:
            tensors[name] = mx.concatenate([tensor, tensor], axis=1)


def gpt2_bare(_, tensors):
    """As the hub's gpt2 is."""
    for name in list(tensors):
        tensors[name.removeprefix("transformer.")] = tensors.pop(name)


def gpt2_narrow(config, tensors):
    config["n_inner"] = 128
    for name, tensor in tensors.items():
        if "mlp.c_fc" in name:
            tensors[name] = tensor[..., :128]
        elif name.endswith("mlp.c_proj.weight"):
            tensors[name] = tensor[:128]


def dense_first_layer(config, tensors):
    without(r"layers\.0\.mlp\.")(config, tensors)
    added({"mlp.gate_proj.weight": (128, 64), "mlp.up_proj.weight": (128, 64),
           "mlp.down_proj.weight": (64, 128)}, layers=[0], mlp_only_layers=[0])(config, tensors)


NORMS_OF_STABLELM = {f"self_attn.{part}_layernorm.norms.{head}.weight": (16,)
                     for part, heads in (("q", 4), ("k", 2)) for head in range(heads)}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 128}
LINEAR = {"rope_type": "linear", "factor": 2.0}
LONG = {"rope_type": "longrope", "short_factor": [1.0] * 8, "long_factor": [2.0] * 8,
        "original_max_position_embeddings": 128}
SLIDING = ["sliding_attention", "full_attention"]

HELD = [
    Variant("llama_tied", "llama", (tied,)),
    Variant("llama_biases", "llama",
            (biases(*ATTENTION, attention_bias=True), biases(*FEED_FORWARD, mlp_bias=True))),
    Variant("llama_one_layer", "llama", (depth(1),)),
    Variant("llama_five_layers", "llama", (depth(5),), group=64),
    Variant("llama_narrow", "llama", (narrow(120),)),
    Variant("llama_narrow_64", "llama", (narrow(96),), group=64),
    Variant("llama_hidden", "llama", (hidden(80),)),
    Variant("qwen3_hidden", "qwen3", (hidden(96),), group=64),
    Variant("qwen3_moe_narrow", "qwen3_moe", (narrow_experts(48),)),
    Variant("deepseek_v3_narrow", "deepseek_v3", (narrow_experts(32),), group=64),
    Variant("llama_linear", "llama", (rope(**LINEAR),)),
    Variant("llama_yarn", "llama", (rope(**YARN),)),
    Variant("llama_dynamic", "llama", (rope(rope_type="dynamic", factor=2.0),)),
    Variant("llama_longrope", "llama", (rope(**LONG),)),
    Variant("llama_unscaled", "llama", (setting(rope_parameters={
        "rope_type": "default", "rope_theta": 10000.0}),)),
    Variant("llama_sliding", "llama", (setting(layer_types=SLIDING, sliding_window=4),)),
    Variant("llama_wide_heads", "llama", (wide_heads,)),
    Variant("mistral_sliding", "mistral", (setting(sliding_window=4),)),
    Variant("smollm3_head", "smollm3", (head,)),
    Variant("smollm3_three_layers", "smollm3", (depth(3),)),
    Variant("qwen2_tied", "qwen2", (tied,)),
    Variant("qwen2_head", "qwen2", (head,)),
    Variant("qwen2_yarn", "qwen2", (rope(**YARN),)),
    Variant("qwen3_tied", "qwen3", (tied,)),
    Variant("qwen3_head", "qwen3", (head,)),
    Variant("qwen3_narrow", "qwen3", (narrow(80),), group=64),
    Variant("qwen3_yarn", "qwen3", (rope(**YARN),)),
    Variant("qwen3_moe_dense", "qwen3_moe", (dense_first_layer,)),
    Variant("qwen3_moe_tied", "qwen3_moe", (tied,)),
    Variant("mixtral_tied", "mixtral", (tied,)),
    Variant("mixtral_three_layers", "mixtral", (depth(3),)),
    Variant("gemma2_three_layers", "gemma2", (depth(3),)),
    Variant("gemma3_head", "gemma3_text", (head,)),
    Variant("phi3_tied", "phi3", (tied,)),
    Variant("phi3_long", "phi3", (rope(**LONG),)),
    Variant("phi3_narrow", "phi3", (narrow(120),)),
    Variant("olmo2_biases", "olmo2", (biases(*ATTENTION, attention_bias=True),)),
    Variant("olmo2_yarn", "olmo2", (rope(**YARN),)),
    Variant("granite_head", "granite", (head,)),
    Variant("granite_biases", "granite",
            (biases(*ATTENTION, attention_bias=True), biases(*FEED_FORWARD, mlp_bias=True))),
    Variant("cohere_biases", "cohere", (biases(*ATTENTION, attention_bias=True),)),
    Variant("cohere_norms", "cohere", (added(
        {"self_attn.q_norm.weight": (4, 16), "self_attn.k_norm.weight": (2, 16)},
        use_qk_norm=True),)),
    Variant("stablelm_biases", "stablelm", (biases(*ATTENTION[:3], use_qkv_bias=True),)),
    Variant("stablelm_norms", "stablelm", (added(NORMS_OF_STABLELM, qk_layernorm=True),)),
    Variant("stablelm_parallel", "stablelm",
            (without("post_attention_layernorm", use_parallel_residual=True),)),
    Variant("starcoder2_head", "starcoder2", (head,)),
    Variant("starcoder2_narrow", "starcoder2", (narrow(120),)),
    Variant("glm4_no_biases", "glm4", (without(r"self_attn.*bias", attention_bias=False),)),
    Variant("deepseek_v3_biases", "deepseek_v3",
            (biases("self_attn.q_a_proj", "self_attn.kv_a_proj_with_mqa", "self_attn.o_proj",
                    attention_bias=True),)),
    Variant("deepseek_v3_plain_queries", "deepseek_v3",
            (without(r"self_attn\.q_[ab]_", q_lora_rank=None),
             added({"self_attn.q_proj.weight": (128, 64)}))),
    Variant("deepseek_v3_yarn", "deepseek_v3", (rope(**YARN, mscale=1.0, mscale_all_dim=1.0),)),
    Variant("gpt2_bare", "gpt2", (gpt2_bare,)),
    Variant("gpt2_bare_three_layers", "gpt2", (depth(3), gpt2_bare)),
]

REFUSED = [
    Variant("llama_query_biases", "llama", (biases(*ATTENTION[:3], attention_bias=True),),
            "requires model.layers.0.self_attn.o_proj.bias and 1 more such tensor"),
    Variant("llama_unsaid_biases", "llama", (biases(*FEED_FORWARD),),
            "has no model.layers.0.mlp.down_proj.bias and 5 more such tensors"),
    Variant("llama_norms", "llama", (added({"self_attn.q_norm.weight": (16,)}),),
            "has no model.layers.0.self_attn.q_norm.weight and 1 more such tensor"),
    Variant("llama_su", "llama", (rope(rope_type="su"),), "rope_scaling of type su"),
    Variant("llama_factorless", "llama", (setting(rope_parameters={
        "rope_type": "linear", "rope_theta": 10000.0}),), "type linear (without factor)"),
    Variant("llama_only_sliding", "llama",
            (setting(layer_types=["sliding_attention"] * 2, sliding_window=4),),
            "requires a layer with full_attention"),
    Variant("qwen2_no_biases", "qwen2", (without("bias"),),
            "requires model.layers.0.self_attn.k_proj.bias and 5 more such tensors"),
    Variant("qwen2_wide_heads", "qwen2", (wide_heads,), "does not read head_dim, 32"),
    Variant("qwen2_moe_tied", "qwen2_moe", (tied,), "requires lm_head.weight"),
    Variant("qwen2_moe_no_biases", "qwen2_moe", (without("bias", qkv_bias=False),),
            "requires model.layers.0.self_attn.k_proj.bias"),
    Variant("qwen2_moe_dense", "qwen2_moe", (dense_first_layer,),
            "has no model.layers.0.mlp.down_proj.weight and 2 more such tensors"),
    Variant("qwen2_moe_yarn", "qwen2_moe", (rope(**YARN),), "only linear"),
    Variant("qwen3_biases", "qwen3", (biases(*ATTENTION, attention_bias=True),),
            "has no model.layers.0.self_attn.k_proj.bias and 7 more such tensors"),
    Variant("qwen3_moe_biases", "qwen3_moe", (biases(*ATTENTION, attention_bias=True),),
            "has no model.layers.0.self_attn.k_proj.bias"),
    Variant("mixtral_wide_heads", "mixtral", (wide_heads,), "does not read head_dim, 32"),
    Variant("gemma2_head", "gemma2", (head,), "has no lm_head.weight:"),
    Variant("gemma2_biases", "gemma2", (biases(*ATTENTION, attention_bias=True),),
            "has no model.layers.0.self_attn.k_proj.bias"),
    Variant("gemma3_biases", "gemma3_text", (biases(*ATTENTION, attention_bias=True),),
            "has no model.layers.0.self_attn.k_proj.bias"),
    Variant("phi3_linear", "phi3", (rope(**LINEAR),), "type linear (without long_factor)"),
    Variant("phi3_wide_heads", "phi3", (wide_heads,), "does not read head_dim, 32"),
    Variant("granite_wide_heads", "granite", (wide_heads,), "does not read head_dim, 32"),
    Variant("cohere_head", "cohere", (head,), "has no lm_head.weight:"),
    Variant("stablelm_tied", "stablelm", (tied,), "requires lm_head.weight:"),
    Variant("starcoder2_no_biases", "starcoder2",
            (without(r"(self_attn|mlp).*bias", use_bias=False),),
            "requires model.layers.0.mlp.c_fc.bias and 11 more such tensors"),
    Variant("glm4_tied", "glm4", (tied,), "requires lm_head.weight:"),
    Variant("deepseek_v3_tied", "deepseek_v3", (tied,), "requires lm_head.weight:"),
    Variant("gpt_oss_no_biases", "gpt_oss", (without(r"self_attn.*bias", attention_bias=False),),
            "requires model.layers.0.self_attn.k_proj.bias"),
    Variant("gpt_oss_full", "gpt_oss", (setting(layer_types=["full_attention"] * 2),),
            "requires a layer with sliding_attention"),
    Variant("gpt2_head", "gpt2", (head,), "has no lm_head.weight:"),
    Variant("gpt2_narrow", "gpt2", (gpt2_narrow,), "takes 4 x n_embd"),
]
