// Rows that most decoders share, under Hugging Face's names. Macros, because a table of constants
// cannot be spliced into another.
#pragma once

#include "model/architecture.h"

// The beginning and the end.
#define LBRX_DECODER_ENDS                                                \
  {"model.embed_tokens", Role::kTokenEmbedding, ModuleKind::kEmbedding}, \
      {"model.norm", Role::kOutputNorm, ModuleKind::kOther}, {           \
    "lm_head", Role::kOutput, ModuleKind::kLinear                        \
  }

// Separate projections for queries, keys and values.
#define LBRX_ATTENTION                                                                      \
  {"model.layers.{L}.self_attn.q_proj", Role::kQuery, ModuleKind::kLinear},                 \
      {"model.layers.{L}.self_attn.k_proj", Role::kKey, ModuleKind::kLinear},               \
      {"model.layers.{L}.self_attn.v_proj", Role::kValue, ModuleKind::kLinear},             \
      {"model.layers.{L}.self_attn.o_proj", Role::kAttentionOutput, ModuleKind::kLinear}, { \
    "model.layers.{L}.self_attn.rotary_emb", Role::kRopeFrequencies, ModuleKind::kOther     \
  }

// Norms of queries and keys.
#define LBRX_QUERY_KEY_NORMS                                                     \
  {"model.layers.{L}.self_attn.q_norm", Role::kQueryNorm, ModuleKind::kOther}, { \
    "model.layers.{L}.self_attn.k_norm", Role::kKeyNorm, ModuleKind::kOther      \
  }

// Norms before attention and before the feed-forward part.
#define LBRX_PRE_NORMS                                                                      \
  {"model.layers.{L}.input_layernorm", Role::kAttentionNorm, ModuleKind::kOther}, {         \
    "model.layers.{L}.post_attention_layernorm", Role::kFeedForwardNorm, ModuleKind::kOther \
  }

// Separate gate and up projections.
#define LBRX_GATED_MLP                                                    \
  {"model.layers.{L}.mlp.gate_proj", Role::kGate, ModuleKind::kLinear},   \
      {"model.layers.{L}.mlp.up_proj", Role::kUp, ModuleKind::kLinear}, { \
    "model.layers.{L}.mlp.down_proj", Role::kDown, ModuleKind::kLinear    \
  }

// One matrix per expert, which MLX stacks; also the fused form that transformers holds in memory.
#define LBRX_EXPERTS                                                                 \
  {.pattern = "model.layers.{L}.mlp.experts.{E}.gate_proj",                          \
   .role = Role::kExpertGate,                                                        \
   .kind = ModuleKind::kLinear,                                                      \
   .layout = Layout::kStackedExperts,                                                \
   .mlx = "model.layers.{L}.mlp.switch_mlp.gate_proj"},                              \
      {.pattern = "model.layers.{L}.mlp.experts.{E}.up_proj",                        \
       .role = Role::kExpertUp,                                                      \
       .kind = ModuleKind::kLinear,                                                  \
       .layout = Layout::kStackedExperts,                                            \
       .mlx = "model.layers.{L}.mlp.switch_mlp.up_proj"},                            \
      {.pattern = "model.layers.{L}.mlp.experts.{E}.down_proj",                      \
       .role = Role::kExpertDown,                                                    \
       .kind = ModuleKind::kLinear,                                                  \
       .layout = Layout::kStackedExperts,                                            \
       .mlx = "model.layers.{L}.mlp.switch_mlp.down_proj"},                          \
      {.pattern = "model.layers.{L}.mlp.experts",                                    \
       .role = Role::kExpertGateUp,                                                  \
       .kind = ModuleKind::kLinear,                                                  \
       .layout = Layout::kFusedExperts,                                              \
       .mlx = "model.layers.{L}.mlp.switch_mlp.gate_proj",                           \
       .mlx_second = "model.layers.{L}.mlp.switch_mlp.up_proj",                      \
       .leaf = "gate_up_proj",                                                       \
       .mlx_leaf = "weight"},                                                        \
  {                                                                                  \
    .pattern = "model.layers.{L}.mlp.experts", .role = Role::kExpertDown,            \
    .kind = ModuleKind::kLinear, .mlx = "model.layers.{L}.mlp.switch_mlp.down_proj", \
    .leaf = "down_proj", .mlx_leaf = "weight"                                        \
  }
