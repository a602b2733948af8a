// Multimodal models: a text model that has a table of its own, inside names of its own.
#pragma once

#include <span>
#include <string_view>

#include "core/text/json.h"
#include "model/architecture.h"

namespace lbrx {

struct Wrapper {
  std::string_view name;  // model_type: "gemma3"
  std::string_view summary;
  // What its text part may be, by text_config's model_type; if there is one only, that.
  std::span<const Architecture* const> texts;
  // Hugging Face's spellings: the first is the usual one, which transformers writes too.
  std::span<const Spelling* const> spellings;
  std::span<const std::string_view> others;  // modules beside the text model: "vision_tower"
  // Keys of text_config that MLX's class reads from the outermost level.
  std::span<const std::string_view> raised_keys = {};
  // The architecture of the text model alone, where its table differs; nullptr: the same.
  const Architecture* alone = nullptr;
};

// By config's model_type; nullptr where it is no multimodal model that is known.
const Wrapper* FindWrapper(const Json& config);
std::span<const Wrapper* const> Wrappers();

// The configuration of the text model: of a multimodal one text_config, where it has one.
const Json& TextConfig(const Json& config);

// The configuration of the text model alone, as `alone` would have it.
Json TextOnlyConfig(const Json& config, const Architecture& alone);

}  // namespace lbrx
