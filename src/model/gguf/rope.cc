#include "model/gguf/rope.h"

#include <algorithm>
#include <cmath>

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

// What has one and the same meaning and form in both. The converter writes these keys, but
// llama.cpp reads them for none of our architectures and computes with `taken`.
struct YarnRow {
  std::string_view key;
  std::string_view member;
  double taken;  // 0: told by the factor
};

constexpr YarnRow kYarn[] = {
    {"rope.scaling.yarn_ext_factor", "extrapolation_factor", 1},
    {"rope.scaling.yarn_attn_factor", "attention_factor", 0},
    {"rope.scaling.yarn_beta_fast", "beta_fast", 32},
    {"rope.scaling.yarn_beta_slow", "beta_slow", 1},
};

double NeedFactor(const Json& config) {
  const auto factor = RopeNumber(config, "factor");
  if (!factor || *factor <= 0) {
    FailRope("the factor is missing or not positive");
  }
  return *factor;
}

// Where it is not said, scaling begins from what the model is said to take.
uint64_t OriginalContext(const KeyWriter& writer) {
  return RopeCount(writer.config(), kOriginal).value_or(writer.Count(kPositions).value_or(0));
}

void TellTaken(KeyWriter& writer, std::string_view member, double value, double taken) {
  const double usual = taken != 0 ? taken : 0.1 * std::log(NeedFactor(writer.config())) + 1;
  if (std::abs(value - usual) > 1e-6 * usual) {
    writer.Notice(Format("rope of type yarn has {} = {}, but llama.cpp's {} computes with {}",
                         member, value, writer.family().name, usual));
  }
}

void WriteYarn(KeyWriter& writer) {
  writer.Set("rope.scaling.type", GgufValue::String("yarn"));
  writer.SetFloat("rope.scaling.factor", NeedFactor(writer.config()));
  writer.SetUint("rope.scaling.original_context_length", OriginalContext(writer));
  for (const YarnRow& row : kYarn) {
    if (const auto value = RopeNumber(writer.config(), row.member)) {
      writer.SetFloat(row.key, *value);
      TellTaken(writer, row.member, *value, row.taken);
    }
  }
  const Json* cut = RopeMember(writer.config(), "truncate");
  if (cut != nullptr && *cut == Json(false)) {
    writer.Notice(
        "rope of type yarn is not to cut its range to whole dimensions (truncate = "
        "false), for which GGUF has no key: llama.cpp cuts it");
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
  } else if (type == "longrope" && family.rope_frequencies) {
    writer.Set("rope.scaling.type", GgufValue::String("longrope"));
    writer.SetUint("rope.scaling.original_context_length", OriginalContext(writer));
    WriteLongScaling(writer);
  } else if (type == "dynamic") {
    writer.Notice(
        "rope of type dynamic has no key in GGUF: llama.cpp computes the same up to "
        "max_position_embeddings only");
  } else {
    FailRope(Format("llama.cpp's {} has no rope of type {}", family.name, type));
  }
}

void RefuseParts(const KeyWriter& writer) {
  if (RotaryPart(writer) != 1 && !writer.family().rotary_part) {
    FailRope(Format("llama.cpp's {} rotates whole heads, but partial_rotary_factor is {}",
                    writer.family().name, RotaryPart(writer)));
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
    FailRope("llama.cpp scales global layers only, but local ones are scaled too");
  }
}

void WriteRope(KeyWriter& writer) {
  WriteScaling(writer);
  RefuseParts(writer);
  writer.SetFloat("rope.freq_base", RopeTheta(writer));
  WriteLocal(writer);
}

void WriteQuietRope(KeyWriter& writer) {
  WriteScaling(writer);
  RefuseParts(writer);
  if (RopeTheta(writer) != kUsualTheta) {
    writer.SetFloat("rope.freq_base", RopeTheta(writer));
  }
}

void ReadYarn(KeyReader& reader, double factor) {
  Json& config = reader.config();
  SetRope(config, "rope_type", "yarn");
  SetRope(config, "factor", factor);
  SetRope(config, kOriginal,
          reader.Uint("rope.scaling.original_context_length")
              .value_or(reader.NeedUint("context_length")));
  for (const YarnRow& row : kYarn) {
    if (const auto value = reader.Float(row.key)) {
      SetRope(config, row.member, *value);
    }
  }
  if (reader.family().name == "gpt-oss") {
    SetRope(config, "truncate", false);  // as its own; no key says it
  }
}

// Any divisors can be said as factors that are the same for short texts and long ones.
void ReadDivisors(KeyReader& reader, double theta) {
  const std::vector<float>& divisors = reader.facts().rope_frequencies;
  CheckFactors(reader, divisors, "rope_freqs.weight");
  Json& config = reader.config();
  if (const auto rope = SolveLlama3(divisors, theta)) {
    SetRope(config, "rope_type", "llama3");
    SetRope(config, "factor", ShortestDecimal(static_cast<float>(rope->factor)));
    SetRope(config, "low_freq_factor", rope->low_freq_factor);
    SetRope(config, "high_freq_factor", rope->high_freq_factor);
    SetRope(config, kOriginal, static_cast<uint64_t>(rope->original_context));
    return;
  }
  const Json list = FactorList(divisors);
  SetRope(config, "rope_type", "longrope");
  SetRope(config, "long_factor", list);
  SetRope(config, "short_factor", list);
  SetRope(config, "attention_factor", 1.0);
  SetRope(config, kOriginal, reader.NeedUint("context_length"));
  reader.Notice("rope_freqs.weight is of no llama3 rope: config.json has its values as longrope");
}

