#include "model/config.h"

#include "core/base/error.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

constexpr std::string_view kTextConfig = "text_config";

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

std::string_view ModelType(const Json& config) {
  const Json* type = config.Find("model_type");
  return type != nullptr && type->is_string() ? std::string_view(type->AsString()) : "";
}

// transformers 4: rope_theta, rope_scaling {type or rope_type, factor, ...}, partial_rotary_factor.
// transformers 5: rope_parameters with all of them.

void SetIfAbsent(Json& config, std::string_view key, Json value) {
  if (config.Find(key) == nullptr) {
    config.Set(key, std::move(value));
  }
}

void CopyIfAbsent(Json& config, std::string_view key, const Json& from, std::string_view from_key) {
  if (const Json* value = from.Find(from_key); value != nullptr) {
    SetIfAbsent(config, key, Json(*value));
  }
}

// rope_scaling from rope_parameters: null where nothing is scaled, as {"rope_type": "default"}
// makes old phi3 code raise. Qwen-VL's sections, which its old code requires, stay.
Json ScalingOf(const Json& rope) {
  const Json* type = rope.Find("rope_type");
  const bool plain = type == nullptr || !type->is_string() || type->AsString() == "default";
  if (plain && rope.Find("mrope_section") == nullptr) {
    return nullptr;
  }
  Json scaling = rope;
  scaling.Erase("rope_theta");
  scaling.Erase("partial_rotary_factor");
  return scaling;
}

void OldSpellingFromNew(Json& config, const Json& rope) {
  for (const std::string_view key : {"rope_theta", "partial_rotary_factor"}) {
    CopyIfAbsent(config, key, rope, key);
  }
  SetIfAbsent(config, "rope_scaling", ScalingOf(rope));
}

Json RopeParameters(const Json* scaling) {
  Json rope = Json::MakeObject();
  rope.Set("rope_type", "default");
  if (scaling == nullptr || !scaling->is_object()) {
    return rope;
  }
  for (const auto& [key, value] : scaling->AsObject()) {
    // "mrope" is Qwen-VL's old word for default with sections.
    const bool is_type = key == "type" || key == "rope_type";
    const bool sections = is_type && value.is_string() && value.AsString() == "mrope";
    rope.Set(is_type ? std::string_view("rope_type") : std::string_view(key),
             sections ? Json("default") : Json(value));
  }
  return rope;
}

void NewSpellingFromOld(Json& config) {
  const Json* theta = config.Find("rope_theta");
  const Json* scaling = config.Find("rope_scaling");
  if (theta == nullptr && scaling == nullptr) {
    return;
  }
  Json rope = RopeParameters(scaling);
  for (const std::string_view key : {"rope_theta", "partial_rotary_factor"}) {
    CopyIfAbsent(rope, key, config, key);
  }
  config.Set("rope_parameters", std::move(rope));
}

// Gemma 3 rotates local layers in another way than global ones: rope_parameters has both by type of
// layer, the old spelling rope_local_base_freq. The numbers are transformers' where keys are
// absent.
constexpr double kGemma3Theta = 1e6;
constexpr double kGemma3LocalTheta = 1e4;

void CompleteGemma3Rope(Json& config) {
  const Json* rope = config.Find("rope_parameters");
  const Json* full = rope == nullptr ? nullptr : rope->Find("full_attention");
  const Json* sliding = rope == nullptr ? nullptr : rope->Find("sliding_attention");
  if (full != nullptr && sliding != nullptr) {
    const Json global = *full;
    CopyIfAbsent(config, "rope_local_base_freq", *sliding, "rope_theta");
    OldSpellingFromNew(config, global);
  } else if (rope == nullptr || rope->is_null()) {
    Json global = RopeParameters(config.Find("rope_scaling"));
    CopyIfAbsent(global, "rope_theta", config, "rope_theta");
    SetIfAbsent(global, "rope_theta", kGemma3Theta);
    Json local = RopeParameters(nullptr);
    CopyIfAbsent(local, "rope_theta", config, "rope_local_base_freq");
    SetIfAbsent(local, "rope_theta", kGemma3LocalTheta);
    Json both = Json::MakeObject();
    both.Set("full_attention", std::move(global));
    both.Set("sliding_attention", std::move(local));
    config.Set("rope_parameters", std::move(both));
  }
}

