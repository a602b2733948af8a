// The head of a model card: entries that are not touched stay as they are, what is set is YAML that
// reads back as the same text, and text of a card cannot leave its code span or block.
#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "check.h"
#include "convert/front_matter.h"
#include "convert/markdown.h"
#include "core/base/error.h"
#include "core/text/yaml.h"
#include "formats/gguf/gguf.h"
#include "memory_bound.h"
#include "model/gguf/general_keys.h"
#include "structure/pieces.h"
#include "tokenizer/utf8.h"

namespace lbrx {
namespace {

constexpr std::string_view kKey = "base_model";

// What YAML reads for a key; nullopt where the block is none of YAML's, which its writer left so.
std::optional<std::string> YamlValue(const std::string& card, std::string_view key) {
  try {
    const std::string_view block = std::string_view(card).substr(card.find('\n') + 1);
    const YamlDocument document = ParseYaml(block, "card");
    const YamlNode root = document.root();
    const std::optional<YamlNode> value = root.is_mapping() ? root.Find(key) : std::nullopt;
    return value && value->is_string() ? std::optional(std::string(value->text())) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

void CheckSet(std::string_view value) {
  FrontMatter fresh;
  fresh.Set(kKey, value);
  FUZZ_CHECK(YamlValue(fresh.ToString(), kKey) == std::string(value));
}

void CheckCard(std::string_view card) {
  const std::optional<FrontMatter> read = FrontMatter::Read(card);
  if (!read) {
    return;
  }
  FUZZ_CHECK(card.ends_with(read->text()));
  const std::string written = read->ToString();
  const std::optional<FrontMatter> again = FrontMatter::Read(written);
  FUZZ_CHECK(again.has_value());
  FUZZ_CHECK(again->ToString() == written && again->text() == read->text());

  FrontMatter changed = *read;
  changed.Set(kKey, "a/b");
  changed.AddTag("tag");
  const std::string once = changed.ToString();
  changed.AddTag("tag");
  FUZZ_CHECK(changed.ToString() == once);
  FUZZ_CHECK(FrontMatter::Read(once).has_value());
  changed.Remove(kKey);
  FUZZ_CHECK(!changed.Has(kKey) && changed.text() == read->text());
}

// What a GGUF file takes of a card: no key twice, and all keys can be written.
void CheckGeneralKeys(const std::string& card) {
  GgufKeys keys;
  AddGeneralKeys(*Architectures().front(), {.folder = "folder", .model_card = card}, keys);
  std::set<std::string> names;
  for (const auto& [name, value] : keys.entries()) {
    FUZZ_CHECK(names.insert(name).second);
  }
  FUZZ_CHECK(names.size() < kGgufMostKeys);
}

size_t LongestTicks(std::string_view text) {
  size_t longest = 0;
  size_t run = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

void CheckMarkdown(const std::string& text) {
  const std::string span = CodeSpan(text);
  const size_t ticks = std::min(span.find_first_not_of('`'), span.size());
  FUZZ_CHECK(ticks > 0 && span.find('\n') == std::string::npos);
  FUZZ_CHECK(span.ends_with(std::string(ticks, '`')));
  const std::string block = Fenced("yaml", text);
  const size_t fence = std::min(block.find_first_not_of('`'), block.size());
  FUZZ_CHECK(fence > LongestTicks(text));
}

}  // namespace
}  // namespace lbrx

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const lbrx::MemoryBound bound(size);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  lbrx::CheckCard(text);
  lbrx::CheckGeneralKeys(std::string(text));
  lbrx::CheckMarkdown(std::string(text));
  if (lbrx::IsUtf8(text)) {
    lbrx::CheckSet(text);
  }
  return 0;
}

FUZZ_STRUCTURE(kText);
