#include "formats/huggingface/shards.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <map>

#include "core/base/format.h"
#include "core/base/plain_text.h"
#include "formats/detect.h"
#include "formats/huggingface/huggingface.h"

namespace lbrx {

namespace {

constexpr uint64_t kIndexLimit = uint64_t{256} << 20;
constexpr size_t kNamesShown = 10;
constexpr char kDownloadAdvice[] = "download the missing files, with `hf download`";

ErrorDetail Detail(std::string file, std::string what, std::string expected = {},
                   std::string found = {}) {
  ErrorDetail detail;
  detail.file = std::move(file);
  detail.what = std::move(what);
  detail.expected = std::move(expected);
  detail.found = std::move(found);
  return detail;
}

// "a, b, c and 7 more".
std::string Enumerate(const std::vector<std::string>& names) {
  std::string out;
  for (size_t i = 0; i < std::min(names.size(), kNamesShown); ++i) {
    out += (i == 0 ? "" : ", ") + Printable(names[i], 100);
  }
  if (names.size() > kNamesShown) {
    out += Format(" and {} more", names.size() - kNamesShown);
  }
  return out;
}

// CON, NUL.txt, LPT1...: files that Windows takes for devices.
bool IsDeviceName(std::string_view name) {
  const std::string stem = AsciiLower(name.substr(0, name.find('.')));
  constexpr std::array<std::string_view, 4> kDevices = {"con", "prn", "aux", "nul"};
  if (std::find(kDevices.begin(), kDevices.end(), stem) != kDevices.end()) {
    return true;
  }
  return stem.size() == 4 && (stem.starts_with("com") || stem.starts_with("lpt")) &&
         stem[3] >= '0' && stem[3] <= '9';
}

// Reads and checks the index itself. Throws kInvalid.
Json ReadIndex(const std::string& path) {
  Json index = ParseJson(ReadWholeFile(path, kIndexLimit), path);
  const Json* weight_map = index.Find("weight_map");
  if (weight_map == nullptr || !weight_map->is_object()) {
    throw Error(ErrorCode::kInvalid,
                Detail(path, "the index has no weight_map", "{\"weight_map\": {name: file}}"));
  }
  for (const auto& [name, file] : weight_map->AsObject()) {
    if (!file.is_string()) {
      ErrorDetail detail = Detail(path, "file of a tensor is no string");
      detail.object = name;
      throw Error(ErrorCode::kInvalid, std::move(detail));
    }
    if (!IsSafeShardName(file.AsString())) {
      ErrorDetail detail =
          Detail(path, "unsafe file name in the index", "the name of a file in the folder",
                 "\"" + Printable(file.AsString(), 100) + "\"");
      detail.object = name;
      throw Error(ErrorCode::kInvalid, std::move(detail));
    }
  }
  return index;
}

ShardList ShardsOfIndex(const FolderListing& listing, ProblemSink& problems) {
  const std::string path = JoinPath(listing.path, listing.index);
  Json index = ReadIndex(path);
  ShardList shards;
  shards.from_index = true;
  shards.weight_map = std::move(index.Find("weight_map")->AsObject());
  if (const Json* metadata = index.Find("metadata")) {
    if (const Json* size = metadata->Find("total_size")) {
      shards.total_size = *size;
    }
  }
  for (const auto& [name, file] : shards.weight_map) {
    // Neighbours mostly share a file: few strings to sort.
    if (shards.files.empty() || shards.files.back() != file.AsString()) {
      shards.files.push_back(file.AsString());
    }
  }
  std::sort(shards.files.begin(), shards.files.end());
  shards.files.erase(std::unique(shards.files.begin(), shards.files.end()), shards.files.end());

  std::vector<std::string> missing;
  for (const std::string& name : shards.files) {
    std::error_code ignored;
    const auto status = std::filesystem::symlink_status(JoinPath(listing.path, name), ignored);
    if (status.type() == std::filesystem::file_type::not_found) {
      missing.push_back(name);
    }
  }
  if (!missing.empty()) {
    ErrorDetail detail = Detail(path, Format("{} of {} shards are missing: {}", missing.size(),
                                             shards.files.size(), Enumerate(missing)));
    detail.advice = kDownloadAdvice;
    problems.Fail(std::move(detail));
    std::erase_if(shards.files, [&](const std::string& name) {
      return std::find(missing.begin(), missing.end(), name) != missing.end();
    });
  }
  return shards;
}

// model-00001-of-00003 and -00003-of-00003 without -00002-of-00003.
void CheckSet(const FolderListing& listing, const std::string& stem, uint64_t count,
              const std::vector<uint64_t>& numbers, ProblemSink& problems) {
  std::vector<std::string> missing;
  uint64_t missing_count = 0;
  // Only as many as can be shown: `count` comes from a name and may be huge.
  for (uint64_t number = 1; number <= count && missing.size() <= kNamesShown; ++number) {
    if (!std::binary_search(numbers.begin(), numbers.end(), number)) {
      missing.push_back(std::to_string(number));
    }
  }
  const auto inside = std::count_if(numbers.begin(), numbers.end(),
                                    [&](uint64_t n) { return n >= 1 && n <= count; });
  missing_count = count - static_cast<uint64_t>(inside);
  if (missing_count == 0 && numbers.size() == count) {
    return;
  }
  std::string found = missing_count == 0 ? "a number beyond" : "no number ";
  for (size_t i = 0; i < std::min(missing.size(), kNamesShown); ++i) {
    found += (i == 0 ? "" : ", ") + missing[i];
  }
  if (missing_count > kNamesShown) {
    found += Format(" and {} more", missing_count - kNamesShown);
  }
  ErrorDetail detail = Detail(
      listing.path,
      Format("the set of shards {}-NNNNN-of-{:05} is incomplete", Printable(stem, 60), count),
      Format("numbers 1 to {}", count), found);
  detail.advice = kDownloadAdvice;
  problems.Fail(std::move(detail));
}

ShardList ShardsOfFolder(const FolderListing& listing, ProblemSink& problems) {
  ShardList shards;
  shards.files = listing.weights;
  std::map<std::pair<std::string, uint64_t>, std::vector<uint64_t>> sets;
  for (const std::string& name : shards.files) {
    if (const std::optional<ShardNumber> number = ParseShardName(name)) {
      sets[{number->stem, number->count}].push_back(number->number);
    }
  }
  for (auto& [set, numbers] : sets) {
    std::sort(numbers.begin(), numbers.end());
    CheckSet(listing, set.first, set.second, numbers, problems);
  }
  if (shards.files.size() > 1) {
    problems.Warn(
        Detail(listing.path,
               Format("{} shards without an index; their headers are used", shards.files.size()),
               listing.torch ? "pytorch_model.bin.index.json" : "model.safetensors.index.json"));
  }
  return shards;
}

}  // namespace

bool IsSafeShardName(std::string_view name) {
  if (name.empty() || name.size() > 255 || name == "." || name == "..") {
    return false;
  }
  const bool bad_character = std::any_of(name.begin(), name.end(), [](char c) {
    return c == '/' || c == '\\' || c == ':' || static_cast<uint8_t>(c) < 0x20 || c == 0x7F;
  });
  return !bad_character && name.back() != '.' && name.back() != ' ' && !IsDeviceName(name);
}

ShardList ListShards(const FolderListing& listing, ProblemSink& problems) {
  if (listing.index.empty()) {
    return ShardsOfFolder(listing, problems);
  }
  ShardList shards;
  try {
    shards = ShardsOfIndex(listing, problems);
  } catch (const Error& error) {
    problems.Caught(ExplainJson(error, JoinPath(listing.path, listing.index)));
    return ShardsOfFolder(listing, problems);
  }
  std::vector<std::string> stale;
  std::set_difference(listing.weights.begin(), listing.weights.end(), shards.files.begin(),
                      shards.files.end(), std::back_inserter(stale));
  if (!stale.empty()) {
    ErrorDetail detail = Detail(JoinPath(listing.path, listing.index),
                                "files in the folder are not in the index and are passed over", {},
                                Enumerate(stale));
    detail.advice = "remove them if they are left over";
    problems.Warn(std::move(detail));
  }
  return shards;
}

}  // namespace lbrx
