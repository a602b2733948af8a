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

// Sets tokenizer.chat_template and, of models with several, tokenizer.chat_template.NAME. The
// templates are those of tokenizer_config.json, else chat_template.jinja with
// additional_chat_templates/, else chat_template.json.
void AddChatTemplates(const TokenizerFolder& folder, GgufKeys& keys,
                      std::vector<std::string>& notices);

// The reverse: chat_template.jinja, or, where there are several, a list in tokenizer_config.json.
void WriteChatTemplates(const GgufKeys& keys, Json& tokenizer_config,
                        std::vector<OutputText>& files);

}  // namespace lbrx
