#include "formats/huggingface/folder_listing.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>

#include "core/base/format.h"

namespace lbrx {

namespace {

constexpr std::string_view kSafetensors = ".safetensors";
constexpr std::string_view kIndex = ".safetensors.index.json";
// Weights of other kinds: not copied beside converted ones.
constexpr std::array<std::string_view, 11> kOtherWeights = {
    ".bin", ".pt", ".pth", ".gguf", ".h5", ".msgpack", ".ot", ".onnx", ".ckpt", ".npz", ".pkl"};

bool IsAdapter(std::string_view name) {
  return name == "adapter_model.safetensors" || name == "adapters.safetensors";
}

bool IsConsolidated(std::string_view name) {
  return name.starts_with("consolidated");
}

bool IsModel(std::string_view name) {
  return name.starts_with("model");
}

bool IsSideFile(std::string_view name) {
  const bool weights = name.ends_with(kSafetensors) ||
                       std::any_of(kOtherWeights.begin(), kOtherWeights.end(),
                                   [&](std::string_view end) { return name.ends_with(end); });
  return !weights && !name.starts_with(".") && !name.ends_with(".index.json") &&
         name != "config.json" && name != "README.md";
}

// Keeps the names for which `keep` holds in `listing.safetensors`, moves the others away.
template <typename Predicate>
void KeepOnly(FolderListing& listing, Predicate keep) {
  const auto first = std::stable_partition(listing.safetensors.begin(), listing.safetensors.end(),
                                           [&](const std::string& name) { return keep(name); });
  listing.other.insert(listing.other.end(), first, listing.safetensors.end());
  listing.safetensors.erase(first, listing.safetensors.end());
}

bool Any(const std::vector<std::string>& names, bool (*predicate)(std::string_view)) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return predicate(name); });
}

void ChooseModel(FolderListing& listing) {
  if (Any(listing.safetensors, IsModel)) {
    KeepOnly(listing, IsModel);
    return;
  }
  KeepOnly(listing, [](std::string_view name) { return !IsAdapter(name); });
  const bool only_consolidated =
      std::all_of(listing.safetensors.begin(), listing.safetensors.end(), IsConsolidated);
  if (!only_consolidated) {
    KeepOnly(listing, [](std::string_view name) { return !IsConsolidated(name); });
  }
}

[[noreturn]] void ThrowNothing(const FolderListing& listing,
                               const std::vector<std::string>& names) {
  ErrorDetail detail;
  detail.file = listing.path;
  const auto has_ending = [&](std::string_view end) {
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string& name) { return name.ends_with(end); });
  };
  if (Any(listing.other, IsAdapter)) {
    detail.what = "the folder holds an adapter (LoRA), not a model";
    detail.advice = "give the folder of the base model; adapters cannot be read yet";
  } else if (has_ending(".gguf")) {
    detail.what = "the folder holds GGUF files only";
    detail.advice = "GGUF files cannot be read yet; give the original folder";
  } else if (has_ending(".bin") || has_ending(".pt") || has_ending(".pth")) {
    detail.what = "the folder holds PyTorch weights (pickle) only, no safetensors";
    detail.advice =
        "download the safetensors version of the model, or save it with "
        "save_pretrained(safe_serialization=True)";
  } else if (std::binary_search(names.begin(), names.end(), "snapshots")) {
    detail.what = "this is a repository folder of the Hugging Face cache";
    detail.advice = "give org/name, or one of the folders in snapshots/";
  } else {
    detail.what = "not a checkpoint, there are no .safetensors files in the folder";
    detail.advice = "give a folder with config.json and model.safetensors";
  }
  throw Error(ErrorCode::kInvalid, std::move(detail));
}

// Bytes of a regular file, symlinks followed; nullopt for everything else.
std::optional<uint64_t> RegularSize(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error) || error) {
    return std::nullopt;
  }
  const uintmax_t size = std::filesystem::file_size(path, error);
  return error ? std::nullopt : std::optional<uint64_t>(size);
}

std::string ChooseIndex(const std::vector<std::string>& indices) {
  const auto model = std::find(indices.begin(), indices.end(), "model.safetensors.index.json");
  if (model != indices.end()) {
    return *model;
  }
  return indices.size() == 1 ? indices.front() : "";
}

}  // namespace

FolderListing ListFolder(const std::string& path) {
  FolderListing listing;
  listing.path = path;
  const std::vector<std::string> names = ListDirectory(path);
  std::vector<std::string> indices;
  for (const std::string& name : names) {
    if (name == "config.json") {
      listing.has_config = true;
    } else if (name.ends_with(kIndex)) {
      indices.push_back(name);
    } else if (name.ends_with(kSafetensors) && !name.starts_with(".")) {
      listing.safetensors.push_back(name);
    } else if (IsSideFile(name)) {
      const std::string file = JoinPath(path, name);
      if (const std::optional<uint64_t> size = RegularSize(file)) {
        listing.side_files.push_back({name, file, *size});
      }
    }
  }
  listing.index = ChooseIndex(indices);
  ChooseModel(listing);
  if (listing.safetensors.empty() && listing.index.empty()) {
    ThrowNothing(listing, names);
  }
  return listing;
}

std::optional<ShardNumber> ParseShardName(std::string_view name) {
  constexpr size_t kDigits = 5;
  constexpr std::string_view kOf = "-of-";
  if (!name.ends_with(kSafetensors)) {
    return std::nullopt;
  }
  name.remove_suffix(kSafetensors.size());
  const size_t of = name.rfind(kOf);
  const size_t dash = of == std::string_view::npos ? of : name.rfind('-', of == 0 ? 0 : of - 1);
  if (of == std::string_view::npos || dash == std::string_view::npos || dash >= of) {
    return std::nullopt;
  }
  const auto parse = [](std::string_view digits, uint64_t* out) {
    const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), *out);
    return digits.size() >= kDigits && digits.size() < 10 && end.ec == std::errc() &&
           end.ptr == digits.data() + digits.size();
  };
  ShardNumber out;
  out.stem = std::string(name.substr(0, dash));
  if (!parse(name.substr(dash + 1, of - dash - 1), &out.number) ||
      !parse(name.substr(of + kOf.size()), &out.count)) {
    return std::nullopt;
  }
  return out;
}

}  // namespace lbrx
