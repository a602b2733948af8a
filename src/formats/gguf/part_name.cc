#include <algorithm>
#include <array>

#include "core/base/format.h"
#include "formats/gguf/gguf.h"

namespace lbrx {
namespace {

constexpr std::array<std::string_view, 3> kSplitKeys = {"split.no", "split.count",
                                                        "split.tensors.count"};
constexpr size_t kDigits = 5;

// Takes "00012" off the end of `text`.
std::optional<uint64_t> TakeNumber(std::string_view& text) {
  if (text.size() < kDigits) {
    return std::nullopt;
  }
  uint64_t value = 0;
  for (const char c : text.substr(text.size() - kDigits)) {
    if (c < '0' || c > '9') {
      return std::nullopt;
    }
    value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  text.remove_suffix(kDigits);
  return value;
}

bool Take(std::string_view& text, std::string_view ending) {
  const bool there = text.ends_with(ending);
  text.remove_suffix(there ? ending.size() : 0);
  return there;
}

}  // namespace

std::optional<GgufPartName> ParseGgufPartName(const std::string& path) {
  std::string_view rest = path;
  if (!Take(rest, ".gguf")) {
    return std::nullopt;
  }
  const std::optional<uint64_t> count = TakeNumber(rest);
  if (!count || !Take(rest, "-of-")) {
    return std::nullopt;
  }
  const std::optional<uint64_t> number = TakeNumber(rest);
  if (!number || !Take(rest, "-") || *number == 0 || *number > *count) {
    return std::nullopt;
  }
  return GgufPartName{std::string(rest), *number, *count};
}

std::string FormatGgufPartName(const GgufPartName& name) {
  return Format("{}-{:05}-of-{:05}.gguf", name.prefix, name.number, name.count);
}

bool IsGgufSplitKey(std::string_view key) {
  return std::find(kSplitKeys.begin(), kSplitKeys.end(), key) != kSplitKeys.end();
}

}  // namespace lbrx
