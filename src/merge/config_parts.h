// The parts of a merge configuration, each with its reader.
#pragma once

#include <optional>
#include <string>

#include "merge/config.h"
#include "merge/config_reader.h"

namespace lbrx {

// Fills form and modules from whichever of `models`, `slices` and `modules` is there; throws unless
// exactly one is. Adds `base` to slices made of `models` where it is not listed.
void ReadModules(ConfigMap& map, const std::optional<ModelRef>& base, ConfigWarnings& warnings,
                 MergeConfig& config);

// From `tokenizer` or `tokenizer_source`; throws where both are there.
std::optional<TokenizerBlock> ReadTokenizer(ConfigMap& map, ConfigWarnings& warnings);

// `chat_template`: "auto", a built-in name or Jinja; empty where there is none.
std::string ReadChatTemplate(const std::optional<ConfigNode>& node);

}  // namespace lbrx
