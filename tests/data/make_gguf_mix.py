"""Writes gguf_mix/*.json: the types that llama-quantize chooses for models of many kinds.

    python3 make_gguf_mix.py LLAMA_QUANTIZE EXPECTED_JSON SNAPSHOTS [MODEL...]

LLAMA_QUANTIZE: the program, of llama.cpp as of llama-cpp-python 0.3.36. EXPECTED_JSON: what it wrote
from a small trained model, per FILETYPE/plain, /imatrix and /pure. SNAPSHOTS: the folder
tests/snapshots of that llama.cpp, tables of types for models that people use (real-*.json). Needs
the PyPI package gguf. Models are headers with the tensors' shapes over a sparse file: --dry-run
reads no data.

A run lists, of each stem (a name with * for the layer), the types of its layers where one differs
from the file type's base; "kept" are the stems that no run may change. "args" are the lists of
options that gave this.
"""

import json
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

import gguf

OUT = pathlib.Path(__file__).parent / "gguf_mix"
BASE = {"Q2_K_S": "Q2_K", "Q3_K_S": "Q3_K", "Q3_K_M": "Q3_K", "Q3_K_L": "Q3_K", "Q4_K_S": "Q4_K",
        "Q4_K_M": "Q4_K", "Q5_K_S": "Q5_K", "Q5_K_M": "Q5_K", "IQ2_S": "IQ2_XS", "IQ2_M": "IQ2_S",
        "IQ3_XS": "IQ3_S", "IQ3_M": "IQ3_S", "MXFP4_MOE": "MXFP4"}
TYPES = ["Q1_0", "Q2_0", "Q4_0", "Q4_1", "MXFP4_MOE", "Q5_0", "Q5_1", "IQ2_XXS", "IQ2_XS", "IQ2_S",
         "IQ2_M", "IQ1_S", "IQ1_M", "TQ1_0", "TQ2_0", "Q2_K", "Q2_K_S", "IQ3_XXS", "IQ3_S", "IQ3_M",
         "IQ3_XS", "Q3_K_S", "Q3_K_M", "Q3_K_L", "IQ4_NL", "IQ4_XS", "Q4_K_S", "Q4_K_M", "Q5_K_S",
         "Q5_K_M", "Q6_K", "Q8_0", "F16", "BF16", "F32"]


