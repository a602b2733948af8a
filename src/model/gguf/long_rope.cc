// Phi-3's rope: two lists of factors, for short texts and for long ones, and a factor of attention.
#include <cmath>

#include "core/base/error.h"
#include "core/base/format.h"
#include "model/gguf/family.h"
#include "model/gguf/rope.h"

namespace lbrx {
namespace {

constexpr std::string_view kOriginal = "original_max_position_embeddings";
constexpr std::string_view kPositions = "max_position_embeddings";
constexpr std::string_view kOriginalKey = "rope.scaling.original_context_length";
constexpr std::string_view kAttentionKey = "rope.scaling.attn_factor";
constexpr std::string_view kLong = "long_factor";
constexpr std::string_view kShort = "short_factor";

std::vector<float> ListOf(const Json& config, std::string_view member) {
  const Json* list = RopeMember(config, member);
  std::vector<float> values;
  if (list != nullptr) {
    for (const Json& value : list->AsArray()) {
      values.push_back(static_cast<float>(value.AsDouble()));
    }
  }
  return values;
}

// As transformers computes it where config.json gives none.
double AttentionFactor(double context, double original) {
  const double scale = context / original;
  return scale > 1 ? std::sqrt(1 + std::log(scale) / std::log(original)) : 1;
}

void WriteLongRope(KeyWriter& writer) {
  const Json& config = writer.config();
  const double context = writer.Real(kPositions).value_or(0);
  const double original = RopeNumber(config, kOriginal).value_or(context);
  writer.SetUint(kOriginalKey, static_cast<uint64_t>(original));
  const std::string type = RopeType(config);
  if (type == "default") {
    return;
  }
  const RopeFactors factors = RopeFactorsOf(config);
  if (type != "longrope" || factors.long_factors.empty() ||
      factors.long_factors.size() != factors.short_factors.size()) {
    FailMember(
        "rope_parameters",
        "llama.cpp's phi3 has rope of type longrope only, with as many long factors as short ones",
        "", type);
  }
  writer.SetFloat(
      kAttentionKey,
      RopeNumber(config, "attention_factor").value_or(AttentionFactor(context, original)));
}

void WriteBase(KeyWriter& writer) {
  writer.SetFloat("rope.freq_base",
                  RopeNumber(writer.config(), "rope_theta").value_or(writer.family().rope_theta));
}

}  // namespace

RopeFactors RopeFactorsOf(const Json& config) {
  if (RopeType(config) != "longrope") {
    return {};
  }
  return {ListOf(config, kLong), ListOf(config, kShort)};
}

const KeyRule kLongRopeRule = {WriteLongRope, nullptr};
const KeyRule kLongRopeBaseRule = {WriteBase, nullptr};

}  // namespace lbrx
