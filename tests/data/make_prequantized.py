"""Makes tests/data/prequantized: tiny models quantized in every way that is read, and their float
twins: the values that transformers, or the method's own code, decodes.

    python tests/data/make_prequantized.py

Needs torch, transformers, compressed-tensors, bitsandbytes and safetensors (made with torch 2.15.0,
transformers 5.24.0, compressed-tensors 0.20.0, bitsandbytes 0.50.2, safetensors 0.8.0). GPTQ and
AWQ, whose packages need a GPU, are packed bit by bit here and decoded by their formula in torch.

<kind>/ is a Hugging Face folder; twins/<kind>/ holds the same model as floats.
"""

import json
import pathlib
import shutil

import torch
from safetensors.torch import save_file

FOLDER = pathlib.Path(__file__).parent / "prequantized"
LAYER = "model.layers.0."
# Rows are not all multiples of what methods like, so that edges are met.
MATRICES = {
    "self_attn.k_proj": (32, 64),
    "mlp.gate_proj": (96, 64),
    "mlp.down_proj": (64, 96),
}
LLAMA = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "vocab_size": 32,
    "rms_norm_eps": 1e-5,
    "tie_word_embeddings": True,
}


def random_weight(shape, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator) * 0.05


def write(kind, config, block, packed, twin, dtype, beside=None):
    """Two folders: `packed` and `twin` are tensors by name, all but embedding and norms."""
    name = str(dtype).removeprefix("torch.")
    common = {
        "model.embed_tokens.weight": random_weight((32, 64), 1).to(dtype),
        "model.norm.weight": torch.ones(64, dtype=dtype),
        LAYER + "input_layernorm.weight": torch.ones(64, dtype=dtype),
    }
    for folder, tensors, extra in (
        (FOLDER / kind, packed, block),
        (FOLDER / "twins" / kind, twin, None),
    ):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        content = {**config, "torch_dtype": name}
        if extra is not None:
            content["quantization_config"] = extra
        (folder / "config.json").write_text(json.dumps(content, indent=1) + "\n")
        tensors = {key: value.contiguous() for key, value in {**common, **tensors}.items()}
        save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    if beside is not None:
        (FOLDER / kind / "quantize_config.json").write_text(json.dumps(beside) + "\n")


def make(kind, block, quantize, dtype, config=LLAMA, beside=None):
    """quantize(weight) -> (arrays by their suffix of the module's name, values)."""
    packed, twin = {}, {}
    for index, (module, shape) in enumerate(MATRICES.items()):
        arrays, values = quantize(random_weight(shape, 10 + index))
        for suffix, array in arrays.items():
            packed[LAYER + module + "." + suffix] = array
        twin[LAYER + module + ".weight"] = values
    write(kind, config, block, packed, twin, dtype, beside)


# --- GPTQ and AWQ --------------------------------------------------------------------------------


