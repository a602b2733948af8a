// Rows that most families share.
#pragma once

#include "model/gguf/family.h"

// Macros, because a table of constants cannot be spliced into another.
#define LBRX_LAYERS \
  { .key = "block_count", .size = &ConfigKeys::layers, .required = true }
#define LBRX_CONTEXT(member_name) \
  { .key = "context_length", .member = member_name, .required = true }
#define LBRX_WIDTH \
  { .key = "embedding_length", .size = &ConfigKeys::hidden, .required = true }
#define LBRX_FEED_FORWARD \
  { .key = "feed_forward_length", .size = &ConfigKeys::intermediate, .required = true }
#define LBRX_HEADS \
  { .key = "attention.head_count", .size = &ConfigKeys::heads, .required = true }
#define LBRX_KEY_VALUE_HEADS \
  { .key = "attention.head_count_kv", .size = &ConfigKeys::key_value_heads }
#define LBRX_RMS_NORM                                                                            \
  {                                                                                              \
    .key = "attention.layer_norm_rms_epsilon", .member = "rms_norm_eps", .type = GgufType::kF32, \
    .required = true                                                                             \
  }
#define LBRX_LAYER_NORM(member_name)                                                      \
  {                                                                                       \
    .key = "attention.layer_norm_epsilon", .member = member_name, .type = GgufType::kF32, \
    .required = true                                                                      \
  }
#define LBRX_EXPERTS_USED(count)                                                  \
  {.key = "expert_count", .member = count, .required = true}, {                   \
    .key = "expert_used_count", .member = "num_experts_per_tok", .required = true \
  }
#define LBRX_EXPERT_WIDTH(member_name) \
  { .key = "expert_feed_forward_length", .member = member_name, .required = true }
#define LBRX_VOCABULARY \
  { .key = "vocab_size", .size = &ConfigKeys::vocabulary }
#define LBRX_FLOAT(key_name, member_name) \
  { .key = key_name, .member = member_name, .type = GgufType::kF32, .required = true }
#define LBRX_RULE(name) \
  { .rule = &name }
// What most begin with.
#define LBRX_SIZES(context)                                                      \
  LBRX_LAYERS, LBRX_CONTEXT(context), LBRX_WIDTH, LBRX_FEED_FORWARD, LBRX_HEADS, \
      LBRX_KEY_VALUE_HEADS
