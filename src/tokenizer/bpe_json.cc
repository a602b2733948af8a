#include "tokenizer/bpe_json.h"

#include <optional>
#include <unordered_set>

#include "core/base/format.h"
#include "tokenizer/fault.h"
#include "tokenizer/hf_writer.h"
#include "tokenizer/pre_tokenizer.h"

namespace lbrx {
namespace {

// What llama.cpp itself does to a text: NFC, which many models have, is not among it.
Json WriteNormalizer(const GgufKeys& keys) {
  Json::Array steps;
  if (keys.Bool(kLowercaseKey).value_or(false)) {
    steps.push_back(Typed("Lowercase"));
  }
  if (keys.Bool(kStripAccentsKey).value_or(false)) {
    steps.push_back(Typed("StripAccents"));
  }
  return Sequence("normalizers", std::move(steps));
}

// The library refuses merges of pieces that are no tokens.
void AddMerges(const GgufTokenizer& tokenizer, HfParts& parts, std::vector<std::string>& notices) {
  std::unordered_set<std::string_view> tokens;
  tokens.reserve(parts.vocab.size());
  for (const auto& [token, id] : parts.vocab) {
    tokens.insert(token);
  }
  std::string merged;
  uint64_t left_out = 0;
  parts.merges.reserve(tokenizer.merges.size());
  for (const auto& [left, right] : tokenizer.merges) {
    merged = left;
    merged += right;
    if (tokens.count(left) != 0 && tokens.count(right) != 0 && tokens.count(merged) != 0) {
      parts.merges.emplace_back(left, right);
    } else {
      ++left_out;
    }
  }
  if (left_out != 0) {
    notices.push_back(
        Format("{} merges are left out of tokenizer.json: they make no token", left_out));
  }
}

}  // namespace

std::string BpeJson(const GgufKeys& keys, const GgufTokenizer& tokenizer,
                    std::vector<std::string>& notices) {
  const PreName* pre = FindPreName(tokenizer.pre);
  if (pre == nullptr) {
    FailTokenizer("", kPreKey, "llama.cpp knows no such pre-tokenizer", "",
                  Printable(tokenizer.pre, 60));
  }
  const PrePattern& pattern = *FindPrePattern(pre->pattern);
  HfParts parts;
  DivideTokens(tokenizer, keys, parts);
  AddMerges(tokenizer, parts, notices);
  if (pattern.bytes) {
    parts.normalizer = WriteNormalizer(keys);
    parts.decoder = Typed(
        "ByteLevel", {{"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}});
  } else {
    SetSpaceMarks(false, parts);
    parts.fuse_unk = true;
    if (const std::optional<uint64_t> unknown = RoleId(keys, "unk", tokenizer)) {
      parts.unk_token = tokenizer.tokens[*unknown];
    }
  }
  parts.pre_tokenizer = WritePreTokenizer(pattern);
  parts.post_processor = WritePostProcessor(keys, tokenizer);
  parts.ignore_merges = pre->ignore_merges;
  return WriteHfTokenizer(parts);
}

}  // namespace lbrx
