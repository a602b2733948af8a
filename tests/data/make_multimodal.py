"""Makes the models of tests/data/multimodal: tiny random ones, saved by transformers 5, with the
logits that it computes from text alone.

    python tests/data/make_multimodal.py [FOLDER]     # needs torch and transformers 5

`make_multimodal_mlx.py` adds what mlx-lm makes of them.
"""

import json
import pathlib
import sys

import safetensors.torch
import torch
import transformers as tr

FOLDER = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "multimodal")
VOCABULARY, HIDDEN, LAYERS = 128, 32, 2

TEXT = {
    "vocab_size": VOCABULARY,
    "hidden_size": HIDDEN,
    "intermediate_size": 64,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "max_position_embeddings": 512,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
SPECIAL = {"image_token_id": 120, "video_token_id": 121, "vision_start_token_id": 122,
           "vision_end_token_id": 123}
SIGLIP = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1,
          "num_attention_heads": 1, "image_size": 16, "patch_size": 8}


def mrope(**more):
    return {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3], **more}


def gemma3():
    text = dict(TEXT, head_dim=16, sliding_window=8, query_pre_attn_scalar=16,
                layer_types=["sliding_attention", "full_attention"])
    return tr.Gemma3ForConditionalGeneration(tr.Gemma3Config(
        text_config=text, vision_config=SIGLIP, mm_tokens_per_image=4, image_token_index=120,
        boi_token_index=122, eoi_token_index=123))


def qwen2_vl():
    vision = {"depth": 1, "embed_dim": 16, "hidden_size": HIDDEN, "num_heads": 1, "mlp_ratio": 2,
              "patch_size": 4}
    return tr.Qwen2VLForConditionalGeneration(tr.Qwen2VLConfig(
        text_config=dict(TEXT, rope_parameters=mrope()), vision_config=vision,
        tie_word_embeddings=False, **SPECIAL))


def qwen2_5_vl():
    vision = {"depth": 1, "hidden_size": 16, "intermediate_size": 24, "num_heads": 1,
              "out_hidden_size": HIDDEN, "patch_size": 4, "window_size": 16,
              "fullatt_block_indexes": [0]}
    return tr.Qwen2_5_VLForConditionalGeneration(tr.Qwen2_5_VLConfig(
        text_config=dict(TEXT, rope_parameters=mrope()), vision_config=vision,
        tie_word_embeddings=True, **SPECIAL))


def qwen3_vision(out=HIDDEN):
    return {"depth": 1, "hidden_size": 16, "intermediate_size": 24, "num_heads": 1,
            "out_hidden_size": out, "patch_size": 4, "num_position_embeddings": 16,
            "deepstack_visual_indexes": [0]}


def qwen3_vl():
    text = dict(TEXT, head_dim=16, rope_parameters=mrope(mrope_interleaved=True))
    return tr.Qwen3VLForConditionalGeneration(tr.Qwen3VLConfig(
        text_config=text, vision_config=qwen3_vision(), tie_word_embeddings=True, **SPECIAL))


def qwen3_vl_moe():
    text = dict(TEXT, hidden_size=64, head_dim=16, rope_parameters=mrope(mrope_interleaved=True),
                num_experts=2,
                num_experts_per_tok=1, moe_intermediate_size=96, decoder_sparse_step=1,
                mlp_only_layers=[])
    return tr.Qwen3VLMoeForConditionalGeneration(tr.Qwen3VLMoeConfig(
        text_config=text, vision_config=qwen3_vision(64), tie_word_embeddings=False, **SPECIAL))


def mistral3():
    text = dict(TEXT, model_type="mistral", head_dim=16, sliding_window=None)
    vision = {"model_type": "pixtral", "hidden_size": 16, "intermediate_size": 24,
              "num_hidden_layers": 1, "num_attention_heads": 1, "head_dim": 16, "image_size": 16,
              "patch_size": 4}
    return tr.Mistral3ForConditionalGeneration(tr.Mistral3Config(
        text_config=text, vision_config=vision, image_token_index=120, spatial_merge_size=2,
        tie_word_embeddings=False))


def llava():
    text = dict(TEXT, model_type="llama")
    vision = dict(SIGLIP, model_type="clip_vision_model", projection_dim=16)
    return tr.LlavaForConditionalGeneration(tr.LlavaConfig(
        text_config=text, vision_config=vision, image_token_index=120, vision_feature_layer=-1,
        tie_word_embeddings=False))


MODELS = [gemma3, llava, mistral3, qwen2_5_vl, qwen2_vl, qwen3_vl, qwen3_vl_moe]


def publish(folder):
    """Experts as the published Qwen3-VL checkpoints have them: [experts, in, out]; transformers 5
    saves [experts, out, in]."""
    file = folder / "model.safetensors"
    tensors = safetensors.torch.load_file(file)
    for name in list(tensors):
        if ".mlp.experts." in name:
            tensors[name] = tensors[name].transpose(1, 2).contiguous()
    safetensors.torch.save_file(tensors, file, {"format": "pt"})


def logits_of(model, ids):
    with torch.no_grad():
        return model.eval().float()(input_ids=torch.tensor([ids])).logits[0].float()


def save(make):
    torch.manual_seed(sum(make.__name__.encode()))
    model = make()
    for parameter in model.parameters():
        parameter.data.normal_(0, 0.08)  # biases and norms too, so that a loss of any is seen
    model = model.to(torch.bfloat16)
    folder = FOLDER / make.__name__
    model.save_pretrained(folder)
    if make is qwen3_vl_moe:
        publish(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    ids = [(7 * i * i + 3 * i + 5) % 110 for i in range(16)]
    logits = logits_of(model, ids)
    expected = {"ids": ids, "argmax": logits.argmax(-1).tolist(),
                "last16": [round(float(x), 6) for x in logits[-1, :16]],
                "row_l2": [round(float(x), 6) for x in logits.norm(dim=-1)]}
    (folder / "expected.json").write_text(json.dumps(expected) + "\n")


for make in MODELS:
    save(make)
