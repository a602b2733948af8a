// What mlx-lm's classes can hold. It refuses to load a folder that has a tensor more or fewer than
// its class wants, or one of another shape. Source: mlx-lm 0.32.2, mlx_lm/models.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace lbrx {

enum class Role : uint8_t;

struct MlxClass {
  // Whether it has an output matrix of its own.
  enum class Head : uint8_t { kAsConfigured, kAsFound, kNever, kAlways };
  // Which rope_scaling it takes: any (as it does not look), the types of its rope_utils, linear
  // alone, or with long_factor alone.
  enum class Rope : uint8_t { kAny, kTypes, kLinear, kLongFactor };

  static constexpr std::string_view kNever = "";
  static constexpr std::string_view kAlways = "always";

  Head head = Head::kAsConfigured;
  Rope rope = Rope::kAny;
  // Whether it reads the key head_dim, or else takes hidden_size / num_attention_heads.
  bool head_dim = false;
  // The key of config.json that says whether these have biases, or kNever or kAlways.
  std::string_view query_bias = kNever;         // what gives queries, keys and values
  std::string_view attention_bias = kNever;     // the other projections of attention
  std::string_view feed_forward_bias = kNever;  // experts and routers too
  // Roles that the architecture knows, but this class not.
  std::span<const Role> lacks = {};
  // Where the list layer_types is there, each of these has to be in it.
  std::span<const std::string_view> layer_types = {};
  // Of a multimodal model: what does not begin as the text's tensors do is left out unseen.
  bool skips_others = false;
  uint64_t widening = 0;  // the feed-forward part is so many times hidden_size; 0: as configured
};

inline constexpr std::string_view kFullAttention[] = {"full_attention"};

// Shared by what derives from Llama.
inline constexpr MlxClass kMlxLlama = {
    .rope = MlxClass::Rope::kTypes,
    .head_dim = true,
    .query_bias = "attention_bias",
    .attention_bias = "attention_bias",
    .feed_forward_bias = "mlp_bias",
    .layer_types = kFullAttention,
};

}  // namespace lbrx
