"""Models to merge: tests/data/bard-base in bf16, and what fine-tunings might have made of it."""

import json
import shutil

import torch
from safetensors.torch import load_file, save_file

import support


def tuned(tensors, seed):
    """`tensors` with noise of a tenth of each one's spread, more of it in some rows."""
    random = torch.Generator().manual_seed(seed)
    out = {}
    for name, tensor in tensors.items():
        values = tensor.float()
        noise = torch.randn(values.shape, generator=random) * (0.1 * values.std().clamp(min=1e-3))
        rows = torch.rand(values.shape[:1], generator=random)
        out[name] = (values + noise * rows.view(-1, *[1] * (values.dim() - 1))).to(tensor.dtype)
    return out


def make_models(folder):
    """{"base": ..., "a": ..., "b": ..., "c": ...}: folders."""
    source = support.DATA / "bard-base"
    tensors = load_file(source / "model.safetensors")
    out = {"base": source}
    for seed, name in enumerate("abc", 1):
        out[name] = folder / name
        shutil.copytree(source, out[name])
        save_file(tuned(tensors, seed), out[name] / "model.safetensors", {"format": "pt"})
    return out


def make_adapter(folder, base):
    """An adapter of PEFT for `base`: rank 8 on queries, values and the way down."""
    random = torch.Generator().manual_seed(7)
    tensors = {}
    for name, tensor in load_file(base / "model.safetensors").items():
        module = name.removesuffix(".weight")
        if module.endswith(("q_proj", "v_proj", "down_proj")):
            out, inner = tensor.shape
            for part, shape in (("A", (8, inner)), ("B", (out, 8))):
                tensors[f"base_model.model.{module}.lora_{part}.weight"] = 0.05 * torch.randn(
                    shape, generator=random)
    folder.mkdir()
    save_file(tensors, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps({
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 8, "lora_alpha": 16,
        "base_model_name_or_path": str(base), "target_modules": ["q_proj", "v_proj", "down_proj"],
        "bias": "none", "inference_mode": True}))
    return folder
