#include "core/base/format.h"
#include "model/gguf/family.h"
#include "model/gguf/rope.h"

namespace lbrx {
namespace {

constexpr std::string_view kRope = "rope_parameters";
constexpr std::string_view kFull = "full_attention";
constexpr std::string_view kOriginal = "original_max_position_embeddings";
constexpr std::string_view kPositions = "max_position_embeddings";
constexpr double kMostPositions = 4294967295;

}  // namespace

void FailRope(std::string what) {
  FailMember(kRope, std::move(what));
}

void SetRope(Json& config, std::string_view member, Json value) {
  if (config.Find(kRope) == nullptr) {
    config.Set(kRope, Json::MakeObject());
  }
  config.Find(kRope)->Set(member, std::move(value));
}

const Json* RopeMember(const Json& config, std::string_view member) {
  const Json* rope = config.Find(kRope);
  if (rope != nullptr && rope->Find(kFull) != nullptr) {
    rope = rope->Find(kFull);
  }
  const Json* value = rope == nullptr ? nullptr : rope->Find(member);
  const bool beside = member == "rope_theta" || member == "partial_rotary_factor" ||
                      member == kOriginal || member == kPositions;
  if ((value == nullptr || value->is_null()) && beside) {
    value = config.Find(member);
  }
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::optional<double> RopeNumber(const Json& config, std::string_view member) {
  const Json* value = RopeMember(config, member);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (!value->is_number()) {
    FailRope(Format("{} is no number", member));
  }
  return value->AsDouble();
}

std::optional<uint64_t> RopeCount(const Json& config, std::string_view member) {
  const auto value = RopeNumber(config, member);
  if (value && !(*value >= 1 && *value <= kMostPositions)) {
    FailRope(Format("{} is out of range", member));
  }
  return value ? std::optional(static_cast<uint64_t>(*value)) : std::nullopt;
}

std::string RopeType(const Json& config) {
  const Json* type = RopeMember(config, "rope_type");
  if (type == nullptr) {
    return "default";
  }
  if (!type->is_string()) {
    FailRope("rope_type is no text");
  }
  return type->AsString() == "su" ? "longrope" : type->AsString();
}

std::vector<float> RopeFrequencies(const Json& config) {
  if (RopeType(config) != "llama3") {
    return {};
  }
  Llama3Rope rope;
  rope.factor = RopeNumber(config, "factor").value_or(rope.factor);
  rope.low_freq_factor = RopeNumber(config, "low_freq_factor").value_or(rope.low_freq_factor);
  rope.high_freq_factor = RopeNumber(config, "high_freq_factor").value_or(rope.high_freq_factor);
  rope.original_context = RopeNumber(config, kOriginal).value_or(rope.original_context);
  return Llama3Divisors(RopeNumber(config, "rope_theta").value_or(kUsualTheta), HeadSize(config),
                        rope);
}

}  // namespace lbrx