def pack_bits(codes, bits):
    """[n, m] codes, each column a stream of bits, lowest first, cut into int32 words: [words, m]."""
    words = []
    for column in codes.t().tolist():
        stream = sum(int(code) << (bits * i) for i, code in enumerate(column))
        words.append([(stream >> (32 * i)) & 0xFFFFFFFF for i in range(len(column) * bits // 32)])
    return torch.tensor(words, dtype=torch.int64).to(torch.int32).t()


def group_params(weight, bits, groups, count):
    """Scales (f16) and zero points [count, out] of columns that groups[column] puts together."""
    scales = torch.zeros(count, weight.shape[0])
    zeros = torch.zeros(count, weight.shape[0], dtype=torch.int64)
    for group in range(count):
        part = weight[:, groups == group]
        low, high = part.amin(1).clamp(max=-1e-3), part.amax(1).clamp(min=1e-3)
        scales[group] = (high - low) / (2**bits - 1)
        zeros[group] = torch.round(-low / scales[group]).to(torch.int64)
    return scales.half(), zeros.clamp(1, 2**bits - 1)


def quantize_columns(weight, bits, group, shuffle=False):
    inputs = weight.shape[1]
    group = inputs if group < 0 else group
    groups = torch.arange(inputs) // group
    if shuffle:
        groups = groups[torch.randperm(inputs, generator=torch.Generator().manual_seed(3))]
    scales, zeros = group_params(weight, bits, groups, -(-inputs // group))
    scale, zero = scales[groups].t(), zeros[groups].t()  # of every value
    codes = torch.round(weight / scale.float() + zero).clamp(0, 2**bits - 1).to(torch.int64)
    values = (codes - zero).to(torch.int16) * scale  # in f16
    return codes, zeros, scales, groups, values


# GPTQModel takes this from the words of zero points, word by word, to write v1.
THREE_BITS = [0x24924924, 0x92492492, 0x49249249]


def gptq(bits, group, version, shuffle=False, gptqmodel=False, with_groups=True):
    def quantize(weight):
        codes, zeros, scales, groups, values = quantize_columns(weight, bits, group, shuffle)
        stored = zeros - 1 if version == 1 and not gptqmodel else zeros
        qzeros = pack_bits(stored.t(), bits).t()
        if version == 1 and gptqmodel:
            ones = torch.tensor(THREE_BITS * (qzeros.shape[1] // 3), dtype=torch.int64)
            qzeros = (qzeros.to(torch.int64) - ones).to(torch.int32)
        arrays = {
            "qweight": pack_bits(codes.t(), bits),
            "qzeros": qzeros,
            "scales": scales,
        }
        if with_groups:
            arrays["g_idx"] = groups.to(torch.int32)
        return arrays, values

    return quantize


def make_gptq(kind, bits, group, version, beside=False, **options):
    block = {
        "quant_method": "gptq",
        "bits": bits,
        "group_size": group,
        "desc_act": options.get("shuffle", False),
        "sym": False,
        "checkpoint_format": "gptq" if version == 1 else "gptq_v2",
    }
    if options.get("gptqmodel"):
        block["meta"] = {"quantizer": ["gptqmodel:1.4.0"]}
    quantize = gptq(bits, group, version, **options)
    make(kind, None if beside else block, quantize, torch.float16, beside=block if beside else None)


AWQ_ORDER = [0, 2, 4, 6, 1, 3, 5, 7]


def pack_awq(codes):
    """[n, m] codes: eight neighbours of a row in a word, in AWQ's order."""
    rows = []
    for row in codes.tolist():
        words = [row[i : i + 8] for i in range(0, len(row), 8)]
        rows.append([sum(word[AWQ_ORDER[i]] << (4 * i) for i in range(8)) for word in words])
    return torch.tensor(rows, dtype=torch.int64).to(torch.int32)


def awq(weight):
    codes, zeros, scales, _, values = quantize_columns(weight, 4, 32)
    return {"qweight": pack_awq(codes.t()), "qzeros": pack_awq(zeros), "scales": scales}, values


# --- fp8 -----------------------------------------------------------------------------------------


def spread(scales, block, shape):
    """A scale for every value."""
    wide = scales.repeat_interleave(block[0], 0).repeat_interleave(block[1], 1)
    return wide[: shape[0], : shape[1]]


def fp8_codes(weight, block):
    rows, columns = -(-weight.shape[0] // block[0]), -(-weight.shape[1] // block[1])
    scales = torch.zeros(rows, columns)
    for r in range(rows):
        for c in range(columns):
            part = weight[r * block[0] : (r + 1) * block[0], c * block[1] : (c + 1) * block[1]]
            scales[r, c] = part.abs().max() / 448
    codes = (weight / spread(scales, block, weight.shape)).to(torch.float8_e4m3fn)
    return codes, scales


def fp8_block(block):
    from transformers.integrations.finegrained_fp8 import Fp8Dequantize

    def quantize(weight):
        codes, scales = fp8_codes(weight, block)
        values = (codes.float() * spread(scales, block, weight.shape)).to(torch.bfloat16)
        if all(size % side == 0 for size, side in zip(weight.shape, block)):
            theirs = Fp8Dequantize(None)._dequantize_one(codes, scales, torch.bfloat16)
            assert torch.equal(values, theirs)
        arrays = {"weight": codes, "weight_scale_inv": scales}
        arrays["activation_scale"] = torch.ones(1)
        return arrays, values

    return quantize


def fp8_tensor(weight):
    codes, scales = fp8_codes(weight, weight.shape)
    values = (codes.float() * scales).to(torch.bfloat16)
    return {"weight": codes, "weight_scale_inv": scales.reshape(())}, values


# --- compressed-tensors --------------------------------------------------------------------------


def make_compressed(kind, form, weights, scale_dtype=torch.bfloat16, zeros=False, inputs=None):
    from compressed_tensors.compressors import BaseCompressor
    from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme

    args = QuantizationArgs(**weights)
    scheme = QuantizationScheme(targets=["Linear"], weights=args)
    compressor = BaseCompressor.get_value_from_registry(form)
    top = {"float": 448 if args.num_bits == 8 else 6}.get(args.type, 2 ** (args.num_bits - 1) - 1)

    def quantize(weight):
        rows, columns = weight.shape
        block = {
            "tensor": (rows, columns),
            "channel": (1, columns),
            "block": tuple(args.block_structure or ()),
        }.get(args.strategy, (1, args.group_size))
        peak = torch.stack(
            [
                torch.stack([part.abs().max() for part in row.split(block[1], 1)])
                for row in weight.split(block[0], 0)
            ]
        )
        state = {"weight": weight.to(torch.bfloat16)}
        if form == "nvfp4-pack-quantized":
            divisor = 448 * 6 / weight.abs().max()
            state["weight_global_scale"] = divisor.reshape(1)
            state["weight_scale"] = (peak / 6 * divisor).to(torch.float8_e4m3fn).float()
        elif form.startswith("mx"):
            state["weight_scale"] = 2 ** torch.ceil(torch.log2(peak / top))
        else:
            state["weight_scale"] = (peak / top).to(scale_dtype)
        if args.strategy == "tensor":
            state["weight_scale"] = state["weight_scale"].reshape(1)
        if zeros:
            generator = torch.Generator().manual_seed(rows)
            state["weight_zero_point"] = torch.randint(
                -4, 4, state["weight_scale"].shape, generator=generator, dtype=torch.int8
            )
        packed = compressor.compress(state, scheme)
        values = compressor.decompress(packed, scheme)["weight"]
        if values.dtype == torch.float32:
            values = values.to(torch.bfloat16)  # the model's dtype
        packed = {key: value.data for key, value in packed.items()}
        packed["input_scale"] = torch.ones(1)
        return packed, values

    block = {
        "quant_method": "compressed-tensors",
        "format": form,
        "quantization_status": "compressed",
        "ignore": ["lm_head"],
        "config_groups": {"group_0": {"targets": ["Linear"], "weights": weights}},
    }
    make(kind, block, quantize, torch.bfloat16)


def make_all_compressed():
    float8 = {"num_bits": 8, "type": "float", "symmetric": True}
    int4 = {"num_bits": 4, "type": "int", "symmetric": True, "strategy": "group", "group_size": 32}
    make_compressed("ct_fp8_tensor", "float-quantized", {**float8, "strategy": "tensor"})
    make_compressed("ct_fp8_channel", "float-quantized", {**float8, "strategy": "channel"})
    make_compressed(
        "ct_fp8_f32", "float-quantized", {**float8, "strategy": "channel"}, torch.float32
    )
    make_compressed(
        "ct_fp8_block",
        "float-quantized",
        {**float8, "strategy": "block", "block_structure": [32, 32]},
    )
    make_compressed(
        "ct_int8",
        "int-quantized",
        {"num_bits": 8, "type": "int", "symmetric": True, "strategy": "channel"},
    )
    make_compressed("ct_int4", "pack-quantized", int4)
    make_compressed("ct_int4_zero", "pack-quantized", {**int4, "symmetric": False}, zeros=True)
    make_compressed("ct_int3", "pack-quantized", {**int4, "num_bits": 3})
    make_compressed(
        "ct_int3_zero", "pack-quantized", {**int4, "num_bits": 3, "symmetric": False}, zeros=True
    )
    make_compressed(
        "ct_int8_packed",
        "pack-quantized",
        {"num_bits": 8, "type": "int", "symmetric": True, "strategy": "channel"},
    )
    fp4 = {"num_bits": 4, "type": "float", "symmetric": True}
    make_compressed(
        "ct_nvfp4",
        "nvfp4-pack-quantized",
        {**fp4, "strategy": "tensor_group", "group_size": 16},
    )
    micro = {"strategy": "group", "group_size": 32, "scale_dtype": "torch.uint8"}
    make_compressed("ct_mxfp4", "mxfp4-pack-quantized", {**fp4, **micro})
    make_compressed("ct_mxfp8", "mxfp8-quantized", {**float8, **micro})


# --- bitsandbytes --------------------------------------------------------------------------------


def bnb4(kind, double, dtype, storage=torch.uint8, size=64):
    import bitsandbytes.functional as bnb

    def quantize(weight):
        codes, state = bnb.quantize_4bit(
            weight.to(dtype),
            blocksize=size,
            compress_statistics=double,
            quant_type=kind,
            quant_storage=storage,
        )
        values = bnb.dequantize_4bit(codes, state)
        arrays = {"weight": codes}
        for key, value in state.as_dict(packed=True).items():
            arrays["weight." + key] = value
        return arrays, values

    return quantize


def bnb8(weight):
    import bitsandbytes.functional as bnb

    peak = weight.abs().amax(1)
    codes = torch.round(weight * (127 / peak[:, None])).to(torch.int8)
    values = bnb.int8_vectorwise_dequant(codes, peak).to(torch.float16)
    arrays = {"weight": codes, "SCB": peak, "weight_format": torch.tensor(0, dtype=torch.uint8)}
    return arrays, values


# --- gpt-oss -------------------------------------------------------------------------------------

GPT_OSS = {
    "architectures": ["GptOssForCausalLM"],
    "model_type": "gpt_oss",
    "hidden_size": 64,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "num_local_experts": 2,
    "vocab_size": 32,
    "tie_word_embeddings": True,
}


def make_mxfp4():
    from transformers.integrations.mxfp4 import convert_moe_packed_tensors

    generator = torch.Generator().manual_seed(5)
    packed, twin = {}, {}
    experts = LAYER + "mlp.experts."
    for name, rows, columns in (("gate_up_proj", 64, 64), ("down_proj", 64, 32)):
        shape = (2, rows, columns // 32)
        blocks = torch.randint(0, 256, (*shape, 16), generator=generator, dtype=torch.uint8)
        scales = torch.randint(118, 126, shape, generator=generator, dtype=torch.uint8)
        packed[experts + name + "_blocks"] = blocks
        packed[experts + name + "_scales"] = scales
        twin[experts + name] = convert_moe_packed_tensors(blocks, scales)
        bias = random_weight((2, rows), columns).to(torch.bfloat16)
        packed[experts + name + "_bias"] = twin[experts + name + "_bias"] = bias
    block = {"quant_method": "mxfp4", "modules_to_not_convert": ["lm_head"]}
    write("mxfp4", GPT_OSS, block, packed, twin, torch.bfloat16)


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    make_gptq("gptq4_v1", 4, 32, 1)
    make_gptq("gptq4_v2_order", 4, 32, 2, shuffle=True)
    make_gptq("gptq4_beside", 4, -1, 1, beside=True, with_groups=False)
    make_gptq("gptq2_v1", 2, 32, 1)
    make_gptq("gptq3_v1", 3, 32, 1)
    make_gptq("gptq3_gptqmodel", 3, 32, 1, gptqmodel=True)
    make_gptq("gptq8_v2", 8, 32, 2)
    block = {"quant_method": "awq", "bits": 4, "group_size": 32, "zero_point": True}
    make("awq", {**block, "version": "gemm"}, awq, torch.float16)

    fine = {"quant_method": "fp8", "activation_scheme": "dynamic", "fmt": "e4m3"}
    for side in (32, 64):
        block = {**fine, "weight_block_size": [side, side]}
        make(f"fp8_block{side}", block, fp8_block((side, side)), torch.bfloat16)
    make("fp8_tensor", fine, fp8_tensor, torch.bfloat16)

    make_all_compressed()

    for kind in ("nf4", "fp4"):
        for double in (False, True):
            block = {"quant_method": "bitsandbytes", "load_in_4bit": True}
            block |= {"bnb_4bit_quant_type": kind, "bnb_4bit_use_double_quant": double}
            # Double, and blocks of 32: more than 256 blocks need more than one scale of scales.
            dtype = torch.bfloat16 if double else torch.float16
            quantize = bnb4(kind, double, dtype, size=32 if double else 64)
            make(f"bnb_{kind}" + ("_double" if double else ""), block, quantize, dtype)
    block = {"quant_method": "bitsandbytes", "load_in_4bit": True}
    make("bnb_nf4_stored_bf16", block, bnb4("nf4", False, torch.bfloat16, torch.bfloat16),
         torch.bfloat16)
    block = {"quant_method": "bitsandbytes", "load_in_8bit": True}
    make("bnb_int8", block, bnb8, torch.float16)

    make_mxfp4()


if __name__ == "__main__":
    main()
