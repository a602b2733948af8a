#include "formats/huggingface/torch_listing.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace lbrx {

namespace {

constexpr std::string_view kModel = "pytorch_model";
constexpr std::string_view kModelIndex = "pytorch_model.bin.index.json";
constexpr std::string_view kBin = ".bin";
constexpr std::string_view kConsolidated = "consolidated";

// What trainers and adapters leave beside a model.
constexpr std::array<std::string_view, 8> kNoModel = {"training_args", "optimizer",     "scheduler",
                                                      "rng_state",     "random_states", "scaler",
                                                      "adapter",       "trainer_state"};

bool IsTorchModel(std::string_view name) {
  return name.starts_with(kModel) && name.ends_with(kBin);
}

bool MayBeWeights(std::string_view name) {
  const bool ending = name.ends_with(kBin) || name.ends_with(".pt") || name.ends_with(".pth");
  return ending && !name.starts_with(".") &&
         std::none_of(kNoModel.begin(), kNoModel.end(),
                      [&](std::string_view start) { return name.starts_with(start); });
}

bool IsConsolidated(std::string_view name) {
  return name.starts_with(kConsolidated);
}

}  // namespace

bool HasTorchModel(const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(), IsTorchModel);
}

void ChooseTorchFiles(const std::vector<std::string>& names, FolderListing& listing) {
  std::vector<std::string>& weights = listing.weights;
  std::copy_if(names.begin(), names.end(), std::back_inserter(weights), MayBeWeights);
  if (HasTorchModel(weights)) {
    std::erase_if(weights, [](const std::string& name) { return !IsTorchModel(name); });
  } else if (!std::all_of(weights.begin(), weights.end(), IsConsolidated)) {
    std::erase_if(weights, IsConsolidated);
  }
  if (std::binary_search(names.begin(), names.end(), kModelIndex)) {
    listing.index = kModelIndex;
  }
  listing.torch = !weights.empty() || !listing.index.empty();
}

}  // namespace lbrx
