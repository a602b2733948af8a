// The chat template of a merge.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/writer.h"
#include "merge/tokenizer/source_vocabulary.h"

namespace lbrx {

// What `chat_template: setting` of the configuration means: for "auto" the template that most
// models have, blanks around it removed, of equally frequent ones that of the first model (nullopt
// where none has one); a format's name; else the template itself. Throws kUsage for what is
// neither.
std::optional<std::string> ChooseChatTemplate(const std::string& setting,
                                              const std::vector<ModelTokenizer>& models,
                                              std::vector<std::string>& notices);

// Puts it where `files` have theirs, and takes that away: in tokenizer_config.json, else in
// chat_template.jinja.
void SetChatTemplate(const std::string& text, std::vector<OutputText>& files);

// Named formats of conversations, sorted.
struct ChatFormat {
  std::string_view name;
  std::string_view text;  // Jinja
};

const std::vector<ChatFormat>& ChatFormats();

}  // namespace lbrx
