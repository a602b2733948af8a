// Which files of a folder are the shards of the model, and what the index says of them.
#pragma once

#include <string>
#include <vector>

#include "core/text/json.h"
#include "formats/huggingface/folder_listing.h"
#include "formats/names.h"
#include "formats/problems.h"

namespace lbrx {

// The files to open (names, sorted, those that are missing left out), and what the index says.
struct ShardList {
  std::vector<std::string> files;
  bool from_index = false;
  Json::Object weight_map;  // of the index: name of an array to name of a file
  Json total_size;          // null where the index has none
};

// Rows 27, 28, 32 and 36 of the fault table: unsafe names, missing shards, incomplete sets.
ShardList ListShards(const FolderListing& listing, ProblemSink& problems);

// A shard that is a symlink: loops and dangling ones fail; one that leads out of the folder, and
// not to the blobs of a Hugging Face cache, is a warning. False: it cannot be opened.
bool CheckSymlink(const std::string& folder, const std::string& path, ProblemSink& problems);

// Rows 29, 30 and 31: duplicates, and the index (at path `index`) against the headers of the shards
// that were opened (shards.files).
void CheckIndex(const ShardList& shards, const std::string& index, const Checkpoint& checkpoint,
                ProblemSink& problems);

}  // namespace lbrx
