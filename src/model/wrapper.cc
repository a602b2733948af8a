#include "model/wrapper.h"

#include <algorithm>
#include <array>

namespace lbrx {
namespace {

constexpr std::string_view kTextConfig = "text_config";

// Of a multimodal model's configuration: what says nothing about its text.
bool IsOfOthers(std::string_view key) {
  constexpr std::array<std::string_view, 7> kKeys = {
      "mm_tokens_per_image", "multimodal_projector_bias",      "projector_hidden_act",
      "spatial_merge_size",  "vision_feature_select_strategy", "vision_feature_layer",
      "image_seq_length"};
  const bool is_token = key.ends_with("_token_id") || key.ends_with("_token_index");
  const bool is_seen = key.starts_with("image_") || key.starts_with("video_") ||
                       key.starts_with("vision_") || key.starts_with("audio_") ||
                       key.starts_with("boi_") || key.starts_with("eoi_");
  return key == "vision_config" || key == "audio_config" || key == kTextConfig ||
         (is_token && is_seen) || std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end();
}

// The axes of positions in pictures: for text all are the same, which is the usual rotation.
void DropAxes(Json& rope) {
  if (!rope.is_object()) {
    return;
  }
  rope.Erase("mrope_section");
  rope.Erase("mrope_interleaved");
  for (const std::string_view key : {"type", "rope_type"}) {
    const Json* type = rope.Find(key);
    if (type != nullptr && type->is_string() && type->AsString() == "mrope") {
      rope.Set(key, "default");
    }
  }
}

bool IsDefault(const Json& rope) {
  const Json* type = rope.Find("rope_type");
  type = type != nullptr ? type : rope.Find("type");
  return type == nullptr || (type->is_string() && type->AsString() == "default");
}

}  // namespace

const Wrapper* FindWrapper(const Json& config) {
  const Json* type = config.is_object() ? config.Find("model_type") : nullptr;
  if (type == nullptr || !type->is_string()) {
    return nullptr;
  }
  for (const Wrapper* wrapper : Wrappers()) {
    if (wrapper->name == type->AsString()) {
      return wrapper;
    }
  }
  return nullptr;
}

const Json& TextConfig(const Json& config) {
  const Json* text = FindWrapper(config) == nullptr ? nullptr : config.Find(kTextConfig);
  return text != nullptr && text->is_object() ? *text : config;
}

Json TextOnlyConfig(const Json& config, const Architecture& alone) {
  Json out = TextConfig(config);
  for (const auto& [key, value] : config.AsObject()) {
    // The outer tie_word_embeddings is the one that counts.
    if (!IsOfOthers(key) && (out.Find(key) == nullptr || key == "tie_word_embeddings")) {
      out.Set(key, Json(value));
    }
  }
  // A transformers 4 config of Qwen2-VL has no text_config: its own keys are the text's.
  std::erase_if(out.AsObject(), [](const auto& member) { return IsOfOthers(member.first); });
  out.Set("model_type", alone.name);
  Json classes = Json::MakeArray();
  classes.Append(alone.classes[0]);
  out.Set("architectures", std::move(classes));
  for (const std::string_view key : {"rope_parameters", "rope_scaling"}) {
    if (Json* rope = out.Find(key); rope != nullptr) {
      DropAxes(*rope);
      if (key == "rope_scaling" && IsDefault(*rope)) {
        *rope = Json();
      }
    }
  }
  return out;
}

}  // namespace lbrx
