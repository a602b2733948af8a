#include "model/gguf_names.h"

#include <array>

namespace lbrx {
namespace {

struct RoleName {
  Role role;
  std::string_view module;
  std::string_view second = "";
};

constexpr std::array<RoleName, 37> kNames = {{
    {Role::kTokenEmbedding, "token_embd"},
    {Role::kPositionEmbedding, "position_embd"},
    {Role::kOutput, "output"},
    {Role::kOutputNorm, "output_norm"},
    {Role::kAttentionNorm, "blk.{L}.attn_norm"},
    {Role::kAttentionPostNorm, "blk.{L}.post_attention_norm"},
    {Role::kFeedForwardNorm, "blk.{L}.ffn_norm"},
    {Role::kFeedForwardPostNorm, "blk.{L}.post_ffw_norm"},
    {Role::kQuery, "blk.{L}.attn_q"},
    {Role::kKey, "blk.{L}.attn_k"},
    {Role::kValue, "blk.{L}.attn_v"},
    {Role::kQueryKeyValue, "blk.{L}.attn_qkv"},
    {Role::kAttentionOutput, "blk.{L}.attn_output"},
    {Role::kQueryNorm, "blk.{L}.attn_q_norm"},
    {Role::kKeyNorm, "blk.{L}.attn_k_norm"},
    {Role::kSinks, "blk.{L}.attn_sinks"},
    {Role::kQueryDown, "blk.{L}.attn_q_a"},
    {Role::kQueryDownNorm, "blk.{L}.attn_q_a_norm"},
    {Role::kQueryUp, "blk.{L}.attn_q_b"},
    {Role::kKeyValueDown, "blk.{L}.attn_kv_a_mqa"},
    {Role::kKeyValueDownNorm, "blk.{L}.attn_kv_a_norm"},
    {Role::kKeyValueUp, "blk.{L}.attn_k_b", "blk.{L}.attn_v_b"},
    {Role::kGate, "blk.{L}.ffn_gate"},
    {Role::kUp, "blk.{L}.ffn_up"},
    {Role::kDown, "blk.{L}.ffn_down"},
    {Role::kGateUp, "blk.{L}.ffn_up"},
    {Role::kRouter, "blk.{L}.ffn_gate_inp"},
    {Role::kRouterBias, "blk.{L}.exp_probs_b"},
    {Role::kExpertGate, "blk.{L}.ffn_gate_exps"},
    {Role::kExpertUp, "blk.{L}.ffn_up_exps"},
    {Role::kExpertDown, "blk.{L}.ffn_down_exps"},
    {Role::kExpertGateUp, "blk.{L}.ffn_gate_exps", "blk.{L}.ffn_up_exps"},
    {Role::kSharedGate, "blk.{L}.ffn_gate_shexp"},
    {Role::kSharedUp, "blk.{L}.ffn_up_shexp"},
    {Role::kSharedDown, "blk.{L}.ffn_down_shexp"},
    {Role::kSharedRouter, "blk.{L}.ffn_gate_inp_shexp"},
    {Role::kRopeFrequencies, ""},
}};

}  // namespace

std::string_view GgufModule(const TensorRule& rule, bool second) {
  if (!rule.gguf.empty()) {
    return second ? std::string_view() : rule.gguf;
  }
  for (const RoleName& row : kNames) {
    if (row.role == rule.role) {
      return second ? row.second : row.module;
    }
  }
  return {};
}

std::string_view GgufLeaf(const TensorRule& rule) {
  switch (rule.role) {
    case Role::kSinks:
      return "weight";
    case Role::kRouterBias:
      return "bias";
    default:
      return rule.mlx_leaf.empty() ? rule.leaf : rule.mlx_leaf;
  }
}

bool IsRotaryTensor(std::string_view name) {
  return name == kRopeFrequenciesName || name == kLongFactorsName || name == kShortFactorsName;
}

bool IsFloat32InGguf(std::string_view name, size_t rank) {
  return rank <= 1 || name.ends_with("_norm.weight") || !name.ends_with(".weight") ||
         name.find("ffn_gate_inp") != std::string_view::npos || name == "position_embd.weight" ||
         name == "token_types.weight";
}

}  // namespace lbrx