class Model:
    def __init__(self, arch, layers, heads, kv_heads, experts=0, embd=256, **keys):
        self.facts = {"architecture": arch, "layers": layers, "heads": heads, "kv_heads": kv_heads,
                      "experts": experts}
        self.embd = embd
        self.keys = keys
        self.tensors = {}  # name: ne, GGML's order

    def add(self, name, *ne):
        self.tensors[name] = list(ne)
        return self

    def each(self, stem, *ne, layers=None):
        for i in layers if layers is not None else range(self.facts["layers"]):
            self.add(stem.replace("*", str(i)), *ne)
        return self

    def ends(self, vocab, tied=False):
        self.add("token_embd.weight", self.embd, vocab).add("output_norm.weight", self.embd)
        return self if tied else self.add("output.weight", self.embd, vocab)

    def attention(self, q, kv, layers=None):
        e = self.embd
        self.each("blk.*.attn_norm.weight", e, layers=layers)
        self.each("blk.*.attn_q.weight", e, q, layers=layers)
        self.each("blk.*.attn_k.weight", e, kv, layers=layers)
        self.each("blk.*.attn_v.weight", e, kv, layers=layers)
        return self.each("blk.*.attn_output.weight", q, e, layers=layers)

    def ffn(self, ff, layers=None, suffix=""):
        e = self.embd
        self.each(f"blk.*.ffn_gate{suffix}.weight", e, ff, layers=layers)
        self.each(f"blk.*.ffn_up{suffix}.weight", e, ff, layers=layers)
        return self.each(f"blk.*.ffn_down{suffix}.weight", ff, e, layers=layers)

    def moe(self, ff, layers=None):
        e, n = self.embd, self.facts["experts"]
        self.each("blk.*.ffn_gate_inp.weight", e, n, layers=layers)
        self.each("blk.*.ffn_gate_exps.weight", e, ff, n, layers=layers)
        self.each("blk.*.ffn_up_exps.weight", e, ff, n, layers=layers)
        return self.each("blk.*.ffn_down_exps.weight", ff, e, n, layers=layers)

    def write(self, path):
        arch = self.facts["architecture"]
        writer = gguf.GGUFWriter(None, arch)
        writer.add_block_count(self.facts["layers"])
        writer.add_context_length(1024)
        writer.add_embedding_length(self.embd)
        writer.add_feed_forward_length(512)
        writer.add_head_count(self.facts["heads"])
        writer.add_head_count_kv(self.facts["kv_heads"])
        writer.add_layer_norm_rms_eps(1e-5)
        writer.add_layer_norm_eps(1e-5)
        writer.add_vocab_size(512)
        if self.facts["experts"]:
            writer.add_expert_count(self.facts["experts"])
            writer.add_expert_used_count(2)
        for key, value in self.keys.items():
            name = f"{arch}." + key.replace("__", ".")
            if isinstance(value, list):
                writer.add_array(name, value)
            elif isinstance(value, bool):
                writer.add_bool(name, value)
            elif isinstance(value, float):
                writer.add_float32(name, value)
            else:
                writer.add_uint32(name, value)
        kinds = gguf.GGMLQuantizationType
        for name, ne in self.tensors.items():
            size = 4
            for n in ne:
                size *= n
            writer.add_tensor_info(name, ne[::-1], "float32", size, raw_dtype=kinds.F32)
        writer.write_header_to_file(pathlib.Path(path))
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        out = writer.fout[0]
        at = out.tell()
        at += -at % 32
        for ne in self.tensors.values():
            size = 4
            for n in ne:
                size *= n
            at += size + -size % 32
        writer.close()
        with open(path, "r+b") as file:
            file.truncate(at)


