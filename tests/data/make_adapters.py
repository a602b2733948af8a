"""Adapters of PEFT, and what PEFT's own merge makes of the models in tests/data/arch with them.

    pip install torch==2.15.0 transformers==5.24.0 peft==0.21.2 safetensors==0.8.0
    python tests/data/make_adapters.py

Writes tests/data/adapters/<case>/{adapter_config.json,adapter_model.safetensors} and expected.json:
the model, and for each tensor that the merge changed its Euclidean norm and SAMPLES elements, element
i of them at (i * 7919 + 13) % count, computed in float32.
"""

import json
import pathlib
import shutil

import peft
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

DATA = pathlib.Path(__file__).parent
SAMPLES = 48

CASES = {
    "lora": ("llama", dict(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj", "down_proj"])),
    "patterns": ("llama", dict(r=4, lora_alpha=6, use_rslora=True,
                               target_modules=["q_proj", "v_proj", "o_proj"],
                               rank_pattern={"v_proj": 2, r"layers\.1\.self_attn\.q_proj": 6},
                               alpha_pattern={r"model\.layers\.1\..*": 3, "o_proj": 20})),
    "saved": ("llama", dict(r=2, lora_alpha=2, target_modules=["k_proj"],
                            modules_to_save=["norm"])),
    "embedding": ("llama", dict(r=2, lora_alpha=4, target_modules=["embed_tokens", "lm_head"])),
    "dora": ("llama", dict(r=4, lora_alpha=8, use_dora=True,
                           target_modules=["q_proj", "gate_proj"])),
    "dora_embedding": ("llama", dict(r=2, lora_alpha=4, use_dora=True,
                                     target_modules=["embed_tokens"])),
    "conv1d": ("gpt2", dict(r=4, lora_alpha=8, bias="lora_only", fan_in_fan_out=True,
                            target_modules=["c_attn", "attn.c_proj"])),
    "conv1d_dora": ("gpt2", dict(r=4, lora_alpha=8, use_dora=True, fan_in_fan_out=True,
                                 target_modules=["attn.c_proj", "c_fc"])),
    "lora_bias": ("gpt2", dict(r=4, lora_alpha=8, lora_bias=True, fan_in_fan_out=True,
                               target_modules=["c_fc"])),
}


def samples(tensor):
    flat = tensor.float().flatten()
    index = (torch.arange(SAMPLES, dtype=torch.int64) * 7919 + 13) % flat.numel()
    return {"norm": flat.double().norm().item(), "values": flat[index].tolist()}


def expected(base, merged):
    """What changed. PEFT leaves two tensors where a tied one was adapted; both are told."""
    return {name: samples(tensor) for name, tensor in merged.items()
            if name in base and not torch.equal(base[name], tensor)}


def trained(model, dtype):
    """Random values in everything that training would have changed."""
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        noise = torch.randn(parameter.shape)
        if "magnitude" in name or "modules_to_save" in name:
            parameter.data = parameter.data * (1 + 0.1 * noise)
        else:
            parameter.data = 0.05 * noise
        parameter.data = parameter.data.to(dtype).float()


def tidy(file, architecture):
    """Without what differs from run to run: the path of this folder, and the order of a set."""
    config = json.loads(file.read_text())
    config["base_model_name_or_path"] = f"arch/{architecture}"
    config["target_modules"].sort()
    file.write_text(json.dumps(config, indent=2, sort_keys=True))


def make(case, architecture, options, dtype=torch.float32):
    torch.manual_seed(len(case))
    folder = DATA / "adapters" / case
    model = AutoModelForCausalLM.from_pretrained(DATA / "arch" / architecture, dtype=torch.float32)
    base = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    adapted = peft.get_peft_model(model, peft.LoraConfig(task_type="CAUSAL_LM", **options))
    trained(adapted, dtype)
    adapted.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink()
    tidy(folder / "adapter_config.json", architecture)
    file = folder / "adapter_model.safetensors"
    save_file({name: tensor.to(dtype) for name, tensor in load_file(file).items()}, file)
    merged = adapted.merge_and_unload(safe_merge=True).state_dict()
    text = {"model": architecture, "tensors": expected(base, merged)}
    (folder / "expected.json").write_text(json.dumps(text, indent=0) + "\n")


def respell(case, source, rename, torch_file=False):
    """The adapter of `source` with other names, or as torch.save writes it."""
    folder = DATA / "adapters" / case
    shutil.copytree(DATA / "adapters" / source, folder)
    file = folder / "adapter_model.safetensors"
    tensors = {rename(name): tensor for name, tensor in load_file(file).items()}
    if torch_file:
        file.unlink()
        torch.save(tensors, folder / "adapter_model.bin")
    else:
        save_file(tensors, file)


def with_adapter_name(name):
    """As the state dict of a model in training has it."""
    if "lora_" in name:
        return name.replace(".weight", ".default.weight")
    return name.replace(".weight", ".modules_to_save.default.weight")


def main():
    shutil.rmtree(DATA / "adapters", ignore_errors=True)
    for case, (architecture, options) in CASES.items():
        make(case, architecture, options,
             torch.bfloat16 if case == "embedding" else torch.float32)
    respell("torch", "lora", lambda name: name, torch_file=True)
    respell("adapter_names", "saved", with_adapter_name)
    respell("no_prefix", "saved", lambda name: name.removeprefix("base_model.model."))


if __name__ == "__main__":
    main()
