// Rules that the Llama-shaped decoders share.
#pragma once

#include "model/architecture.h"

// The rows of a pre-norm decoder with separate projections and a gated feed-forward part, under
// Hugging Face's names. A macro because a table of constants cannot be spliced into another.
#define LBRX_LLAMA_TENSORS                                                                       \
  {"model.embed_tokens", Role::kTokenEmbedding, ModuleKind::kEmbedding},                         \
      {"model.layers.{L}.input_layernorm", Role::kAttentionNorm, ModuleKind::kOther},            \
      {"model.layers.{L}.self_attn.q_proj", Role::kQuery, ModuleKind::kLinear},                  \
      {"model.layers.{L}.self_attn.k_proj", Role::kKey, ModuleKind::kLinear},                    \
      {"model.layers.{L}.self_attn.v_proj", Role::kValue, ModuleKind::kLinear},                  \
      {"model.layers.{L}.self_attn.o_proj", Role::kAttentionOutput, ModuleKind::kLinear},        \
      {"model.layers.{L}.self_attn.rotary_emb", Role::kRopeFrequencies, ModuleKind::kOther},     \
      {"model.layers.{L}.post_attention_layernorm", Role::kFeedForwardNorm, ModuleKind::kOther}, \
      {"model.layers.{L}.mlp.gate_proj", Role::kGate, ModuleKind::kLinear},                      \
      {"model.layers.{L}.mlp.up_proj", Role::kUp, ModuleKind::kLinear},                          \
      {"model.layers.{L}.mlp.down_proj", Role::kDown, ModuleKind::kLinear},                      \
      {"model.norm", Role::kOutputNorm, ModuleKind::kOther}, {                                   \
    "lm_head", Role::kOutput, ModuleKind::kLinear                                                \
  }
