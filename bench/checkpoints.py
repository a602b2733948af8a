"""Checkpoints of a given shape for the benchmarks: names, shards and safetensors headers."""

import json
import pathlib
import shutil
import struct

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Shapes by name. `llama-1b` is the usual 1.1 B one, `llama-290m` the same with
# four layers; `llama-70b` has that of the 141 GB models.
SHAPES = {
    "llama-1b": dict(layers=22, hidden=2048, intermediate=5632, heads=32, key_heads=4,
                     vocabulary=32000, tied=False),
    "llama-290m": dict(layers=4, hidden=2048, intermediate=5632, heads=32, key_heads=4,
                       vocabulary=32000, tied=False),
    "llama-70b": dict(layers=80, hidden=8192, intermediate=28672, heads=64, key_heads=8,
                      vocabulary=128256, tied=False),
    # One tensor of 20 GB: the embedding.
    "one-tensor": dict(layers=1, hidden=8192, intermediate=8192, heads=64, key_heads=8,
                       vocabulary=1220704, tied=True),
    # 91,991 tensors, as many as the largest open models have: 9 a layer, an embedding and a norm.
    "many-tensors": dict(layers=10221, hidden=64, intermediate=128, heads=4, key_heads=2,
                         vocabulary=2048, tied=True),
    "many-shards": dict(layers=32, hidden=256, intermediate=512, heads=8, key_heads=4,
                        vocabulary=2048, tied=False),
}


def llama_tensors(layers, hidden, intermediate, heads, key_heads, vocabulary, tied):
    """(name, shape) of a Llama in Hugging Face's names, in the order of its layers."""
    key = hidden // heads * key_heads
    yield "model.embed_tokens.weight", (vocabulary, hidden)
    for layer in range(layers):
        prefix = f"model.layers.{layer}."
        yield prefix + "input_layernorm.weight", (hidden,)
        yield prefix + "mlp.down_proj.weight", (hidden, intermediate)
        yield prefix + "mlp.gate_proj.weight", (intermediate, hidden)
        yield prefix + "mlp.up_proj.weight", (intermediate, hidden)
        yield prefix + "post_attention_layernorm.weight", (hidden,)
        yield prefix + "self_attn.k_proj.weight", (key, hidden)
        yield prefix + "self_attn.o_proj.weight", (hidden, hidden)
        yield prefix + "self_attn.q_proj.weight", (hidden, hidden)
        yield prefix + "self_attn.v_proj.weight", (key, hidden)
    yield "model.norm.weight", (hidden,)
    if not tied:
        yield "lm_head.weight", (vocabulary, hidden)


def llama_config(layers, hidden, intermediate, heads, key_heads, vocabulary, tied):
    """A config that every release of transformers, mlx-lm and lbrx reads."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": hidden,
        "intermediate_size": intermediate,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": key_heads,
        "head_dim": hidden // heads,
        "vocab_size": vocabulary,
        "tie_word_embeddings": tied,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "max_position_embeddings": 2048,
        "hidden_act": "silu",
        "torch_dtype": "bfloat16",
        "bos_token_id": 2044,
        "eos_token_id": 2045,
    }


def bf16_bytes(shape):
    size = 2
    for dimension in shape:
        size *= dimension
    return size


def shards_by_size(tensors, limit):
    """Lists of (name, shape) of at most `limit` bytes each."""
    shards, used = [[]], 0
    for name, shape in tensors:
        size = bf16_bytes(shape)
        if shards[-1] and used + size > limit:
            shards.append([])
            used = 0
        shards[-1].append((name, shape))
        used += size
    return shards


def shards_by_count(tensors, count):
    """Exactly `count` lists of nearly equal length."""
    tensors = list(tensors)
    return [tensors[len(tensors) * i // count : len(tensors) * (i + 1) // count]
            for i in range(count)]


def header(tensors):
    """(header bytes, data bytes) of a safetensors file that holds `tensors` in bf16, in order."""
    entries, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in tensors:
        end = offset + bf16_bytes(shape)
        entries[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text, offset


def write_folder(folder, shape, shards, write_data):
    """Config, tokenizer, index and shards; write_data(file, tensors, bytes) fills a shard.

    The folder appears under its name when it is complete, so that a broken run leaves none.
    """
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(ROOT / "models/tiny-llama" / name, partial / name)
    (partial / "config.json").write_text(json.dumps(llama_config(**shape), indent=2))
    weight_map, total = {}, 0
    for number, tensors in enumerate(shards, 1):
        name = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        head, size = header(tensors)
        with open(partial / name, "wb") as file:
            file.write(head)
            write_data(file, tensors, size)
        weight_map.update({tensor: name for tensor, _ in tensors})
        total += size
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (partial / "model.safetensors.index.json").write_text(json.dumps(index, indent=2))
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
