// What lies in a checkpoint folder, sorted by what it is for.
#pragma once

#include <string>
#include <vector>

#include "formats/checkpoint.h"

namespace lbrx {

struct FolderListing {
  std::string path;
  std::vector<std::string> safetensors;  // *.safetensors that hold the model, sorted
  std::vector<std::string> other;        // *.safetensors passed over (consolidated, adapters)
  std::string index;                     // name of the index; empty: none
  bool has_config = false;
  std::vector<SideFile> side_files;
};

// Throws kInvalid where there is nothing that can be opened, saying what there is instead.
FolderListing ListFolder(const std::string& path);

// Numbers of a name like model-00002-of-00005.safetensors.
struct ShardNumber {
  std::string stem;  // "model"
  uint64_t number = 0;
  uint64_t count = 0;
};

std::optional<ShardNumber> ParseShardName(std::string_view name);

}  // namespace lbrx
