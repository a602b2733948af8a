// What lies in a checkpoint folder, sorted by what it is for.
#pragma once

#include <string>
#include <vector>

#include "formats/checkpoint.h"

namespace lbrx {

struct FolderListing {
  std::string path;
  std::vector<std::string> weights;  // *.safetensors that hold the model, sorted; or torch's files
  std::vector<std::string> other;    // *.safetensors passed over (consolidated, adapters)
  std::vector<std::string> unfinished;  // what downloads left: model.safetensors.incomplete
  std::string index;                    // name of the index; empty: none
  bool torch = false;                   // there are no safetensors files: `weights` are torch's
  bool passed_over_torch = false;       // there are torch's files as well
  bool has_config = false;
  std::vector<SideFile> side_files;
};

// Whatever lies in the folder.
FolderListing SortFolder(const std::string& path);

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
