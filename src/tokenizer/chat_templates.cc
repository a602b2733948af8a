#include "tokenizer/chat_templates.h"

#include <algorithm>

#include "core/base/format.h"
#include "core/io/file.h"
#include "tokenizer/token_keys.h"

namespace lbrx {
namespace {

constexpr std::string_view kDefault = "default";
constexpr std::string_view kSuffix = ".jinja";

using Templates = std::vector<std::pair<std::string, std::string>>;  // name, text

Templates FromJson(const Json& value, std::vector<std::string>& notices) {
  Templates out;
  if (value.is_string()) {
    out.emplace_back(kDefault, value.AsString());
  } else if (value.is_array()) {
    for (const Json& entry : value.AsArray()) {
      const Json* name = entry.Find("name");
      const Json* text = entry.Find("template");
      if (name != nullptr && name->is_string() && text != nullptr && text->is_string()) {
        out.emplace_back(name->AsString(), text->AsString());
      }
    }
  } else if (!value.is_null()) {
    notices.emplace_back("the chat template is left out: it is neither a text nor a list");
  }
  return out;
}

Templates FromFiles(const std::string& folder, std::vector<std::string>& notices) {
  Templates out;
  const std::string jinja = JoinPath(folder, "chat_template.jinja");
  if (PathExists(jinja)) {
    out.emplace_back(kDefault, ReadWholeFile(jinja));
    const std::string more = JoinPath(folder, "additional_chat_templates");
    for (const std::string& name :
         IsDirectory(more) ? ListDirectory(more) : std::vector<std::string>()) {
      if (name.ends_with(kSuffix)) {
        out.emplace_back(name.substr(0, name.size() - kSuffix.size()),
                         ReadWholeFile(JoinPath(more, name)));
      }
    }
    return out;
  }
  const std::string json = JoinPath(folder, "chat_template.json");
  if (PathExists(json)) {
    const Json file = ParseJson(ReadWholeFile(json), json);
    if (const Json* value = file.Find("chat_template")) {
      return FromJson(*value, notices);
    }
  }
  return out;
}

// Names become part of keys.
std::string KeyName(std::string name) {
  for (char& c : name) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    c = plain ? c : '_';
  }
  return name;
}

}  // namespace

void AddChatTemplates(const TokenizerFolder& folder, GgufKeys& keys,
                      std::vector<std::string>& notices) {
  const Json* configured = folder.config.Find("chat_template");
  const Templates templates =
      configured != nullptr ? FromJson(*configured, notices) : FromFiles(folder.path, notices);
  const std::string* unnamed = nullptr;
  std::vector<std::string> names;
  for (const auto& [given, text] : templates) {
    const std::string name = KeyName(given);
    if (name == kDefault) {
      unnamed = &text;
    } else if (!name.empty()) {
      keys.Set(Format("{}.{}", kChatTemplateKey, name), GgufValue::String(text));
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        names.push_back(name);
      }
    }
  }
  if (!names.empty()) {
    keys.Set(kChatTemplatesKey, GgufValue::Strings(std::move(names)));
  }
  if (unnamed != nullptr) {
    keys.Set(kChatTemplateKey, GgufValue::String(*unnamed));
  }
}

void WriteChatTemplates(const GgufKeys& keys, Json& tokenizer_config,
                        std::vector<OutputText>& files) {
  const std::string prefix = std::string(kChatTemplateKey) + ".";
  Json list = Json::MakeArray();
  for (const auto& [key, value] : keys.entries()) {
    const std::string* text = value.AsString();
    if (key.starts_with(prefix) && text != nullptr) {
      list.Append(Json::Object{{"name", key.substr(prefix.size())}, {"template", *text}});
    }
  }
  const GgufValue* unnamed = keys.Find(kChatTemplateKey);
  const std::string* text = unnamed == nullptr ? nullptr : unnamed->AsString();
  if (list.AsArray().empty()) {
    if (text != nullptr) {
      files.push_back({"chat_template.jinja", *text});
    }
    return;
  }
  if (text != nullptr) {
    list.Append(Json::Object{{"name", kDefault}, {"template", *text}});
  }
  tokenizer_config.Set("chat_template", std::move(list));
}

}  // namespace lbrx
