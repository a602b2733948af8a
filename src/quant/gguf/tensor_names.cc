#include "quant/gguf/tensor_names.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <span>

namespace lbrx {
namespace {

bool Contains(std::string_view name, std::string_view part) {
  return name.find(part) != std::string_view::npos;
}

bool ContainsAny(std::string_view name, std::span<const std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [name](std::string_view part) { return Contains(name, part); });
}

// Parts of names that stay as they are.
constexpr std::string_view kKept[] = {
    "_norm.weight",
    "ffn_gate_inp.weight",      // router of experts
    "ffn_gate_tid2eid.weight",  // table of experts by token
    "altup",                    // Gemma 3n
    "laurel",                   // Gemma 3n
    "per_layer_model_proj",     // Gemma 3n
    "ssm_conv1d",               // Mamba
    "shortconv.conv.weight",    // LFM2
    "indexer.k_proj.weight",    // MiniMax
    "indexer.q_proj.weight",    // MiniMax
    "time_mix_first.weight",    // RWKV, to time_mix_lerp_fused
    "time_mix_w0.weight",
    "time_mix_w1.weight",
    "time_mix_w2.weight",
    "time_mix_v0.weight",
    "time_mix_v1.weight",
    "time_mix_v2.weight",
    "time_mix_a0.weight",
    "time_mix_a1.weight",
    "time_mix_a2.weight",
    "time_mix_g1.weight",
    "time_mix_g2.weight",
    "time_mix_decay_w1.weight",
    "time_mix_decay_w2.weight",
    "time_mix_lerp_fused.weight",
    "attn_rel_b.weight",  // relative positions of T5
    ".position_embd",     // pictures, from here on
    "sam.pos_embd",
    "sam.neck.",
    "sam.net_",
    ".rel_pos",
    ".patch_embd",
    ".patch_merger",
    "a.rvq.codebook",  // sound
    "mm.a.code_embd",
};

constexpr std::string_view kKeptByGlm5Next[] = {
    "hc_",
    "indexer.attn_q_b",
    "indexer.attn_k",
    "indexer.proj",
    "indexer_compressor_gate",
    "indexer_compressor_ape",
    "ssm_f_a.weight",
    "ssm_f_b.weight",
    "ssm_g_a.weight",
    "ssm_g_b.weight",
    "ssm_beta.weight",
    "attn_kv_a_mqa.weight",
    "attn_k_b.weight",
    "attn_v_b.weight",
};

struct KindOfPart {
  std::string_view part;
  TensorKind kind;
};

// The first that a name contains decides.
constexpr KindOfPart kKinds[] = {
    {"attn_qkv.weight", TensorKind::kValue},
    {"attn_kv_b.weight", TensorKind::kValue},
    {"attn_v.weight", TensorKind::kValue},
    {"attn_k.weight", TensorKind::kKey},
    {"attn_q.weight", TensorKind::kQuery},
    {"attn_output.weight", TensorKind::kAttentionOutput},
    {"ffn_up", TensorKind::kUp},
    {"ffn_gate", TensorKind::kGate},
    {"ffn_down", TensorKind::kDown},
};

}  // namespace

std::optional<int> GgufLayer(std::string_view name) {
  constexpr std::string_view kPrefix = "blk.";
  if (name.substr(0, kPrefix.size()) != kPrefix) {
    return std::nullopt;
  }
  constexpr int64_t kMax = std::numeric_limits<int>::max();
  std::optional<int64_t> layer;
  for (const char c : name.substr(kPrefix.size())) {
    if (c < '0' || c > '9') {
      break;
    }
    layer = std::min(layer.value_or(0) * 10 + (c - '0'), kMax);
  }
  return layer ? std::optional(static_cast<int>(*layer)) : std::nullopt;
}

bool GgufTensorOrder::operator()(std::string_view a, std::string_view b) const {
  const int layer_a = GgufLayer(a).value_or(-1);
  const int layer_b = GgufLayer(b).value_or(-1);
  return layer_a != layer_b ? layer_a < layer_b : a < b;
}

TensorKind KindOfTensor(std::string_view name) {
  if (name == "output.weight") {
    return TensorKind::kOutput;
  }
  if (name == "token_embd.weight" || name == "per_layer_token_embd.weight") {
    return TensorKind::kEmbedding;
  }
  for (const KindOfPart& row : kKinds) {
    if (Contains(name, row.part)) {
      return row.kind;
    }
  }
  return TensorKind::kOther;
}

bool IsQuantizable(std::string_view name, std::string_view architecture) {
  constexpr std::string_view kEnding = "weight";
  return name.size() >= kEnding.size() && name.substr(name.size() - kEnding.size()) == kEnding &&
         name != "position_embd.weight" && name != "token_types.weight" &&
         !ContainsAny(name, kKept) &&
         !(architecture == "glm5-next" && ContainsAny(name, kKeptByGlm5Next));
}

}  // namespace lbrx
