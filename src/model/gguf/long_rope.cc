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
double AttentionFactor(uint64_t context, uint64_t original) {
  const double scale = static_cast<double>(context) / static_cast<double>(original);
  return scale > 1 ? std::sqrt(1 + std::log(scale) / std::log(static_cast<double>(original))) : 1;
}

uint64_t Context(const Json& config) {
  return RopeCount(config, kPositions).value_or(1);
}

uint64_t Original(const Json& config) {
  return RopeCount(config, kOriginal).value_or(Context(config));
}

// The context comes with every Phi-3, scaled or not.
void WriteLongRope(KeyWriter& writer) {
  writer.SetUint(kOriginalKey, Original(writer.config()));
  const std::string type = RopeType(writer.config());
  if (type == "longrope") {
    WriteLongScaling(writer);
  } else if (type != "default") {
    FailMember("rope_parameters", "llama.cpp's phi3 has rope of type longrope only", "", type);
  }
}

void ReadLongRope(KeyReader& reader) {
  const uint64_t context = reader.NeedUint("context_length");
  reader.Set(kOriginal, reader.Uint(kOriginalKey).value_or(context));
  if (!ReadLongScaling(reader)) {
    SetRope(reader.config(), "rope_type", "default");
  }
}

void WriteBase(KeyWriter& writer) {
  writer.SetFloat("rope.freq_base", RopeTheta(writer));
}

void ReadBase(KeyReader& reader) {
  SetRope(reader.config(), "rope_theta", reader.Float("rope.freq_base").value_or(kUsualTheta));
}

}  // namespace

Json FactorList(const std::vector<float>& factors) {
  Json list = Json::MakeArray();
  for (const float factor : factors) {
    list.Append(ShortestDecimal(factor));
  }
  return list;
}

void WriteLongScaling(KeyWriter& writer) {
  const Json& config = writer.config();
  const RopeFactors factors = RopeFactorsOf(config);
  if (factors.long_factors.empty() || factors.long_factors.size() != factors.short_factors.size()) {
    FailMember("rope_parameters", "has not as many long factors as short ones, or none");
  }
  const double attention = RopeNumber(config, "attention_factor")
                               .value_or(AttentionFactor(Context(config), Original(config)));
  writer.SetFloat(kAttentionKey, attention);
}

bool ReadLongScaling(KeyReader& reader) {
  const GgufTensorFacts& facts = reader.facts();
  const uint64_t context = reader.NeedUint("context_length");
  const uint64_t original = reader.Uint(kOriginalKey).value_or(context);
  const double attention = reader.Float(kAttentionKey).value_or(1);
  if (facts.long_factors.empty() && facts.short_factors.empty()) {
    return false;
  }
  if (facts.long_factors.size() != facts.short_factors.size()) {
    reader.Fail("rope.scaling.type",
                "needs rope_factors_long and rope_factors_short of one length");
  }
  CheckFactors(reader, facts.long_factors, "rope_factors_long.weight");
  Json& config = reader.config();
  SetRope(config, "rope_type", "longrope");
  SetRope(config, kLong, FactorList(facts.long_factors));
  SetRope(config, kShort, FactorList(facts.short_factors));
  SetRope(config, kOriginal, original);
  const double usual = AttentionFactor(context, original);
  if (static_cast<float>(attention) != static_cast<float>(usual)) {
    SetRope(config, "attention_factor", attention);
  }
  return true;
}

RopeFactors RopeFactorsOf(const Json& config) {
  if (RopeType(config) != "longrope") {
    return {};
  }
  return {ListOf(config, kLong), ListOf(config, kShort)};
}

const KeyRule kLongRopeRule = {WriteLongRope, ReadLongRope};
const KeyRule kLongRopeBaseRule = {WriteBase, ReadBase};

}  // namespace lbrx
