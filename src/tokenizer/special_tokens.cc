#include "tokenizer/special_tokens.h"

#include <algorithm>

#include "core/base/format.h"
#include "tokenizer/post_processor.h"
#include "tokenizer/token_keys.h"

namespace lbrx {
namespace {

template <typename T>
auto FindRole(T& rows, const std::string& role) {
  return std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return row.first == role; });
}

class SpecialReader {
 public:
  SpecialReader(const TokenizerFolder& folder, uint64_t vocabulary,
                std::vector<std::string>& notices)
      : folder_(folder), vocabulary_(vocabulary), notices_(notices) {}

  SpecialTokens Read(const Json& config) {
    TokenRoles roles(folder_.config);
    roles.ReadPostProcessor(folder_.hf.outline, out_);
    for (const std::string& role : roles.roles()) {
      ReadTokenizerConfig(role, roles.Token(role));
    }
    for (const std::string& role : roles.roles()) {
      ReadConfig(role, config);
    }
    ReadCarried();
    return std::move(out_);
  }

 private:
  void SetId(const std::string& role, uint64_t id) {
    if (vocabulary_ != 0 && id >= vocabulary_) {
      notices_.push_back(
          Format("{}_token_id {} is left out: there are {} tokens", role, id, vocabulary_));
      return;
    }
    out_.SetId(role, id);
  }

  void SetToken(const std::string& role, const std::string& token,
                const std::vector<AddedToken>& added) {
    const auto found = std::find_if(added.begin(), added.end(), [&](const AddedToken& candidate) {
      return candidate.content == token;
    });
    if (!token.empty() && found != added.end()) {
      SetId(role, found->id);
    }
  }

  void ReadTokenizerConfig(const std::string& role, const std::string& token) {
    const Json* add = folder_.config.Find("add_" + role + "_token");
    if (add != nullptr && add->is_bool()) {
      out_.AddUnlessSet(role, add->AsBool());
    }
    SetToken(role, token, folder_.hf.added);
  }

  // Multimodal models have the ids in text_config.
  void ReadConfig(const std::string& role, const Json& config) {
    const std::string key = role + "_token_id";
    const Json* id = config.Find(key);
    if (id == nullptr || id->is_null()) {
      const Json* text = config.Find("text_config");
      id = text == nullptr ? nullptr : text->Find(key);
    }
    if (id != nullptr && id->is_integer() && id->AsInt64() >= 0) {
      SetId(role, id->AsUint64());
    }
  }

  // Roles that Hugging Face has no name for, as TokenizerFiles writes them, and tokens that are
  // special by tokenizer_config.json alone.
  void ReadCarried() {
    const std::vector<AddedToken> added = AllAddedTokens(folder_);
    for (const RoleKeys& row : kRoleKeys) {
      const std::string role(row.role);
      SetToken(role, NamedToken(folder_.config, role + "_token"), added);
    }
  }

  const TokenizerFolder& folder_;
  uint64_t vocabulary_;
  std::vector<std::string>& notices_;
  SpecialTokens out_;
};

}  // namespace

void SpecialTokens::SetId(const std::string& role, uint64_t id) {
  if (!HasId(role)) {
    ids_.emplace_back(role, id);
  }
}

bool SpecialTokens::HasId(const std::string& role) const {
  return FindRole(ids_, role) != ids_.end();
}

void SpecialTokens::SetAdd(const std::string& role, bool add) {
  if (const auto row = FindRole(add_, role); row != add_.end()) {
    row->second = add;
  } else {
    add_.emplace_back(role, add);
  }
}

void SpecialTokens::AddUnlessSet(const std::string& role, bool add) {
  if (FindRole(add_, role) == add_.end()) {
    add_.emplace_back(role, add);
  }
}

std::optional<bool> SpecialTokens::Add(const std::string& role) const {
  const auto row = FindRole(add_, role);
  return row == add_.end() ? std::nullopt : std::optional<bool>(row->second);
}

void SpecialTokens::Write(GgufKeys& keys) const {
  for (const auto& [role, id] : ids_) {
    if (const RoleKeys* row = KeysOfRole(role)) {
      keys.Set(row->id, GgufValue::U32(static_cast<uint32_t>(id)));
    }
  }
  for (const auto& [role, add] : add_) {
    if (const RoleKeys* row = KeysOfRole(role); row != nullptr && !row->add.empty()) {
      keys.Set(row->add, GgufValue::Bool(add));
    }
  }
}

SpecialTokens ReadSpecialTokens(const TokenizerFolder& folder, const Json& config,
                                uint64_t vocabulary, std::vector<std::string>& notices) {
  return SpecialReader(folder, vocabulary, notices).Read(config);
}

}  // namespace lbrx
