"""Tiny MLX folders written by mlx-lm itself: golden files for grouping, index, config block.

    pip install 'mlx[cpu]==0.32.4' mlx-lm==0.32.2
    python tests/data/make_mlx.py

Writes tests/data/mlx/<case>/{model.safetensors,model.safetensors.index.json,config.json} and
expected.json: per tensor scheme, bits, group, dtype and logical shape as mlx sees them.
"""

import json
import pathlib

import mlx.core as mx
import mlx.nn as nn
from mlx_lm.models.llama import Model, ModelArgs
from mlx_lm.utils import quantize_model, save_config, save_model

FOLDER = pathlib.Path(__file__).parent / "mlx"

CONFIG = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 64,
    "num_hidden_layers": 1,
    "intermediate_size": 128,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "rms_norm_eps": 1e-05,
    "vocab_size": 40,
    "attention_bias": True,
    "tie_word_embeddings": False,
    "rope_theta": 10000.0,
    "rope_scaling": None,
    "a_name": "é 日本 \U0001f600",
}


def mixed(path, module):
    if path.endswith("down_proj"):
        return {"group_size": 32, "bits": 6, "mode": "affine"}
    if path.endswith("v_proj"):
        return {"group_size": 64, "bits": 8}
    if path.endswith("o_proj"):
        return {"group_size": 32, "bits": 4, "mode": "mxfp4"}
    return not path.endswith("k_proj")


def without_group(path, module):
    return {"bits": 8, "group_size": None} if path.endswith("up_proj") else True


CASES = {
    "bf16": None,
    "affine": ("affine", 64, 4, None),
    "mixed": ("affine", 64, 4, mixed),
    "without_group": ("affine", 64, 4, without_group),
    "mxfp4": ("mxfp4", None, None, None),
    "mxfp8": ("mxfp8", None, None, None),
    "nvfp4": ("nvfp4", None, None, mixed),
}


def describe(model):
    """name -> [mode, bits, group, dtype of values, shape of values]"""
    out = {}
    for path, module in model.named_modules():
        if isinstance(module, (nn.QuantizedLinear, nn.QuantizedEmbedding)):
            values = mx.dequantize(
                module.weight, module.scales, module.get("biases"), module.group_size, module.bits, module.mode
            )
            dtype = str(values.dtype).removeprefix("mlx.core.")
            out[path + ".weight"] = [module.mode, module.bits, module.group_size, dtype, list(values.shape)]
    for name, array in nn.utils.tree_flatten(model.parameters()):
        owner = name.rpartition(".")[0] + ".weight"
        if owner not in out or name.endswith(".bias"):
            out[name] = ["plain", 0, 0, str(array.dtype).removeprefix("mlx.core."), list(array.shape)]
    return dict(sorted(out.items()))


def main():
    for case, quantization in CASES.items():
        mx.random.seed(1)
        model = Model(ModelArgs.from_dict(CONFIG))
        model.set_dtype(mx.bfloat16)
        config = dict(CONFIG)
        if quantization:
            mode, group, bits, predicate = quantization
            model, config = quantize_model(model, config, group, bits, mode, quant_predicate=predicate)
        folder = FOLDER / case
        folder.mkdir(parents=True, exist_ok=True)
        save_model(folder, model)
        save_config(config, folder / "config.json")
        (folder / "expected.json").write_text(json.dumps(describe(model), indent=1) + "\n")


main()
