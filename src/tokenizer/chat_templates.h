// Chat templates: Jinja text, carried as it is.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/text/json.h"
#include "formats/gguf/keys.h"
#include "formats/writer.h"
#include "tokenizer/tokenizer_folder.h"

namespace lbrx {

// Name and text. That without a name of its own is "default".
using ChatTemplates = std::vector<std::pair<std::string, std::string>>;

// Those of tokenizer_config.json (null: there is none), else those of chat_template.jinja with
// additional_chat_templates/, else of chat_template.json, out of the small files of `folder`.
ChatTemplates ReadChatTemplates(const Json& tokenizer_config, const std::vector<OutputText>& files,
                                const std::string& folder, std::vector<std::string>& notices);

// Sets tokenizer.chat_template and, of models with several, tokenizer.chat_template.NAME.
void AddChatTemplates(const TokenizerFolder& folder, GgufKeys& keys,
                      std::vector<std::string>& notices);

// The reverse: chat_template.jinja, or, where there are several, a list in tokenizer_config.json.
void WriteChatTemplates(const GgufKeys& keys, Json& tokenizer_config,
                        std::vector<OutputText>& files);

}  // namespace lbrx
