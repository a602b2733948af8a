#!/usr/bin/env python3
"""What llama.cpp's converter writes for config.json, per architecture and variant.

    make_gguf_keys.py LLAMA_CPP OUT.json

Reads tests/data/arch/*/config.json, runs the converter's own classes on each (with the changes of
VARIANTS), and writes for each case the config as given to it, every "{arch}." key in its order with
type and value, and the values of the tensors that it derives from config.json. Needs torch,
transformers and numpy; needs no network and no weights beyond tests/data/arch.
"""
import json
import logging
import os
import shutil
import sys
import tempfile
from pathlib import Path

LLAMA_CPP, OUT = sys.argv[1:]
sys.path[:0] = [os.path.join(LLAMA_CPP, "gguf-py"), LLAMA_CPP]
import gguf  # noqa: E402
import torch  # noqa: E402
from conversion import ModelBase, ModelType, get_model_class  # noqa: E402
from conversion.base import get_model_architecture  # noqa: E402

logging.disable(logging.CRITICAL)
ARCH = Path(__file__).parent / "arch"
LLAMA3 = {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 32.0, "low_freq_factor": 1.0,
          "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
YARN = {"rope_type": "yarn", "rope_theta": 1e6, "factor": 4.0,
        "original_max_position_embeddings": 128}
LINEAR = {"rope_type": "linear", "rope_theta": 10000.0, "factor": 2.5}
LONG = {"rope_type": "longrope", "rope_theta": 10000.0, "partial_rotary_factor": 0.75,
        "original_max_position_embeddings": 128,
        "long_factor": [1.05, 1.25, 2.0, 3.3, 8.1, 19.9], "short_factor": [1.0, 1.0, 1.1, 1.2, 2.0, 2.5]}
DEEP_YARN = {**YARN, "rope_theta": 10000.0, "factor": 40.0, "beta_fast": 32, "beta_slow": 1,
             "mscale": 0.707, "mscale_all_dim": 0.707}

# Changes of config.json; None as a value stays null, "-" removes the key.
VARIANTS = {
    "llama": {
        "big": {"head_dim": 128, "max_position_embeddings": 131072, "rope_parameters": LLAMA3,
                "num_key_value_heads": "-"},
        "linear": {"rope_parameters": LINEAR, "head_dim": "-"},
        "old": {"rope_parameters": "-", "rope_theta": 20000.0,
                "rope_scaling": {"type": "yarn", "factor": 2.0,
                                 "original_max_position_embeddings": 256}},
    },
    "mistral": {"wide": {"head_dim": 32, "sliding_window": None}},
    "mixtral": {"head": {"head_dim": 32}},
    "qwen2": {"yarn": {"rope_parameters": {**YARN, "attention_factor": 1.25}}},
    "qwen3": {"yarn": {"rope_parameters": {**YARN, "beta_fast": 24.0}, "head_dim": "-"}},
    "phi3": {"long": {"rope_parameters": LONG, "original_max_position_embeddings": 128},
             "window": {"sliding_window": 256}},
    "gemma3_text": {
        "linear": {"rope_parameters": {
            "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
            "sliding_attention": {"rope_type": "default", "rope_theta": 5000.0}}},
        "capped": {"final_logit_softcapping": 30.0},
    },
    "deepseek_v3": {
        "real": {"scoring_func": "sigmoid", "rope_parameters": DEEP_YARN, "q_lora_rank": None},
        "plain": {"norm_topk_prob": False, "head_dim": "-"},
    },
    "granite": {"linear": {"rope_parameters": LINEAR, "attention_multiplier": 0.015625}},
    "glm4": {"part": {"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0,
                                          "partial_rotary_factor": 0.75}}},
    "stablelm": {"parallel": {"use_parallel_residual": True}},
    "gpt_oss": {"plain": {"rope_parameters": {"rope_type": "default", "rope_theta": 150000.0}}},
    "gpt2": {"deep": {"n_positions": 1024, "layer_norm_epsilon": 1e-6}},
}


def run(config, name):
    folder = Path(tempfile.mkdtemp())
    (folder / "config.json").write_text(json.dumps(config))
    os.symlink(ARCH / name / "model.safetensors", folder / "model.safetensors")
    architecture = get_model_architecture(ModelBase.load_hparams(folder, False), ModelType.TEXT)
    with torch.inference_mode():
        model = get_model_class(architecture)(folder, gguf.LlamaFileType.MOSTLY_BF16,
                                              folder / "out.gguf", eager=True)
        tensors = {name: tensor.tolist() for name, tensor in model.generate_extra_tensors()}
        model.set_gguf_parameters()
    shutil.rmtree(folder)
    keys = [[key, value.type.name, value.value] for key, value in model.gguf_writer.kv_data[0].items()
            if not key.startswith(("general.", "tokenizer."))]
    arch = model.gguf_writer.kv_data[0]["general.architecture"].value
    return {"architecture": arch, "keys": keys, "tensors": tensors}


cases = []
for path in sorted(ARCH.iterdir()):
    plain = json.loads((path / "config.json").read_text())
    for variant, changes in [("", {}), *VARIANTS.get(path.name, {}).items()]:
        config = {key: value for key, value in {**plain, **changes}.items() if value != "-"}
        if path.name == "gpt2":
            config["n_ctx"] = config["n_positions"]  # which the converter asks for
        cases.append({"name": path.name, "variant": variant, "config": config,
                      **run(config, path.name)})
Path(OUT).write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
