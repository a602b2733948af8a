// One file of weights, in whatever container it is: content decides, not the name's ending.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "formats/checkpoint.h"

namespace lbrx {

struct WeightFile {
  std::map<std::string, std::string> metadata;
  std::vector<StoredArray> arrays;
  std::string_view torch_layout;  // empty: a safetensors file
};

// As ReadSafetensorsHeader and ReadTorchFile, whichever of them fits.
WeightFile ReadWeightFile(const File& file, uint32_t file_index, std::vector<Problem>& problems,
                          bool collect);

}  // namespace lbrx
