#include "model/gguf/rope.h"

#include "core/base/error.h"
#include "core/base/format.h"
#include "model/config.h"
#include "model/gguf/family.h"

namespace lbrx {
namespace {

constexpr std::string_view kRope = "rope_parameters";
constexpr std::string_view kFull = "full_attention";
constexpr std::string_view kSliding = "sliding_attention";
constexpr std::string_view kOriginal = "original_max_position_embeddings";
constexpr std::string_view kPositions = "max_position_embeddings";
constexpr double kUsualTheta = 1e4;  // llama.cpp's where a file has no rope.freq_base

// What has one and the same meaning and form in both.
struct YarnRow {
  std::string_view key;
  std::string_view member;
};

constexpr YarnRow kYarn[] = {
    {"rope.scaling.yarn_ext_factor", "extrapolation_factor"},
    {"rope.scaling.yarn_attn_factor", "attention_factor"},
    {"rope.scaling.yarn_beta_fast", "beta_fast"},
    {"rope.scaling.yarn_beta_slow", "beta_slow"},
};

[[noreturn]] void Refuse(std::string what) {
  FailMember("rope_parameters", std::move(what));
}

double Theta(const KeyWriter& writer) {
  return RopeNumber(writer.config(), "rope_theta").value_or(writer.family().rope_theta);
}

double NeedFactor(const Json& config) {
  const auto factor = RopeNumber(config, "factor");
  if (!factor || *factor <= 0) {
    Refuse("the factor is missing or not positive");
  }
  return *factor;
}

// Where it is not said, scaling begins from what the model is said to take.
uint64_t OriginalContext(const KeyWriter& writer) {
  const auto original = RopeNumber(writer.config(), kOriginal);
  return original ? static_cast<uint64_t>(*original) : writer.Count(kPositions).value_or(0);
}

void WriteYarn(KeyWriter& writer) {
  writer.Set("rope.scaling.type", GgufValue::String("yarn"));
  writer.SetFloat("rope.scaling.factor", NeedFactor(writer.config()));
  writer.SetUint("rope.scaling.original_context_length", OriginalContext(writer));
  for (const YarnRow& row : kYarn) {
    if (const auto value = RopeNumber(writer.config(), row.member)) {
      writer.SetFloat(row.key, *value);
    }
  }
}

void WriteScaling(KeyWriter& writer) {
  const GgufFamily& family = writer.family();
  const std::string type = RopeType(writer.config());
  if (type == "default" || (type == "llama3" && family.rope_frequencies)) {
    return;
  }
  if (type == "linear") {
    writer.Set("rope.scaling.type", GgufValue::String("linear"));
    writer.SetFloat("rope.scaling.factor", NeedFactor(writer.config()));
  } else if (type == "yarn") {
    WriteYarn(writer);
  } else if (type == "dynamic") {
    writer.Notice(
        "rope of type dynamic has no key in GGUF: llama.cpp computes the same up to "
        "max_position_embeddings only");
  } else {
    Refuse(Format("llama.cpp's {} has no rope of type {}", family.name, type));
  }
}

void RefuseParts(const KeyWriter& writer) {
  const auto part = RopeNumber(writer.config(), "partial_rotary_factor");
  if (part && *part != 1 && !writer.family().rotary_part) {
    Refuse(Format("llama.cpp's {} rotates whole heads, but partial_rotary_factor is {}",
                  writer.family().name, *part));
  }
}

void WriteLocal(KeyWriter& writer) {
  const Json* rope = writer.config().Find(kRope);
  const Json* local = rope == nullptr ? nullptr : rope->Find(kSliding);
  if (writer.family().rope_local_theta == 0) {
    return;
  }
  const Json* theta = local == nullptr ? nullptr : local->Find("rope_theta");
  writer.SetFloat("rope.freq_base_swa",
                  theta == nullptr ? writer.family().rope_local_theta : theta->AsDouble());
  const Json* type = local == nullptr ? nullptr : local->Find("rope_type");
  if (type != nullptr && *type != Json("default")) {
    Refuse("llama.cpp scales global layers only, but local ones are scaled too");
  }
}

void WriteRope(KeyWriter& writer) {
  WriteScaling(writer);
  RefuseParts(writer);
  writer.SetFloat("rope.freq_base", Theta(writer));
  WriteLocal(writer);
}

void WriteQuietRope(KeyWriter& writer) {
  WriteScaling(writer);
  RefuseParts(writer);
  if (Theta(writer) != kUsualTheta) {
    writer.SetFloat("rope.freq_base", Theta(writer));
  }
}

// The last of Cohere's keys: it would hide a scaling.
void WriteUnscaled(KeyWriter& writer) {
  if (writer.Has("rope.scaling.type")) {
    Refuse(Format("llama.cpp's {} does not scale", writer.family().name));
  }
  writer.Set("rope.scaling.type", GgufValue::String("none"));
}

// The key holds a tenth of mscale_all_dim, and mscale is taken to be the same.
void WriteYarnLog(KeyWriter& writer) {
  const auto all = RopeNumber(writer.config(), "mscale_all_dim");
  if (!all) {
    return;
  }
  writer.SetFloat("rope.scaling.yarn_log_multiplier", 0.1 * *all);
  const auto mscale = RopeNumber(writer.config(), "mscale");
  if (mscale && *mscale != *all) {
    writer.Notice(
        Format("config.json says mscale = {}, for which GGUF has no key: llama.cpp "
               "computes with mscale_all_dim, {}",
               *mscale, *all));
  }
}

}  // namespace

const Json* RopeMember(const Json& config, std::string_view member) {
  const Json* rope = config.Find(kRope);
  if (rope != nullptr && rope->Find(kFull) != nullptr) {
    rope = rope->Find(kFull);
  }
  const Json* value = rope == nullptr ? nullptr : rope->Find(member);
  const bool beside =
      member == "rope_theta" || member == "partial_rotary_factor" || member == kOriginal;
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
    Refuse(Format("{} is no number", member));
  }
  return value->AsDouble();
}

std::string RopeType(const Json& config) {
  const Json* type = RopeMember(config, "rope_type");
  if (type == nullptr) {
    return "default";
  }
  if (!type->is_string()) {
    Refuse("rope_type is no text");
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

const KeyRule kRopeRule = {WriteRope, nullptr};
const KeyRule kQuietRopeRule = {WriteQuietRope, nullptr};
const KeyRule kUnscaledRule = {WriteUnscaled, nullptr};
const KeyRule kYarnLogRule = {WriteYarnLog, nullptr};

}  // namespace lbrx
