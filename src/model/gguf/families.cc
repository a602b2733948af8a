// The tables. Orders, names and types are those of llama.cpp's conversion scripts, `fixed` is what
// its model files compute with, `defaults` is of transformers 5.
#include "model/gguf/rows.h"

namespace lbrx {
namespace {

constexpr std::string_view kPositions = "max_position_embeddings";

constexpr KeyRow kLlamaRows[] = {LBRX_SIZES(kPositions), LBRX_RULE(kRopeRule),
                                 LBRX_RMS_NORM,          LBRX_RULE(kHeadDimAlwaysRule),
                                 LBRX_VOCABULARY,        LBRX_RULE(kRotaryRule)};

constexpr KeyRow kMistralRows[] = {LBRX_SIZES(kPositions),  LBRX_RULE(kRopeRule),
                                   LBRX_RMS_NORM,           LBRX_RULE(kHeadDimAlwaysRule),
                                   LBRX_VOCABULARY,         LBRX_RULE(kRotaryRule),
                                   LBRX_RULE(kNoWindowRule)};

constexpr KeyRow kMixtralRows[] = {LBRX_SIZES(kPositions),  LBRX_RULE(kRopeRule),
                                   LBRX_RMS_NORM,           LBRX_EXPERTS_USED("num_local_experts"),
                                   LBRX_RULE(kHeadDimRule), LBRX_VOCABULARY,
                                   LBRX_RULE(kRotaryRule),  LBRX_RULE(kNoWindowRule)};

constexpr KeyRow kGraniteRows[] = {LBRX_SIZES(kPositions),
                                   LBRX_RULE(kRopeRule),
                                   LBRX_RMS_NORM,
                                   LBRX_RULE(kHeadDimUnusualRule),
                                   LBRX_VOCABULARY,
                                   LBRX_RULE(kRotaryRule),
                                   LBRX_FLOAT("attention.scale", "attention_multiplier"),
                                   LBRX_FLOAT("embedding_scale", "embedding_multiplier"),
                                   LBRX_FLOAT("residual_scale", "residual_multiplier"),
                                   LBRX_FLOAT("logit_scale", "logits_scaling")};

constexpr KeyRow kSmolLm3Rows[] = {
    LBRX_SIZES(kPositions),       LBRX_RULE(kRopeRule),    LBRX_RMS_NORM,
    LBRX_RULE(kHeadDimRule),      LBRX_VOCABULARY,         LBRX_RULE(kRotaryRule),
    LBRX_RULE(kNoRopeLayersRule), LBRX_RULE(kNoWindowRule)};

// Qwen2; OLMo 2 is the same but for windows.
constexpr KeyRow kQwen2Rows[] = {LBRX_SIZES(kPositions), LBRX_RULE(kRopeRule), LBRX_RMS_NORM,
                                 LBRX_RULE(kHeadDimRule), LBRX_RULE(kNoWindowRule)};

constexpr KeyRow kOlmo2Rows[] = {LBRX_SIZES(kPositions), LBRX_RULE(kRopeRule), LBRX_RMS_NORM,
                                 LBRX_RULE(kHeadDimRule)};

constexpr KeyRow kQwen3Rows[] = {LBRX_SIZES(kPositions), LBRX_RULE(kRopeRule), LBRX_RMS_NORM,
                                 LBRX_RULE(kHeadDimAlwaysRule), LBRX_RULE(kNoWindowRule)};

constexpr KeyRow kQwen2MoeRows[] = {LBRX_SIZES(kPositions),
                                    LBRX_RULE(kRopeRule),
                                    LBRX_RMS_NORM,
                                    LBRX_EXPERTS_USED("num_experts"),
                                    LBRX_RULE(kHeadDimRule),
                                    LBRX_EXPERT_WIDTH("moe_intermediate_size"),
                                    {.key = "expert_shared_feed_forward_length",
                                     .member = "shared_expert_intermediate_size",
                                     .required = true},
                                    LBRX_RULE(kNoWindowRule)};

constexpr KeyRow kQwen3MoeRows[] = {LBRX_SIZES(kPositions),
                                    LBRX_RULE(kRopeRule),
                                    LBRX_RMS_NORM,
                                    LBRX_EXPERTS_USED("num_experts"),
                                    LBRX_RULE(kHeadDimAlwaysRule),
                                    LBRX_EXPERT_WIDTH("moe_intermediate_size"),
                                    LBRX_RULE(kNoWindowRule)};

constexpr KeyRow kGemma2Rows[] = {LBRX_CONTEXT(kPositions),
                                  LBRX_WIDTH,
                                  LBRX_LAYERS,
                                  LBRX_FEED_FORWARD,
                                  LBRX_HEADS,
                                  LBRX_KEY_VALUE_HEADS,
                                  LBRX_RULE(kQuietRopeRule),
                                  LBRX_RMS_NORM,
                                  LBRX_RULE(kHeadDimAlwaysRule),
                                  {.key = "attn_logit_softcapping",
                                   .member = "attn_logit_softcapping",
                                   .absent = "50.0",
                                   .type = GgufType::kF32},
                                  {.key = "final_logit_softcapping",
                                   .member = "final_logit_softcapping",
                                   .absent = "30.0",
                                   .type = GgufType::kF32},
                                  LBRX_RULE(kWindowRule),
                                  LBRX_RULE(kQueryScaleRule)};

constexpr KeyRow kGemma3Rows[] = {LBRX_SIZES(kPositions),
                                  LBRX_RULE(kRopeRule),
                                  LBRX_RMS_NORM,
                                  LBRX_RULE(kHeadDimAlwaysRule),
                                  {.key = "final_logit_softcapping",
                                   .member = "final_logit_softcapping",
                                   .absent = "null",
                                   .type = GgufType::kF32},
                                  LBRX_RULE(kWindowRule),
                                  LBRX_RULE(kQueryScaleRule)};

constexpr KeyRow kPhi3Rows[] = {LBRX_CONTEXT(kPositions),
                                LBRX_RULE(kLongRopeRule),
                                LBRX_WIDTH,
                                LBRX_FEED_FORWARD,
                                LBRX_LAYERS,
                                LBRX_HEADS,
                                LBRX_KEY_VALUE_HEADS,
                                LBRX_RMS_NORM,
                                LBRX_RULE(kHeadDimUnusualRule),
                                LBRX_RULE(kRotaryRule),
                                LBRX_RULE(kLongRopeBaseRule),
                                LBRX_RULE(kWindowOrZeroRule)};

constexpr KeyRow kCohereRows[] = {LBRX_LAYERS,
                                  LBRX_RULE(kContextRule),
                                  LBRX_WIDTH,
                                  LBRX_FEED_FORWARD,
                                  LBRX_HEADS,
                                  LBRX_KEY_VALUE_HEADS,
                                  LBRX_RULE(kRopeRule),
                                  LBRX_LAYER_NORM("layer_norm_eps"),
                                  LBRX_RULE(kHeadDimRule),
                                  LBRX_FLOAT("logit_scale", "logit_scale"),
                                  LBRX_RULE(kUnscaledRule)};

constexpr KeyRow kStarcoder2Rows[] = {LBRX_SIZES(kPositions), LBRX_RULE(kRopeRule),
                                      LBRX_LAYER_NORM("norm_epsilon"), LBRX_RULE(kHeadDimRule),
                                      LBRX_RULE(kNoWindowRule)};

constexpr KeyRow kStableLmRows[] = {LBRX_CONTEXT(kPositions),
                                    LBRX_WIDTH,
                                    LBRX_LAYERS,
                                    LBRX_FEED_FORWARD,
                                    LBRX_RULE(kHeadDimUnusualRule),
                                    LBRX_RULE(kRotaryRule),
                                    LBRX_HEADS,
                                    LBRX_KEY_VALUE_HEADS,
                                    LBRX_RULE(kQuietRopeRule),
                                    {.key = "use_parallel_residual",
                                     .member = "use_parallel_residual",
                                     .absent = "false",
                                     .type = GgufType::kBool},
                                    LBRX_LAYER_NORM("layer_norm_eps")};

constexpr KeyRow kGlm4Rows[] = {LBRX_SIZES(kPositions), LBRX_RULE(kRopeRule), LBRX_RMS_NORM,
                                LBRX_RULE(kHeadDimAlwaysRule), LBRX_RULE(kRotaryRule)};

constexpr KeyRow kDeepseekRows[] = {
    LBRX_LAYERS,
    LBRX_CONTEXT(kPositions),
    LBRX_WIDTH,
    LBRX_FEED_FORWARD,
    LBRX_HEADS,
    LBRX_RULE(kLatentRule),
    LBRX_RULE(kRopeRule),
    LBRX_RMS_NORM,
    LBRX_EXPERTS_USED("n_routed_experts"),
    {.key = "expert_group_count", .member = "n_group", .absent = "1"},
    {.key = "expert_group_used_count", .member = "topk_group", .absent = "1"},
    LBRX_RULE(kGatingRule),
    LBRX_RULE(kLatentWidthRule),
    {.key = "leading_dense_block_count", .member = "first_k_dense_replace", .absent = "0"},
    LBRX_VOCABULARY,
    {.key = "attention.q_lora_rank", .member = "q_lora_rank", .absent = "null"},
    {.key = "attention.kv_lora_rank", .member = "kv_lora_rank", .required = true},
    LBRX_RULE(kLatentHeadsRule),
    LBRX_EXPERT_WIDTH("moe_intermediate_size"),
    {.key = "expert_shared_count", .member = "n_shared_experts", .required = true},
    {.key = "expert_weights_scale",
     .member = "routed_scaling_factor",
     .absent = "1.0",
     .type = GgufType::kF32},
    LBRX_RULE(kTopNormRule),
    {.key = "rope.dimension_count", .member = "qk_rope_head_dim", .required = true},
    LBRX_RULE(kYarnLogRule)};

constexpr KeyRow kGptOssRows[] = {
    LBRX_SIZES(kPositions),
    LBRX_RULE(kRopeRule),
    LBRX_RMS_NORM,
    LBRX_EXPERTS_USED("num_local_experts"),
    LBRX_RULE(kHeadDimAlwaysRule),
    LBRX_RULE(kWindowRule),
    {.key = "expert_feed_forward_length", .size = &ConfigKeys::intermediate, .required = true}};

constexpr KeyRow kGpt2Rows[] = {LBRX_LAYERS, LBRX_CONTEXT("n_positions"),
                                LBRX_WIDTH,  LBRX_RULE(kWideningRule),
                                LBRX_HEADS,  LBRX_LAYER_NORM("layer_norm_epsilon")};

constexpr FactRow kLlamaFacts[] = {{"attention_bias", &GgufTensorFacts::query_bias},
                                   {"mlp_bias", &GgufTensorFacts::feed_forward_bias}};
constexpr FactRow kAttentionBias[] = {{"attention_bias", &GgufTensorFacts::query_bias}};
constexpr FactRow kQwen2MoeFacts[] = {{"qkv_bias", &GgufTensorFacts::query_bias}};
constexpr FactRow kCohereFacts[] = {{"attention_bias", &GgufTensorFacts::query_bias},
                                    {"use_qk_norm", &GgufTensorFacts::query_norm}};
constexpr FactRow kStableLmFacts[] = {{"use_qkv_bias", &GgufTensorFacts::query_bias},
                                      {"qk_layernorm", &GgufTensorFacts::query_norm}};
constexpr FactRow kStarcoder2Facts[] = {{"use_bias", &GgufTensorFacts::query_bias}};

constexpr std::string_view kSilu = R"({"hidden_act": "silu"})";
constexpr std::string_view kEps6 = R"({"rms_norm_eps": 1e-6})";

constexpr GgufFamily kFamilies[] = {
    {.architecture = "llama",
     .name = "llama",
     .rows = kLlamaRows,
     .facts = kLlamaFacts,
     .fixed = kSilu,
     .defaults = kEps6,
     .rope_frequencies = true},
    {.architecture = "mistral",
     .name = "llama",
     .rows = kMistralRows,
     .fixed = kSilu,
     .defaults = R"({"rms_norm_eps": 1e-6, "num_key_value_heads": 8, "sliding_window": 4096})",
     .rope_frequencies = true},
    {.architecture = "mixtral",
     .name = "llama",
     .rows = kMixtralRows,
     .fixed = kSilu,
     .defaults = R"({"rms_norm_eps": 1e-5, "num_key_value_heads": 8, "num_local_experts": 8,
                     "num_experts_per_tok": 2})",
     .rope_theta = 1e6,
     .rope_frequencies = true},
    {.architecture = "qwen2",
     .name = "qwen2",
     .rows = kQwen2Rows,
     .fixed = kSilu,
     .defaults = kEps6},
    {.architecture = "qwen2_moe",
     .name = "qwen2moe",
     .rows = kQwen2MoeRows,
     .facts = kQwen2MoeFacts,
     .fixed = R"({"hidden_act": "silu", "norm_topk_prob": false, "decoder_sparse_step": 1,
                  "mlp_only_layers": []})",
     .defaults = R"({"rms_norm_eps": 1e-6, "num_experts": 60, "num_experts_per_tok": 4,
                     "moe_intermediate_size": 1408, "shared_expert_intermediate_size": 5632})"},
    {.architecture = "qwen3",
     .name = "qwen3",
     .rows = kQwen3Rows,
     .facts = kAttentionBias,
     .fixed = kSilu,
     .defaults = R"({"rms_norm_eps": 1e-6, "head_dim": 128})"},
    {.architecture = "qwen3_moe",
     .name = "qwen3moe",
     .rows = kQwen3MoeRows,
     .facts = kAttentionBias,
     .fixed = R"({"hidden_act": "silu", "norm_topk_prob": true, "decoder_sparse_step": 1,
                  "mlp_only_layers": []})",
     .defaults = R"({"rms_norm_eps": 1e-6, "num_key_value_heads": 4, "num_experts": 128,
                     "num_experts_per_tok": 8, "moe_intermediate_size": 768,
                     "norm_topk_prob": false})"},
    {.architecture = "gemma2",
     .name = "gemma2",
     .rows = kGemma2Rows,
     .facts = kAttentionBias,
     .fixed = R"({"hidden_activation": "gelu_pytorch_tanh"})",
     .defaults = R"({"rms_norm_eps": 1e-6, "num_key_value_heads": 4, "head_dim": 256,
                     "max_position_embeddings": 8192, "sliding_window": 4096,
                     "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0,
                     "query_pre_attn_scalar": 256})"},
    {.architecture = "gemma3_text",
     .name = "gemma3",
     .rows = kGemma3Rows,
     .facts = kAttentionBias,
     .fixed = R"({"hidden_activation": "gelu_pytorch_tanh", "attn_logit_softcapping": null,
                  "use_bidirectional_attention": false})",
     .defaults = R"({"rms_norm_eps": 1e-6, "num_attention_heads": 8, "num_key_value_heads": 4,
                     "head_dim": 256, "max_position_embeddings": 131072, "sliding_window": 4096,
                     "query_pre_attn_scalar": 256})",
     .rope_theta = 1e6,
     .rope_local_theta = 1e4},
    {.architecture = "phi3",
     .name = "phi3",
     .rows = kPhi3Rows,
     .fixed = kSilu,
     .defaults = R"({"rms_norm_eps": 1e-5, "original_max_position_embeddings": 4096})",
     .rotary_part = true},
    {.architecture = "olmo2",
     .name = "olmo2",
     .rows = kOlmo2Rows,
     .facts = kAttentionBias,
     .fixed = kSilu,
     .defaults = R"({"rms_norm_eps": 1e-5})"},
    {.architecture = "cohere",
     .name = "command-r",
     .rows = kCohereRows,
     .facts = kCohereFacts,
     .fixed = kSilu,
     .defaults = R"({"layer_norm_eps": 1e-5, "logit_scale": 0.0625})",
     .rope_theta = 5e5},
    {.architecture = "starcoder2",
     .name = "starcoder2",
     .rows = kStarcoder2Rows,
     .facts = kStarcoder2Facts,
     .fixed = R"({"hidden_act": "gelu_pytorch_tanh"})",
     .defaults = R"({"norm_epsilon": 1e-5, "num_key_value_heads": 2})"},
    {.architecture = "stablelm",
     .name = "stablelm",
     .rows = kStableLmRows,
     .facts = kStableLmFacts,
     .fixed = kSilu,
     .defaults = R"({"layer_norm_eps": 1e-5, "use_parallel_residual": false})",
     .rotary_factor = 0.25,
     .rotary_part = true},
    {.architecture = "glm4",
     .name = "glm4",
     .rows = kGlm4Rows,
     .facts = kAttentionBias,
     .fixed = kSilu,
     .defaults = R"({"rms_norm_eps": 1.5625e-7, "num_key_value_heads": 2, "head_dim": 128})",
     .rotary_factor = 0.5,
     .rotary_part = true},
    {.architecture = "deepseek_v3",
     .name = "deepseek2",
     .rows = kDeepseekRows,
     .facts = kAttentionBias,
     .fixed = R"({"hidden_act": "silu", "rope_interleave": true, "moe_layer_freq": 1,
                  "topk_method": "noaux_tc"})",
     .defaults = R"({"rms_norm_eps": 1e-6, "n_routed_experts": 256, "num_experts_per_tok": 8,
                     "n_group": 8, "topk_group": 4, "first_k_dense_replace": 3,
                     "q_lora_rank": 1536, "kv_lora_rank": 512, "qk_nope_head_dim": 128,
                     "qk_rope_head_dim": 64, "v_head_dim": 128, "moe_intermediate_size": 2048,
                     "n_shared_experts": 1, "routed_scaling_factor": 2.5,
                     "norm_topk_prob": true})"},
    {.architecture = "gpt_oss",
     .name = "gpt-oss",
     .rows = kGptOssRows,
     .fixed = R"({"hidden_act": "silu", "attention_bias": true, "swiglu_alpha": 1.702,
                  "swiglu_limit": 7.0})",
     .defaults = R"({"rms_norm_eps": 1e-5, "num_key_value_heads": 8, "head_dim": 64,
                     "num_local_experts": 128, "num_experts_per_tok": 4, "sliding_window": 128,
                     "max_position_embeddings": 131072})",
     .rope_theta = 150000},
    {.architecture = "granite",
     .name = "granite",
     .rows = kGraniteRows,
     .facts = kLlamaFacts,
     .fixed = kSilu,
     .defaults = R"({"rms_norm_eps": 1e-6, "attention_multiplier": 1.0,
                     "embedding_multiplier": 1.0, "residual_multiplier": 1.0,
                     "logits_scaling": 1.0})",
     .rope_frequencies = true},
    {.architecture = "smollm3",
     .name = "smollm3",
     .rows = kSmolLm3Rows,
     .facts = kLlamaFacts,
     .fixed = kSilu,
     .defaults = R"({"rms_norm_eps": 1e-6, "num_key_value_heads": 4})",
     .rope_theta = 2e6},
    {.architecture = "gpt2",
     .name = "gpt2",
     .rows = kGpt2Rows,
     .fixed = R"({"activation_function": "gelu_new", "scale_attn_weights": true,
                  "scale_attn_by_inverse_layer_idx": false})",
     .defaults = R"({"layer_norm_epsilon": 1e-5, "n_positions": 1024})"},
};

}  // namespace

std::span<const GgufFamily> GgufFamilies() {
  return kFamilies;
}

const GgufFamily* FamilyOf(const Architecture& architecture) {
  for (const GgufFamily& family : kFamilies) {
    if (family.architecture == architecture.name) {
      return &family;
    }
  }
  return nullptr;
}

}  // namespace lbrx
