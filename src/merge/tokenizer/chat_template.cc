#include "merge/tokenizer/chat_template.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/io/file.h"
#include "core/text/suggest.h"
#include "tokenizer/chat_templates.h"
#include "tokenizer/utf8.h"

namespace lbrx {
namespace {

constexpr size_t kShortest = 20;  // characters of a template; mergekit's limit

std::string Stripped(const std::string& text) {
  constexpr const char* kBlanks = " \t\n\r\v\f";
  const size_t first = text.find_first_not_of(kBlanks);
  return first == std::string::npos
             ? std::string()
             : text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::optional<std::string> MostFrequent(const std::vector<ModelTokenizer>& models,
                                        std::vector<std::string>& notices) {
  std::vector<std::pair<std::string, size_t>> counts;  // in order of models
  for (const ModelTokenizer& model : models) {
    Json config;
    if (const std::string* text = FindText(model.files, "tokenizer_config.json")) {
      config = ParseJson(*text, JoinPath(model.name, "tokenizer_config.json"));
    }
    for (const auto& [name, text] : ReadChatTemplates(config, model.files, model.name, notices)) {
      const std::string stripped = name == "default" ? Stripped(text) : std::string();
      const auto known = std::find_if(counts.begin(), counts.end(),
                                      [&](const auto& entry) { return entry.first == stripped; });
      if (known != counts.end()) {
        ++known->second;
      } else if (!stripped.empty()) {
        counts.emplace_back(stripped, 1);
      }
    }
  }
  const auto most =
      std::max_element(counts.begin(), counts.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == counts.end() ? std::nullopt : std::optional<std::string>(most->first);
}

}  // namespace

std::optional<std::string> ChooseChatTemplate(const std::string& setting,
                                              const std::vector<ModelTokenizer>& models,
                                              std::vector<std::string>& notices) {
  if (setting == "auto") {
    std::optional<std::string> text = MostFrequent(models, notices);
    if (!text.has_value()) {
      notices.emplace_back("chat_template: no model has one, so the result has none");
    }
    return text;
  }
  std::vector<std::string> names = {"auto"};
  for (const ChatFormat& format : ChatFormats()) {
    if (format.name == setting) {
      return std::string(format.text);
    }
    names.emplace_back(format.name);
  }
  if (setting.find('{') == std::string::npos || !IsUtf8(setting) ||
      CountCharacters(setting) < kShortest) {
    std::string known;
    for (const std::string& name : names) {
      known += (known.empty() ? "" : ", ") + name;
    }
    throw Error(ErrorCode::kUsage,
                {.file = {},
                 .object = "chat_template",
                 .what = "is no name of a format, and too short or too plain for a template",
                 .expected = known + ", or Jinja of at least 20 characters with a `{`",
                 .found = Printable(setting, 60),
                 .offset = {},
                 .advice = Suggestion(setting, names, "")});
  }
  return setting;
}

void SetChatTemplate(const std::string& text, std::vector<OutputText>& files) {
  std::erase_if(files, [](const OutputText& file) {
    return file.name == "chat_template.jinja" || file.name == "chat_template.json" ||
           file.name.starts_with("additional_chat_templates/");
  });
  for (OutputText& file : files) {
    if (file.name == "tokenizer_config.json") {
      Json config = ParseJson(file.content, file.name);
      if (config.Find("chat_template") != nullptr) {
        config.Set("chat_template", text);
        file.content = WriteJson(config, {.indent = 2}) + "\n";
        return;
      }
    }
  }
  files.push_back({"chat_template.jinja", text});
}

}  // namespace lbrx
