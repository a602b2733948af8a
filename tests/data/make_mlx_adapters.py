"""Adapters of mlx-lm, and what its own fusing makes of the models in tests/data/arch with them.

    pip install 'mlx[cpu]==0.32.4' mlx-lm==0.32.2
    python tests/data/make_mlx_adapters.py

Writes tests/data/adapters/mlx_<case>/{adapter_config.json,adapters.safetensors} and expected.json, as
tests/data/make_adapters.py does, under MLX's names and in its shapes ("layout": "mlx").
"""

import json
import pathlib
import shutil
import tempfile

import mlx.core as mx
import numpy as np
from mlx.utils import tree_flatten, tree_map, tree_unflatten
from mlx_lm.tuner.utils import linear_to_lora_layers
from mlx_lm.utils import load_model

DATA = pathlib.Path(__file__).parent
SAMPLES = 48

CASES = {
    "lora": ("llama", "lora", ["self_attn.q_proj", "mlp.down_proj", "model.embed_tokens"]),
    "dora": ("llama", "dora", ["self_attn.q_proj", "self_attn.v_proj"]),
    "experts": ("mixtral", "lora", ["block_sparse_moe.switch_mlp.down_proj"]),
    "conv1d": ("gpt2", "lora", ["attn.c_attn", "attn.c_proj"]),
    "full": ("llama", "full", None),
}


def samples(array):
    flat = np.array(array.astype(mx.float32)).reshape(-1)
    index = (np.arange(SAMPLES, dtype=np.int64) * 7919 + 13) % flat.size
    return {"norm": float(np.linalg.norm(flat.astype(np.float64))),
            "values": [float(value) for value in flat[index]]}


def weights(model):
    return dict(tree_flatten(model.parameters()))


def fused(model):
    modules = [(name, module.fuse()) for name, module in model.named_modules()
               if hasattr(module, "fuse")]
    model.update_modules(tree_unflatten(modules))
    return weights(model)


def load(source):
    """Of GPT-2, mlx-lm knows the names as first published, and asks for n_ctx."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(source / "config.json", folder)
        tensors = mx.load(str(source / "model.safetensors"))
        mx.save_safetensors(folder + "/model.safetensors", {
            name.removeprefix("transformer."): tensor for name, tensor in tensors.items()})
        return load_model(pathlib.Path(folder), model_config={"n_ctx": 512})[0]


def make(case, architecture, kind, keys):
    mx.random.seed(len(case))
    folder = DATA / "adapters" / f"mlx_{case}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    model = load(DATA / "arch" / architecture)
    model.update(tree_map(lambda value: value.astype(mx.float32), model.parameters()))
    base = {name: mx.array(value) for name, value in weights(model).items()}
    config = {"fine_tune_type": kind, "num_layers": -1,
              "lora_parameters": {"rank": 3, "scale": 5.0, "dropout": 0.0, "keys": keys}}
    model.freeze()
    if kind == "full":
        config["lora_parameters"] = None
        model.model.layers[1].self_attn.k_proj.unfreeze()
        model.model.layers[1].input_layernorm.unfreeze()
    else:
        linear_to_lora_layers(model, len(model.layers), config["lora_parameters"],
                              use_dora=kind == "dora")
    adapter = {name: value + 0.05 * mx.random.normal(value.shape) for name, value in
               tree_flatten(model.trainable_parameters())}
    model.load_weights(list(adapter.items()), strict=False)
    mx.save_safetensors(str(folder / "adapters.safetensors"), adapter)
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=4) + "\n")
    tensors = {name: samples(value) for name, value in fused(model).items()
               if not mx.array_equal(base[name], value)}
    text = {"model": architecture, "layout": "mlx", "tensors": tensors}
    (folder / "expected.json").write_text(json.dumps(text, indent=0) + "\n")


def main():
    for case, (architecture, kind, keys) in CASES.items():
        make(case, architecture, kind, keys)


if __name__ == "__main__":
    main()
