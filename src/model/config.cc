#include "model/config.h"

#include "core/base/error.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

// Copies the value of one key to the other where just one of them is there.
void Pair(Json& object, std::string_view a, std::string_view b) {
  const Json* first = object.Find(a);
  const Json* second = object.Find(b);
  if (first != nullptr && second == nullptr) {
    object.Set(b, Json(*first));
  } else if (first == nullptr && second != nullptr) {
    object.Set(a, Json(*second));
  }
}

// transformers 4: rope_theta, rope_scaling {type or rope_type, factor, ...}, partial_rotary_factor.
// transformers 5: rope_parameters with all of them. gemma3 has one per layer type: left alone.
bool IsPerLayerType(const Json& rope) {
  return rope.Find("full_attention") != nullptr || rope.Find("sliding_attention") != nullptr;
}

void OldSpellingFromNew(Json& config, const Json& rope) {
  for (const std::string_view key : {"rope_theta", "partial_rotary_factor"}) {
    const Json* value = rope.Find(key);
    if (value != nullptr && config.Find(key) == nullptr) {
      config.Set(key, Json(*value));
    }
  }
  if (config.Find("rope_scaling") != nullptr) {
    return;
  }
  const Json* type = rope.Find("rope_type");
  if (type == nullptr || !type->is_string() || type->AsString() == "default") {
    config.Set("rope_scaling", nullptr);  // {"rope_type": "default"} makes old phi3 code raise
    return;
  }
  Json scaling = rope;
  scaling.Erase("rope_theta");
  scaling.Erase("partial_rotary_factor");
  scaling.Set("type", Json(*type));
  config.Set("rope_scaling", std::move(scaling));
}

void NewSpellingFromOld(Json& config) {
  const Json* theta = config.Find("rope_theta");
  const Json* scaling = config.Find("rope_scaling");
  if (theta == nullptr && scaling == nullptr) {
    return;
  }
  Json rope = Json::MakeObject();
  if (theta != nullptr) {
    rope.Set("rope_theta", Json(*theta));
  }
  if (const Json* partial = config.Find("partial_rotary_factor"); partial != nullptr) {
    rope.Set("partial_rotary_factor", Json(*partial));
  }
  rope.Set("rope_type", "default");
  if (scaling != nullptr && scaling->is_object()) {
    for (const auto& [key, value] : scaling->AsObject()) {
      rope.Set(key == "type" ? std::string_view("rope_type") : std::string_view(key), Json(value));
    }
  }
  config.Set("rope_parameters", std::move(rope));
}

// Old code reads `type`, new code `rope_type`.
void PairRopeType(Json& config) {
  if (Json* scaling = config.Find("rope_scaling"); scaling != nullptr && scaling->is_object()) {
    Pair(*scaling, "type", "rope_type");
  }
}

// Whether the family has rotary positions at all, as far as its keys tell.
void CompleteRope(Json& config) {
  const Json* rope = config.Find("rope_parameters");
  if (rope == nullptr || rope->is_null()) {
    NewSpellingFromOld(config);
  } else if (rope->is_object() && !IsPerLayerType(*rope)) {
    OldSpellingFromNew(config, Json(*rope));
  }
  PairRopeType(config);
}

std::string_view ModelType(const Json& config) {
  const Json* type = config.Find("model_type");
  return type != nullptr && type->is_string() ? std::string_view(type->AsString()) : "";
}

}  // namespace

void CompleteConfig(Json& config) {
  Pair(config, "dtype", "torch_dtype");
  Pair(config, "num_experts", "num_local_experts");
  if (ModelType(config) == "gpt2") {
    Pair(config, "n_ctx", "n_positions");
  }
  CompleteRope(config);
  for (const std::string_view nested : {"text_config"}) {
    if (Json* inner = config.Find(nested); inner != nullptr && inner->is_object()) {
      CompleteConfig(*inner);
    }
  }
}

std::optional<DType> ConfigDType(const Json& config) {
  for (const std::string_view key : {"dtype", "torch_dtype"}) {
    const Json* value = config.Find(key);
    if (value != nullptr && value->is_string()) {
      return ParseDType(value->AsString());
    }
  }
  const Json* text = config.Find("text_config");
  return text != nullptr && text->is_object() ? ConfigDType(*text) : std::nullopt;
}

void SetConfigDType(Json& config, DType dtype) {
  const std::string name(Info(dtype).long_name);
  config.Set("dtype", name);
  config.Set("torch_dtype", name);
  if (Json* text = config.Find("text_config"); text != nullptr && text->is_object()) {
    SetConfigDType(*text, dtype);
  }
}

bool TiedEmbeddings(const Json& config, bool fallback) {
  const Json* tied = config.Find("tie_word_embeddings");
  return tied != nullptr && tied->is_bool() ? tied->AsBool() : fallback;
}

std::optional<uint64_t> ConfigUint(const Json& config, std::string_view key) {
  const Json* value = config.Find(key);
  if (value == nullptr || value->is_null()) {
    return std::nullopt;
  }
  try {
    return value->AsUint64();
  } catch (Error& error) {
    error.InObject(Format("config.json, key {}", key));
    throw;
  }
}

}  // namespace lbrx