def models():
    m = {}
    m["llama-7b"] = Model("llama", 32, 32, 32, embd=4096).ends(32000).attention(4096, 4096).ffn(11008)
    m["llama-1b-tied"] = (Model("llama", 16, 32, 8, embd=2048).ends(128256, tied=True)
                          .attention(2048, 512).ffn(8192))
    m["llama-65b"] = Model("llama", 80, 64, 64, embd=8192).ends(32000).attention(8192, 8192).ffn(22016)
    m["llama-70b"] = Model("llama", 80, 64, 8, embd=8192).ends(128256).attention(8192, 1024).ffn(28672)
    m["llama-80-8-experts"] = Model("llama", 80, 8, 2, 8).ends(512).attention(256, 64).moe(256)
    m["mixtral"] = (Model("llama", 32, 32, 8, 8, embd=4096).ends(32000).attention(4096, 1024)
                    .moe(14336))
    m["mixtral-split"] = Model("llama", 32, 8, 8, 8).ends(512).attention(256, 256)
    for e in range(8):
        m["mixtral-split"].ffn(512, suffix=f".{e}")
    m["llama-4-experts"] = Model("llama", 24, 8, 8, 4).ends(512).attention(256, 256).moe(512)
    m["llama-32-columns"] = Model("llama", 12, 3, 1, embd=96).ends(512).attention(96, 32).ffn(160)
    m["llama-odd-columns"] = Model("llama", 9, 4, 2, embd=100).ends(512).attention(100, 50).ffn(72)
    m["llama-128-columns"] = Model("llama", 8, 4, 4, embd=128).ends(512).attention(128, 128).ffn(384)
    m["falcon-7b"] = (Model("falcon", 32, 71, 1, embd=4544).ends(65024)
                      .each("blk.*.attn_norm.weight", 4544).each("blk.*.attn_qkv.weight", 4544, 4672)
                      .each("blk.*.attn_output.weight", 4544, 4544)
                      .each("blk.*.ffn_up.weight", 4544, 18176)
                      .each("blk.*.ffn_down.weight", 18176, 4544))
    m["falcon-40b"] = (Model("falcon", 60, 128, 8, embd=8192).ends(65024)
                       .each("blk.*.attn_norm.weight", 8192)
                       .each("blk.*.attn_qkv.weight", 8192, 9216)
                       .each("blk.*.attn_output.weight", 8192, 8192)
                       .each("blk.*.ffn_up.weight", 8192, 32768)
                       .each("blk.*.ffn_down.weight", 32768, 8192))
    m["phi3"] = (Model("phi3", 32, 32, 32, embd=3072, rope__dimension_count=96).ends(32064)
                 .each("blk.*.attn_qkv.weight", 3072, 9216)
                 .each("blk.*.attn_output.weight", 3072, 3072)
                 .each("blk.*.ffn_up.weight", 3072, 16384)
                 .each("blk.*.ffn_down.weight", 8192, 3072))
    m["qwen2-72b"] = Model("qwen2", 80, 64, 8, embd=8192).ends(152064).attention(8192, 1024).ffn(29568)
    m["qwen2moe"] = (Model("qwen2moe", 24, 16, 16, 60, embd=2048, expert_feed_forward_length=1408)
                     .ends(151936).attention(2048, 2048).moe(1408).ffn(5632, suffix="_shexp")
                     .each("blk.*.ffn_gate_inp_shexp.weight", 2048))
    m["qwen3moe"] = (Model("qwen3moe", 48, 32, 4, 128, embd=2048, expert_feed_forward_length=768)
                     .ends(151936).attention(4096, 512).moe(768))
    m["gpt-oss"] = (Model("gpt-oss", 36, 64, 8, 128, embd=2880, expert_feed_forward_length=2880,
                          attention__sliding_window=128)
                    .ends(201088).attention(4096, 512).moe(2880))
    m["gemma3"] = (Model("gemma3", 34, 8, 4, embd=2560, attention__sliding_window=1024)
                   .ends(262208, tied=True).attention(2048, 1024).ffn(10240))
    m["gemma3n"] = (Model("gemma3n", 30, 8, 2, embd=2048, attention__sliding_window=512,
                          embedding_length_per_layer_input=256,
                          attention__sliding_window_pattern=[True, True, True, True, False] * 6)
                    .ends(262144, tied=True).attention(2048, 512).ffn(8192)
                    .add("per_layer_token_embd.weight", 7680, 262144)
                    .add("per_layer_model_proj.weight", 2048, 7680)
                    .add("altup_proj.weight", 2048, 2048, 3)
                    .each("blk.*.laurel_l.weight", 2048, 64).each("blk.*.laurel_r.weight", 64, 2048)
                    .each("blk.*.inp_gate.weight", 2048, 256)
                    .each("blk.*.proj.weight", 256, 2048))
    deep = Model("deepseek2", 27, 16, 16, 64, embd=2048, leading_dense_block_count=1,
                 attention__kv_lora_rank=512, attention__key_length=192, attention__value_length=128,
                 expert_feed_forward_length=1408, expert_shared_count=2, rope__dimension_count=64)
    deep.ends(102400).ffn(10944, layers=[0]).moe(1408, layers=range(1, 27))
    deep.ffn(2816, layers=range(1, 27), suffix="_shexp")
    deep.each("blk.*.attn_q.weight", 2048, 3072).each("blk.*.attn_kv_a_mqa.weight", 2048, 576)
    deep.each("blk.*.attn_kv_b.weight", 512, 4096).each("blk.*.attn_output.weight", 2048, 2048)
    m["deepseek2"] = deep
    mla = Model("deepseek2", 61, 128, 1, 256, embd=7168, leading_dense_block_count=3,
                attention__kv_lora_rank=512, attention__q_lora_rank=1536,
                attention__key_length=576, attention__value_length=512,
                attention__key_length_mla=192, attention__value_length_mla=128,
                expert_feed_forward_length=2048, expert_shared_count=1, rope__dimension_count=64,
                expert_weights_scale=2.5, expert_gating_func=2)
    mla.ends(129280).ffn(18432, layers=range(3)).moe(2048, layers=range(3, 61))
    mla.ffn(2048, layers=range(3, 61), suffix="_shexp")
    mla.each("blk.*.attn_q_a.weight", 7168, 1536).each("blk.*.attn_q_b.weight", 1536, 24576)
    mla.each("blk.*.attn_kv_a_mqa.weight", 7168, 576).each("blk.*.attn_k_b.weight", 128, 512, 128)
    mla.each("blk.*.attn_v_b.weight", 512, 128, 128).each("blk.*.attn_output.weight", 16384, 7168)
    m["deepseek-v3"] = mla
    m["bert"] = (Model("bert", 12, 12, 12, embd=768, attention__causal=False, pooling_type=1)
                 .add("token_embd.weight", 768, 30522).add("position_embd.weight", 768, 512)
                 .add("token_types.weight", 768, 2).attention(768, 768)
                 .each("blk.*.ffn_up.weight", 768, 3072).each("blk.*.ffn_down.weight", 3072, 768)
                 .each("blk.*.ffn_up.bias", 3072))
    m["mamba"] = (Model("mamba", 24, 0, 0, embd=768, ssm__conv_kernel=4, ssm__inner_size=1536,
                        ssm__state_size=16, ssm__time_step_rank=48)
                  .ends(50280, tied=True).each("blk.*.ssm_in.weight", 768, 3072)
                  .each("blk.*.ssm_conv1d.weight", 4, 1536).each("blk.*.ssm_x.weight", 1536, 80)
                  .each("blk.*.ssm_dt.weight", 48, 1536).each("blk.*.ssm_a", 16, 1536)
                  .each("blk.*.ssm_out.weight", 1536, 768))
    m["rwkv7"] = (Model("rwkv7", 12, 0, 0, embd=768, wkv__head_size=64,
                        attention__decay_lora_rank=64, attention__iclr_lora_rank=64,
                        attention__value_residual_mix_lora_rank=32, attention__gate_lora_rank=128)
                  .ends(65536))
    for part, ne in {"w0": [768], "w1": [768, 64], "w2": [64, 768], "a0": [768], "a1": [768, 64],
                     "a2": [64, 768], "v1": [768, 32], "v2": [32, 768], "g1": [768, 128],
                     "g2": [128, 768], "lerp_fused": [768, 1, 1, 6], "receptance": [768, 768],
                     "key": [768, 768], "value": [768, 768], "output": [768, 768]}.items():
        m["rwkv7"].each(f"blk.*.time_mix_{part}.weight", *ne)
    m["rwkv7"].each("blk.*.channel_mix_key.weight", 768, 3072)
    m["rwkv7"].each("blk.*.channel_mix_value.weight", 3072, 768)
    t5 = Model("t5", 8, 6, 6, embd=512, attention__relative_buckets_count=32)
    t5.add("token_embd.weight", 512, 32128).add("output.weight", 512, 32128)
    for side in ["enc", "dec"]:
        for part, ne in {"attn_q": [512, 384], "attn_k": [512, 384], "attn_v": [512, 384],
                         "attn_o": [384, 512], "ffn_gate": [512, 1024], "ffn_up": [512, 1024],
                         "ffn_down": [1024, 512]}.items():
            t5.each(f"{side}.blk.*.{part}.weight", *ne)
        t5.add(f"{side}.blk.0.attn_rel_b.weight", 6, 32)
    m["t5"] = t5
    m["olmo-80"] = Model("olmo", 80, 8, 8).ends(512).attention(256, 256).ffn(512)
    m["deci-80"] = Model("deci", 80, 8, 8).ends(512).attention(256, 256).ffn(512)
    m["jais2-68"] = Model("jais2", 68, 8, 8).ends(512).attention(256, 256).ffn(512)
    glm = Model("glm5-next", 6, 8, 8, 16, leading_dense_block_count=1,
                attention__q_lora_rank=256, attention__kv_lora_rank=256,
                attention__key_length=256, attention__value_length=256,
                attention__key_length_mla=256, attention__value_length_mla=256,
                expert_feed_forward_length=256, expert_shared_count=1, rope__dimension_count=64,
                ssm__conv_kernel=4, kda__head_dim=32, attention__indexer__head_count=4,
                attention__indexer__key_length=64, attention__indexer__top_k=64,
                attention__indexer__kpool=2, hyper_connection__count=4,
                hyper_connection__sinkhorn_iterations=4, hyper_connection__epsilon=1e-6)
    glm.ends(512).ffn(512, layers=[0]).moe(256, layers=range(1, 6))
    for part in ["attn_q_a", "attn_q_b", "attn_kv_a_mqa", "attn_k_b", "attn_v_b", "hc_attn_fn",
                 "indexer.attn_k", "indexer.attn_q_b", "indexer.proj", "ssm_beta", "ssm_f_a",
                 "attn_output", "nextn.eh_proj"]:
        glm.each(f"blk.*.{part}.weight", 256, 256)
    m["glm5-next"] = glm
    bailing = Model("bailingmoe3", 6, 8, 8, 16, leading_dense_block_count=1,
                    attention__q_lora_rank=256, attention__kv_lora_rank=256,
                    attention__key_length=256, attention__value_length=256,
                    attention__key_length_mla=256, attention__value_length_mla=256,
                    expert_feed_forward_length=256, expert_shared_count=1, rope__dimension_count=64,
                    ssm__conv_kernel=4, kda__head_dim=32, kda__gate_lower_bound=-5.0,
                    expert_gating_func=2)
    bailing.ends(512).ffn(512, layers=[0]).moe(256, layers=range(1, 6))
    bailing.each("blk.*.attn_k_b.weight", 256, 64, 8).each("blk.*.attn_v_b.weight", 256, 64, 8)
    bailing.each("blk.*.attn_output.weight", 256, 256)
    m["bailingmoe3"] = bailing
    return m


