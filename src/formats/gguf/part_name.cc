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

std::optional<std::string> GgufInFolder(const std::string& folder) {
  constexpr size_t kMostShown = 5;
  std::vector<std::string> models;
  for (const std::string& name : ListDirectory(folder)) {
    if (name.ends_with(".safetensors") || name.ends_with(".bin") || name.ends_with(".pth")) {
      return std::nullopt;
    }
    const std::optional<GgufPartName> part = ParseGgufPartName(name);
    if (name.ends_with(".gguf") && !name.starts_with('.') && (!part || part->number == 1)) {
      models.push_back(name);
    }
  }
  if (models.size() > 1) {
    std::string found;
    for (size_t i = 0; i < std::min(models.size(), kMostShown); ++i) {
      found += (i == 0 ? "" : ", ") + Printable(models[i], 100);
    }
    throw Error(ErrorCode::kInvalid, {.file = folder,
                                      .object = {},
                                      .what = "the folder holds several GGUF models",
                                      .expected = "one, or the path of one",
                                      .found = found + (models.size() > kMostShown ? ", ..." : ""),
                                      .offset = {},
                                      .advice = "give the .gguf file itself by its path"});
  }
  return models.empty() ? std::nullopt : std::optional(JoinPath(folder, models.front()));
}

}  // namespace lbrx
