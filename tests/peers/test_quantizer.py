"""The quantizers against mx.quantize and mx.dequantize, byte for byte, on fresh tensors."""

import json

import mlx.core as mx
import numpy as np

from rows import BITS, matrix
from support import SEED, PeerTest, array_bytes, lbrx, read_tensors

HIDDEN, INTERMEDIATE, VOCABULARY, HEADS, KEY_HEADS = 256, 512, 192, 4, 2
GROUPS = (32, 64, 128)
DTYPES = {
    "f32": (mx.float32, "float32"),
    "f16": (mx.float16, "float16"),
    "bf16": (mx.bfloat16, "bfloat16"),
}


def shapes():
    head = HIDDEN // HEADS
    layer = "model.layers.0."
    return {
        "model.embed_tokens.weight": (VOCABULARY, HIDDEN),
        "lm_head.weight": (VOCABULARY, HIDDEN),
        "model.norm.weight": (HIDDEN,),
        layer + "input_layernorm.weight": (HIDDEN,),
        layer + "post_attention_layernorm.weight": (HIDDEN,),
        layer + "self_attn.q_proj.weight": (HIDDEN, HIDDEN),
        layer + "self_attn.k_proj.weight": (head * KEY_HEADS, HIDDEN),
        layer + "self_attn.v_proj.weight": (head * KEY_HEADS, HIDDEN),
        layer + "self_attn.o_proj.weight": (HIDDEN, HIDDEN),
        layer + "mlp.gate_proj.weight": (INTERMEDIATE, HIDDEN),
        layer + "mlp.up_proj.weight": (INTERMEDIATE, HIDDEN),
        layer + "mlp.down_proj.weight": (HIDDEN, INTERMEDIATE),
    }


def config(dtype):
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": HIDDEN,
        "intermediate_size": INTERMEDIATE,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KEY_HEADS,
        "head_dim": HIDDEN // HEADS,
        "num_hidden_layers": 1,
        "vocab_size": VOCABULARY,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "max_position_embeddings": 512,
        "tie_word_embeddings": False,
        "torch_dtype": dtype,
    }


def one_nan(tensors):
    """With NaN in one spelling: the sign of 0 * infinity is whatever the compiler makes of it."""
    out = {}
    for name, (dtype, shape, data) in tensors.items():
        infinity = {"F32": 0x7F800000, "F16": 0x7C00, "BF16": 0x7F80}[dtype]
        bits = np.frombuffer(data, np.uint32 if dtype == "F32" else np.uint16).copy()
        bits[(bits & (0x7FFFFFFF if dtype == "F32" else 0x7FFF)) > infinity] = infinity + 1
        out[name] = (dtype, shape, bits.tobytes())
    return out


class QuantizerTest(PeerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.arrays = {}
        for number, (label, (dtype, spelling)) in enumerate(DTYPES.items()):
            random = np.random.default_rng([SEED, number])
            arrays = {}
            for name, shape in shapes().items():
                values = matrix(random, *shape) if len(shape) == 2 else np.ones(shape, np.float32)
                arrays[name] = mx.array(values).astype(dtype)
            folder = cls.folder / label
            folder.mkdir()
            (folder / "config.json").write_text(json.dumps(config(spelling)))
            mx.save_safetensors(str(folder / "model.safetensors"), arrays, {"format": "pt"})
            cls.arrays[label] = arrays

    def compare(self, label, scheme, **parameters):
        """One scheme of ours against mx.quantize with `parameters`."""
        ours = self.folder / f"{label}-{scheme}-{parameters['group_size']}"
        lbrx("quantize", self.folder / label, ours, "-q", scheme, "--group-size",
             parameters["group_size"], "--mlx-rule", "cpu", "--no-sync", "--quiet")
        back = ours.with_name(ours.name + "-decoded")
        # mlx's scales of groups of denormals decode to infinity; microscales do not tell a dtype.
        lbrx("convert", ours, back, "--dequantize", "--dtype", label, "--allow-nonfinite",
             "--no-sync", "--quiet")

        expected, decoded = {}, {}
        name_of = {mx.uint8: "U8", mx.uint32: "U32", mx.float32: "F32", mx.float16: "F16",
                   mx.bfloat16: "BF16"}
        raw = lambda a: (name_of[a.dtype], list(a.shape), array_bytes(a))
        for name, values in self.arrays[label].items():
            if values.ndim == 1:
                expected[name] = decoded[name] = raw(values)
                continue
            planes = mx.quantize(values, **parameters)
            module = name.removesuffix("weight")
            for suffix, plane in zip(("weight", "scales", "biases"), planes):
                expected[module + suffix] = raw(plane)
            values = mx.dequantize(*planes, dtype=values.dtype, **parameters)
            decoded[name] = raw(values)
        self.assert_same_tensors(read_tensors(ours), expected)
        self.assert_same_tensors(one_nan(read_tensors(back)), one_nan(decoded))


def add_test(label, scheme, **parameters):
    def test(self):
        self.compare(label, scheme, **parameters)

    setattr(QuantizerTest, f"test_{label}_{scheme}_group_{parameters['group_size']}", test)


for dtype in DTYPES:
    for bits in BITS:
        for group in GROUPS:
            add_test(dtype, f"{bits}bit", group_size=group, bits=bits)
    for mode, group, bits in (("mxfp4", 32, 4), ("mxfp8", 32, 8), ("nvfp4", 16, 4)):
        add_test(dtype, mode, group_size=group, bits=bits, mode=mode)