def stem_of(name):
    found = re.match(r"((?:enc\.|dec\.)?blk\.)(\d+)(\..*)", name)
    return (found[1] + "*" + found[3], int(found[2])) if found else (name, -1)


def ranges(numbers):
    out = []
    for n in numbers:
        if out and out[-1][1] == n - 1:
            out[-1][1] = n
        else:
            out.append([n, n])
    return out


def run_lengths(types):
    out = []
    for t in types:
        if out and out[-1][0] == t:
            out[-1][1] += 1
        else:
            out.append([t, 1])
    return " ".join(t if n == 1 else f"{t}*{n}" for t, n in out)


LINE = re.compile(r"^\[ *\d+/ *\d+\] (\S+) +- \[.*\], type = +(\S+), size = [^(]*(?:\((\S+)\))?$")


def dry_run(program, path, args, file_type):
    done = subprocess.run([program, "--dry-run", *args, str(path), file_type], capture_output=True,
                          text=True)
    text = done.stdout + done.stderr
    if done.returncode != 0:
        return None, text
    # A fallback's warning ends in the same line as the tensor's, or in one of its own.
    types = {}
    for line in text.splitlines():
        found = LINE.match(line)
        if found:
            types[found[1]] = (found[3] or found[2]).upper()
    return types, text


