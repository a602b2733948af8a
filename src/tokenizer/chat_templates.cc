#include "tokenizer/chat_templates.h"

#include <algorithm>

#include "core/base/format.h"
#include "core/io/file.h"
#include "tokenizer/token_keys.h"
#include "tokenizer/tokenizer.h"

namespace lbrx {
namespace {

constexpr std::string_view kDefault = "default";
constexpr std::string_view kSuffix = ".jinja";
constexpr std::string_view kJinja = "chat_template.jinja";
constexpr std::string_view kJson = "chat_template.json";
constexpr std::string_view kMore = "additional_chat_templates/";

ChatTemplates FromJson(const Json& value, std::vector<std::string>& notices) {
  ChatTemplates out;
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

ChatTemplates FromFiles(const std::vector<OutputText>& files, const std::string& folder,
                        std::vector<std::string>& notices) {
  ChatTemplates out;
  if (const std::string* jinja = FindText(files, kJinja)) {
    out.emplace_back(kDefault, *jinja);
    for (const OutputText& file : files) {
      if (file.name.starts_with(kMore) && file.name.ends_with(kSuffix)) {
        const size_t length = file.name.size() - kMore.size() - kSuffix.size();
        out.emplace_back(file.name.substr(kMore.size(), length), file.content);
      }
    }
  } else if (const std::string* json = FindText(files, kJson)) {
    const Json content = ParseJson(*json, JoinPath(folder, std::string(kJson)));
    if (const Json* value = content.Find("chat_template")) {
      return FromJson(*value, notices);
    }
  }
  return out;
}

// The files of a folder that FromFiles looks at.
std::vector<OutputText> TemplateFiles(const std::string& folder) {
  std::vector<OutputText> files;
  const auto read = [&](const std::string& name) {
    const std::string path = JoinPath(folder, name);
    if (PathExists(path)) {
      files.push_back({name, ReadWholeFile(path)});
    }
  };
  read(std::string(kJinja));
  read(std::string(kJson));
  const std::string more = JoinPath(folder, std::string(kMore));
  for (const std::string& name :
       IsDirectory(more) ? ListDirectory(more) : std::vector<std::string>()) {
    if (name.ends_with(kSuffix)) {
      read(std::string(kMore) + name);
    }
  }
  return files;
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

ChatTemplates ReadChatTemplates(const Json& tokenizer_config, const std::vector<OutputText>& files,
                                const std::string& folder, std::vector<std::string>& notices) {
  const Json* configured = tokenizer_config.Find("chat_template");
  return configured != nullptr ? FromJson(*configured, notices) : FromFiles(files, folder, notices);
}

void AddChatTemplates(const TokenizerFolder& folder, GgufKeys& keys,
                      std::vector<std::string>& notices) {
  const ChatTemplates templates = ReadChatTemplates(
      folder.config, folder.files.empty() ? TemplateFiles(folder.path) : folder.files, folder.path,
      notices);
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