// "default", "linear" and so on, as transformers calls them.
std::string ScalingType(const KeyReader& reader, double factor) {
  const GgufValue* value = reader.Find("rope.scaling.type");
  if (value == nullptr) {
    return factor == 1 ? "none" : "linear";
  }
  if (value->AsString() == nullptr) {
    reader.Fail("rope.scaling.type", "is no text");
  }
  return *value->AsString();
}

void ReadScaling(KeyReader& reader, double theta) {
  const double written =
      reader.Float("rope.scaling.factor").value_or(reader.Float("rope.scale_linear").value_or(1));
  if (written < 0) {
    reader.Fail("rope.scaling.factor", "is negative", "", Format("{}", written));
  }
  const double factor = written == 0 ? 1 : written;  // as llama.cpp takes it
  const std::string type = ScalingType(reader, factor);
  if (!reader.facts().rope_frequencies.empty()) {
    ReadDivisors(reader, theta);
  } else if (type == "none" || (type == "linear" && factor == 1)) {
    SetRope(reader.config(), "rope_type", "default");
  } else if (type == "linear") {
    SetRope(reader.config(), "rope_type", "linear");
    SetRope(reader.config(), "factor", factor);
  } else if (type == "yarn") {
    ReadYarn(reader, factor);
  } else if (type != "longrope" || !ReadLongScaling(reader)) {
    reader.Fail("rope.scaling.type", "is not known, or lacks its tensors", "", type);
  }
}

// Gemma 3's rope_parameters have an object for each type of layer.
void ReadLocal(KeyReader& reader) {
  const double theta =
      reader.Float("rope.freq_base_swa").value_or(reader.family().rope_local_theta);
  Json local = Json::MakeObject();
  local.Set("rope_type", "default");
  local.Set("rope_theta", theta);
  Json both = Json::MakeObject();
  both.Set(kFull, Json(*reader.config().Find(kRope)));
  both.Set(kSliding, std::move(local));
  reader.Set(kRope, std::move(both));
}

void ReadRope(KeyReader& reader) {
  const double theta = reader.Float("rope.freq_base").value_or(kUsualTheta);
  SetRope(reader.config(), "rope_theta", theta);
  ReadScaling(reader, theta);
  if (reader.family().rope_local_theta != 0) {
    ReadLocal(reader);
  }
}

// The last of Cohere's keys: it would hide a scaling.
void WriteUnscaled(KeyWriter& writer) {
  if (writer.Has("rope.scaling.type")) {
    FailRope(Format("llama.cpp's {} does not scale", writer.family().name));
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

void ReadYarnLog(KeyReader& reader) {
  if (const auto tenth = reader.Float("rope.scaling.yarn_log_multiplier")) {
    const double all = ShortestDecimal(static_cast<float>(10 * *tenth));
    SetRope(reader.config(), "mscale", all);
    SetRope(reader.config(), "mscale_all_dim", all);
  }
}

}  // namespace

double RopeTheta(const KeyWriter& writer) {
  return RopeNumber(writer.config(), "rope_theta").value_or(writer.family().rope_theta);
}

double RotaryPart(const KeyWriter& writer) {
  const double part =
      RopeNumber(writer.config(), "partial_rotary_factor").value_or(writer.family().rotary_factor);
  if (!(part > 0 && part <= 1)) {
    FailRope("partial_rotary_factor is not between 0 and 1");
  }
  return part;
}

void CheckFactors(const KeyReader& reader, const std::vector<float>& factors,
                  std::string_view tensor) {
  const bool positive = std::all_of(factors.begin(), factors.end(), [](float factor) {
    return std::isfinite(factor) && factor > 0;
  });
  const uint64_t dimensions = reader.Uint("rope.dimension_count").value_or(2 * factors.size());
  if (!positive || 2 * factors.size() != dimensions) {
    ErrorDetail detail;
    detail.object = tensor;
    detail.what = "does not hold a positive factor for each pair of rotated dimensions";
    detail.expected = Format("{} factors", dimensions / 2);
    detail.found = Format("{}", factors.size());
    throw Error(ErrorCode::kInvalid, std::move(detail));
  }
}

const KeyRule kRopeRule = {WriteRope, ReadRope};
const KeyRule kQuietRopeRule = {WriteQuietRope, ReadRope};
const KeyRule kUnscaledRule = {WriteUnscaled, nullptr};
const KeyRule kYarnLogRule = {WriteYarnLog, ReadYarnLog};

}  // namespace lbrx