def tables(stems, types, default):
    out = {}
    for stem, entry in stems.items():
        got = [types[stem.replace("*", str(i))] for first, last in entry["layers"]
               for i in range(first, last + 1)]
        if any(t != default(stem) for t in got):
            out[stem] = run_lengths(got)
    return out


def runs_of(name):
    plain = [([], "plain"), (["--imatrix", "IMATRIX"], "imatrix")]
    out = [(args, t) for t in TYPES for args, _ in plain]
    if name in ("llama-32-columns", "llama-1b-tied", "gemma3n", "mixtral", "llama-odd-columns",
                "llama-128-columns"):
        out += [(["--pure"], t) for t in TYPES]
    for extra in (["--leave-output-tensor"], ["--output-tensor-type", "q8_0"],
                  ["--token-embedding-type", "q5_k"],
                  ["--output-tensor-type", "f16", "--token-embedding-type", "q3_K", "--pure"],
                  ["--tensor-type", r"ffn_down=q8_0", "--tensor-type", r"blk\.[0-2]\.attn_v=iq4_nl",
                   "--tensor-type", "down=f16"],
                  ["--tensor-type", r"blk\.[0-3]\..*(attn_v|attn_qkv|ffn_down)=q6_k"],
                  ["--tensor-type", "token_embd=q8_0"],
                  ["--tensor-type", "per_layer=q8_0", "--token-embedding-type", "q4_0"]):
        out += [(extra, t) for t in ("Q4_K_M", "Q5_K_M", "IQ3_XS", "IQ2_M", "F16")]
    out.append(([], "COPY"))
    return out


