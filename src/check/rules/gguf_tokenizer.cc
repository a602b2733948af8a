#include <algorithm>
#include <numeric>

#include "check/rules/gguf.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

constexpr std::string_view kPrefix = "tokenizer.ggml.";
constexpr std::string_view kIdEnding = "_token_id";
constexpr int64_t kByteToken = 6;  // of token_type

std::string TypeText(const GgufValue& value) {
  return std::string(GgufTypeName(value.type())) + (value.is_array() ? "[]" : "");
}

bool IsHexDigit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

// "<0x0A>".
bool IsByteToken(std::string_view text) {
  return text.size() == 6 && text.starts_with("<0x") && IsHexDigit(text[3]) &&
         IsHexDigit(text[4]) && text[5] == '>';
}

class TokenizerKeys {
 public:
  TokenizerKeys(const Subject& subject, Problems& problems)
      : subject_(subject), problems_(problems), keys_(*subject.checkpoint.gguf) {}

  void Check() {
    const GgufValue* tokens = Find("tokens");
    if (tokens == nullptr) {
      return;
    }
    if (tokens->AsStrings() == nullptr) {
      AddType("tokens", *tokens, "str[]");
      return;
    }
    tokens_ = tokens->AsStrings();
    if (keys_.String(std::string(kPrefix) + "model").empty()) {
      Add("model", "there are tokens, but nothing says how a text becomes tokens",
          "a text such as llama or gpt2", "nothing");
    }
    CheckList("scores", {GgufType::kF32, GgufType::kI32}, "f32[]");
    if (CheckList("token_type", {GgufType::kI32}, "i32[]")) {
      CheckByteTokens();
    }
    CheckMerges();
    CheckDuplicates();
    CheckIds();
    CheckRows();
  }

 private:
  const GgufValue* Find(std::string_view name) const {
    return keys_.Find(std::string(kPrefix) + std::string(name));
  }

  void Add(std::string_view name, const std::string& what, const std::string& expected,
           const std::string& found) {
    AddGgufProblem(subject_, Severity::kError, std::string(kPrefix) + std::string(name), what,
                   expected, found, problems_);
  }

  void AddType(std::string_view name, const GgufValue& value, const std::string& expected) {
    Add(name, "is not of the type that it must have", expected, TypeText(value));
  }

  // A list with an entry for each token; true: it is there and can be read.
  bool CheckList(std::string_view name, std::initializer_list<GgufType> types,
                 const std::string& expected) {
    const GgufValue* value = Find(name);
    if (value == nullptr) {
      return false;
    }
    if (!value->is_array() || std::find(types.begin(), types.end(), value->type()) == types.end()) {
      AddType(name, *value, expected);
      return false;
    }
    if (value->size() != tokens_->size()) {
      Add(name, "is not as long as the list of tokens", Format("{} elements", tokens_->size()),
          std::to_string(value->size()));
      return false;
    }
    return true;
  }

  void CheckByteTokens() {
    const std::vector<int64_t> types =
        Find("token_type")->AsInts().value_or(std::vector<int64_t>{});
    for (size_t i = 0; i < types.size(); ++i) {
      if (types[i] == kByteToken && !IsByteToken((*tokens_)[i])) {
        Add("tokens", Format("token {} is of type byte, but names none", i), "<0x00> to <0xFF>",
            "\"" + Printable((*tokens_)[i], 40) + "\"");
        return;
      }
    }
  }

  void CheckMerges() {
    const GgufValue* merges = Find("merges");
    if (merges != nullptr && merges->AsStrings() == nullptr) {
      AddType("merges", *merges, "str[]");
    } else if (merges == nullptr && keys_.String(std::string(kPrefix) + "model") == "gpt2") {
      Add("merges", "byte-level BPE needs them", "str[]", "nothing");
    }
  }

  void CheckDuplicates() {
    std::vector<uint32_t> order(tokens_->size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
      const int texts = (*tokens_)[a].compare((*tokens_)[b]);
      return texts != 0 ? texts < 0 : a < b;
    });
    for (size_t i = 1; i < order.size(); ++i) {
      const std::string& text = (*tokens_)[order[i]];
      if (!text.empty() && text == (*tokens_)[order[i - 1]]) {
        Add("tokens", Format("tokens {} and {} have the same text", order[i - 1], order[i]),
            "every text once", "\"" + Printable(text, 40) + "\"");
        return;
      }
    }
  }

  void CheckIds() {
    for (const auto& [key, value] : keys_.entries()) {
      if (!key.starts_with(kPrefix) || !key.ends_with(kIdEnding)) {
        continue;
      }
      const std::optional<uint64_t> id = value.AsUint();
      if (!id || *id >= tokens_->size()) {
        Add(std::string_view(key).substr(kPrefix.size()), "there is no such token",
            Format("less than {}", tokens_->size()), id ? std::to_string(*id) : TypeText(value));
      }
    }
  }

  void CheckRows() {
    const SourceTensor* embedding = subject_.checkpoint.Find("token_embd.weight");
    if (embedding != nullptr && embedding->shape.rank() == 2 &&
        embedding->shape[0] != tokens_->size()) {
      AddGgufProblem(subject_, Severity::kError, embedding->name, "does not fit the tokenizer",
                     Format("{} rows, one for each token", tokens_->size()),
                     embedding->shape.ToString(), problems_);
    }
  }

  const Subject& subject_;
  Problems& problems_;
  const GgufKeys& keys_;
  const std::vector<std::string>* tokens_ = nullptr;
};

}  // namespace

void CheckGgufTokenizer(const Subject& subject, Problems& problems) {
  TokenizerKeys(subject, problems).Check();
}

}  // namespace lbrx
