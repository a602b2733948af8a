#include "formats/huggingface/folder_listing.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>

#include "core/base/format.h"
#include "formats/detect.h"
#include "formats/huggingface/torch_listing.h"

namespace lbrx {

namespace {

constexpr std::string_view kSafetensors = ".safetensors";
constexpr std::string_view kBin = ".bin";
constexpr std::string_view kIndex = ".safetensors.index.json";
// Weights of other kinds: not copied beside converted ones.
constexpr std::array<std::string_view, 11> kOtherWeights = {
    ".bin", ".pt", ".pth", ".gguf", ".h5", ".msgpack", ".ot", ".onnx", ".ckpt", ".npz", ".pkl"};

bool IsAdapter(std::string_view name) {
  return name == "adapter_model.safetensors" || name == "adapters.safetensors" ||
         name == "adapter_model.bin";
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
         !IsUnfinishedName(name) && name != "config.json" && name != "README.md";
}

// Keeps the names for which `keep` holds in `listing.weights`, moves the others away.
template <typename Predicate>
void KeepOnly(FolderListing& listing, Predicate keep) {
  const auto first = std::stable_partition(listing.weights.begin(), listing.weights.end(),
                                           [&](const std::string& name) { return keep(name); });
  listing.other.insert(listing.other.end(), first, listing.weights.end());
  listing.weights.erase(first, listing.weights.end());
}

bool Any(const std::vector<std::string>& names, bool (*predicate)(std::string_view)) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return predicate(name); });
}

void ChooseModel(FolderListing& listing) {
  if (Any(listing.weights, IsModel)) {
    KeepOnly(listing, IsModel);
    return;
  }
  KeepOnly(listing, [](std::string_view name) { return !IsAdapter(name); });
  const bool only_consolidated =
      std::all_of(listing.weights.begin(), listing.weights.end(), IsConsolidated);
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
  if (Any(names, IsAdapter)) {
    detail.what = "the folder holds an adapter (LoRA), not a model";
    detail.advice = "give the folder of the base model; adapters cannot be read yet";
  } else if (const auto unfinished = std::find_if(names.begin(), names.end(), IsUnfinishedName);
             unfinished != names.end()) {
    detail.what = Format("the folder holds no complete weights, but {}, {}",
                         Printable(*unfinished, 100), RecogniseUnfinished(*unfinished).kind);
    detail.advice = RecogniseUnfinished(*unfinished).advice;
  } else if (has_ending(".gguf")) {
    detail.what = "the folder holds GGUF files only";
    detail.advice = "give the .gguf file itself by its path";
  } else if (has_ending(".bin") || has_ending(".pt") || has_ending(".pth")) {
    detail.what = "the folder holds PyTorch files of a training run only, no weights";
    detail.advice = "give the folder of the model, or the file with its state dict";
  } else if (std::binary_search(names.begin(), names.end(), "snapshots")) {
    detail.what = "this is a repository folder of the Hugging Face cache";
    detail.advice = "give org/name, or one of the folders in snapshots/";
  } else {
    detail.what = "not a checkpoint, there are no .safetensors or .bin files in the folder";
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

FolderListing SortFolder(const std::string& path) {
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
      listing.weights.push_back(name);
    } else if (IsUnfinishedName(name) && name.find(kSafetensors) != std::string::npos) {
      listing.unfinished.push_back(name);
    } else if (IsSideFile(name)) {
      const std::string file = JoinPath(path, name);
      if (const std::optional<uint64_t> size = RegularSize(file)) {
        listing.side_files.push_back({name, file, *size});
      }
    }
  }
  listing.index = ChooseIndex(indices);
  ChooseModel(listing);
  if (listing.weights.empty() && listing.index.empty()) {
    ChooseTorchFiles(names, listing);
  } else {
    listing.passed_over_torch = HasTorchModel(names);
  }
  return listing;
}

FolderListing ListFolder(const std::string& path) {
  FolderListing listing = SortFolder(path);
  if (listing.weights.empty() && listing.index.empty()) {
    ThrowNothing(listing, ListDirectory(path));
  }
  return listing;
}

std::optional<ShardNumber> ParseShardName(std::string_view name) {
  constexpr size_t kDigits = 5;
  constexpr std::string_view kOf = "-of-";
  if (!name.ends_with(kSafetensors) && !name.ends_with(kBin)) {
    return std::nullopt;
  }
  name.remove_suffix(name.ends_with(kBin) ? kBin.size() : kSafetensors.size());
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