def add(runs, run):
    """Appends a run, or its options to the run before, where the result is the same."""
    if runs and {**runs[-1], "args": 0} == {**run, "args": 0}:
        runs[-1]["args"] += run["args"]
    else:
        runs.append(run)


def golden(program, name, model, imatrix, folder):
    path = pathlib.Path(folder) / "model.gguf"
    model.write(path)
    stems = {}
    for tensor, ne in model.tensors.items():
        stem, layer = stem_of(tensor)
        entry = stems.setdefault(stem, {"ne": ne, "layers": []})
        assert entry["ne"] == ne, tensor
        entry["layers"].append(layer)
    for entry in stems.values():
        entry["layers"] = ranges(sorted(entry["layers"]))
    everything, text = dry_run(program, path, ["--pure"], "BF16")
    assert everything is not None, name + "\n" + text[-1500:]
    assert len(everything) == len(model.tensors), (name, len(everything))
    kept = [s for s, e in stems.items()
            if all(everything[s.replace("*", str(first))] == "F32" for first, _ in e["layers"])]
    runs = []
    for args, file_type in runs_of(name):
        real = [str(imatrix) if a == "IMATRIX" else a for a in args]
        types, text = dry_run(program, path, real, file_type)
        run = {"type": file_type, "args": [[a for a in args if a != "IMATRIX"]]}
        if types is None:
            run["refused"] = True
            print(name, args, file_type, "refused:", text.strip().splitlines()[-2:])
        else:
            base = "F32" if file_type == "COPY" else BASE.get(file_type, file_type)
            run["types"] = tables(stems, types, lambda s: "F32" if s in kept else base)
            run["needs_imatrix"] = "will require an imatrix" in text
        add(runs, run)
    path.unlink()
    return {"facts": model.facts, "stems": stems, "kept": kept, "runs": runs}


def write(path, data):
    lines = ",\n".join(json.dumps(run, separators=(",", ":")) for run in data.pop("runs"))
    head = json.dumps(data, separators=(",", ":"))
    path.write_text(head[:-1] + ',"runs":[\n' + lines + "\n]}\n")


def trained(expected):
    """The types of expected.json in the same form, hashes and sizes left out."""
    ne = {"token_embd.weight": [256, 2048], "output.weight": [256, 2048],
          "output_norm.weight": [256], "blk.*.attn_norm.weight": [256],
          "blk.*.ffn_norm.weight": [256], "blk.*.attn_q.weight": [256, 256],
          "blk.*.attn_k.weight": [256, 128], "blk.*.attn_v.weight": [256, 128],
          "blk.*.attn_output.weight": [256, 256], "blk.*.ffn_gate.weight": [256, 768],
          "blk.*.ffn_up.weight": [256, 768], "blk.*.ffn_down.weight": [768, 256]}
    stems = {s: {"ne": n, "layers": [[0, 5]] if "*" in s else [[-1, -1]]} for s, n in ne.items()}
    kept = [s for s in stems if "norm" in s]
    runs = []
    for key, entry in expected.items():
        file_type, how = key.split("/")
        run = {"type": file_type, "args": [[] if how == "plain" else ["--" + how]]}
        if "error" in entry:
            run["refused"] = True
        else:
            types = {n: t[0] for n, t in entry["tensors"].items()}
            base = BASE.get(file_type, file_type)
            run["types"] = tables(stems, types, lambda s: "F32" if s in kept else base)
            run["file_type"] = entry["file_type"]
        add(runs, run)
    facts = {"architecture": "llama", "layers": 6, "heads": 8, "kv_heads": 4, "experts": 0}
    return {"facts": facts, "stems": stems, "kept": kept, "runs": runs}