// sliding_window_pattern: every n-th layer is global. transformers 5 lists the layers instead.
void CompleteGemma3Layers(Json& config) {
  const Json* types = config.Find("layer_types");
  if (types == nullptr || !types->is_array()) {
    return;
  }
  uint64_t pattern = 0;
  for (const Json& type : types->AsArray()) {
    ++pattern;
    if (type.is_string() && type.AsString() == "full_attention") {
      break;
    }
  }
  // Without any global layer, a pattern longer than the model.
  const bool none =
      pattern == types->AsArray().size() && types->AsArray().back() != Json("full_attention");
  SetIfAbsent(config, "sliding_window_pattern", none ? pattern + 1 : pattern);
}

// Old code reads `type`, new code `rope_type`.
void PairRopeType(Json& config) {
  if (Json* scaling = config.Find("rope_scaling"); scaling != nullptr && scaling->is_object()) {
    Pair(*scaling, "type", "rope_type");
  }
}

void CompleteRope(Json& config) {
  const Json* rope = config.Find("rope_parameters");
  if (ModelType(config) == "gemma3_text") {
    CompleteGemma3Rope(config);
    CompleteGemma3Layers(config);
  } else if (rope == nullptr || rope->is_null()) {
    NewSpellingFromOld(config);
  } else if (rope->is_object() && rope->Find("full_attention") == nullptr) {  // not by layer type
    OldSpellingFromNew(config, Json(*rope));
  }
  PairRopeType(config);
}

}  // namespace

void CompleteConfig(Json& config) {
  Pair(config, "dtype", "torch_dtype");
  Pair(config, "num_experts", "num_local_experts");
  if (ModelType(config) == "gpt2") {
    Pair(config, "n_ctx", "n_positions");
  }
  if (ModelType(config) == "qwen3_vl_moe_text") {
    SetIfAbsent(config, "norm_topk_prob", true);  // what its class does; others ask the key
  }
  CompleteRope(config);
  if (Json* text = config.Find(kTextConfig); text != nullptr && text->is_object()) {
    CompleteConfig(*text);
  }
}

std::optional<DType> ConfigDType(const Json& config) {
  for (const std::string_view key : {"dtype", "torch_dtype"}) {
    const Json* value = config.Find(key);
    if (value != nullptr && value->is_string()) {
      return ParseDType(value->AsString());
    }
  }
  const Json* text = config.Find(kTextConfig);
  return text != nullptr && text->is_object() ? ConfigDType(*text) : std::nullopt;
}

void SetConfigDType(Json& config, DType dtype) {
  const std::string name(Info(dtype).long_name);
  config.Set("dtype", name);
  config.Set("torch_dtype", name);
  if (Json* text = config.Find(kTextConfig); text != nullptr && text->is_object()) {
    SetConfigDType(*text, dtype);
  }
}

bool TiedEmbeddings(const Json& config, bool fallback) {
  const Json* tied = config.Find("tie_word_embeddings");
  if (tied != nullptr && tied->is_bool()) {
    return tied->AsBool();
  }
  const Json* text = config.Find(kTextConfig);
  return text != nullptr && text->is_object() ? TiedEmbeddings(*text, fallback) : fallback;
}

void SetTiedEmbeddings(Json& config, bool tied) {
  config.Set("tie_word_embeddings", tied);
  if (Json* text = config.Find(kTextConfig); text != nullptr && text->is_object()) {
    SetTiedEmbeddings(*text, tied);
  }
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
