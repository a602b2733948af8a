// Which files of a folder hold the weights where they are torch's.
#pragma once

#include <string>
#include <vector>

#include "formats/huggingface/folder_listing.h"

namespace lbrx {

// Fills listing.weights and listing.index from the folder's `names` (sorted): pytorch_model*.bin if
// there are any, else the .bin, .pt and .pth files that are none of a training run or an adapter.
void ChooseTorchFiles(const std::vector<std::string>& names, FolderListing& listing);

// Whether there are pytorch_model*.bin: passed over where there are safetensors files, as
// transformers does.
bool HasTorchModel(const std::vector<std::string>& names);

}  // namespace lbrx