ARCHITECTURES = {"deepseek-v3.1": "deepseek2", "gemma-3-4b-it": "gemma3", "glm-4.6v": "glm4moe",
                 "gpt-oss-120b": "gpt-oss", "meta-llama-3.1-70b-instruct": "llama",
                 "nvidia-nemotron-3-nano-30b-a3b": "nemotron_h_moe", "qwen3-0.6b": "qwen3",
                 "qwen3-14b": "qwen3", "qwen3-coder-next": "qwen3next",
                 "qwen3.5-397b-a17b": "qwen35moe", "qwen3.6-27b": "qwen35",
                 "step-3.5-flash": "step35"}


def real(path):
    """A snapshot in the same form. It lists no shapes: which rows do not divide into blocks of 256
    is taken from its table of Q6_K, which tensors are stacked from that of MXFP4_MOE."""
    text = path.read_text()
    numbers = dict(re.findall(r"(n_\w+)=(\d+)", text))
    sections = {}
    for line in text.splitlines():
        if found := re.match(r"\[(\S+)\] (\S+)", line):
            section = sections[found[1]] = {}
        elif line and not line.startswith("#"):
            tensor, kind = line.split()
            section[tensor] = kind.upper()
    stems = {}
    for tensor in {t for section in sections.values() for t in section}:
        stem, layer = stem_of(tensor)
        block = {"F16": 4, "Q8_0": 96}.get(sections["Q6_K"].get(tensor), 256)
        ne = [block, 2] if tensor in sections["MXFP4_MOE"] else [block, 2, 2]
        if tensor == "output.weight" or tensor == "token_embd.weight":
            ne = [96 if block == 96 else 256, 2]
        entry = stems.setdefault(stem, {"ne": ne, "layers": []})
        assert entry["ne"] == ne, tensor
        entry["layers"].append(layer)
    for stem, entry in stems.items():
        # Where nothing is stacked, every layer has these; a table may name the middle ones only.
        if stem in ("blk.*.ffn_up.weight", "blk.*.ffn_gate.weight") and "n_expert" not in numbers:
            entry["layers"] = range(int(numbers["n_layer"]))
        entry["layers"] = ranges(sorted(entry["layers"]))
    runs = []
    for file_type, types in sections.items():
        if file_type in ("F32", "F16", "BF16"):
            continue  # they list an output matrix that the program never changes
        base = BASE.get(file_type, file_type)
        every = {s.replace("*", str(i)): base for s, e in stems.items()
                 for first, last in e["layers"] for i in range(first, last + 1)}
        add(runs, {"type": file_type, "args": [[]],
                   "types": tables(stems, {**every, **types}, lambda s: base)})
    facts = {"architecture": ARCHITECTURES[path.stem], "layers": int(numbers["n_layer"]),
             "heads": int(numbers["n_head"]), "kv_heads": int(numbers["n_head_kv"]),
             "experts": int(numbers.get("n_expert", 0))}
    return {"facts": facts, "stems": stems, "kept": [], "runs": runs}


def main():
    program, expected, snapshots, only = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        imatrix = pathlib.Path(folder) / "any.dat"
        name = b"blk.0.attn_q.weight"
        imatrix.write_bytes(struct.pack("<ii", 1, len(name)) + name + struct.pack("<iif", 1, 1, 1))
        for name, model in models().items():
            if not only or name in only:
                write(OUT / f"{name}.json", golden(program, name, model, imatrix, folder))
                print(name, flush=True)
    if not only:
        for path in sorted(pathlib.Path(snapshots).glob("*.schema")):
            write(OUT / f"real-{path.stem}.json", real(path))
        write(OUT / "trained.json", trained(json.loads(pathlib.Path(expected).read_text())))


if __name__ == "__main__":
    main()
