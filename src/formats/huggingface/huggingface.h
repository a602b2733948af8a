// Hugging Face folders: config.json, shards with an index, tokenizer files; and the hub cache.
#pragma once

#include <string>

#include "formats/checkpoint.h"

namespace lbrx {

// Opens a folder: index or shard headers, every check of rows 27-35 of the fault table.
Checkpoint OpenHuggingFaceFolder(const std::string& path, const OpenOptions& options);

// A weight_map value that stays inside its folder: no separators, "..", drive, NUL, device name.
bool IsSafeShardName(std::string_view name);

}  // namespace lbrx
