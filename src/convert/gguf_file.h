// What a GGUF file has beside the model's tensors: keys, rotary factors, an order.
#pragma once

#include <string>
#include <vector>

#include "convert/convert.h"
#include "convert/facts.h"
#include "formats/gguf/keys.h"
#include "quant/gguf/file_types.h"
#include "stream/layout.h"
#include "stream/plan.h"

namespace lbrx {

// Tensors that llama.cpp reads and other containers say in the configuration.
std::vector<NamedValue> RotaryTensors(const SourceFacts& facts, const Json& config);

// Those of a GGUF source as its file has them, all others by layer, then by name.
void OrderForGguf(const Checkpoint& source, std::vector<NamedValue>& tensors);

// The keys of a file with these tensors. A GGUF source keeps its own. `texts` stand in for files of
// the source's folder. What says how tensors are
// stored is for SetStorageKeys to tell.
GgufKeys KeysForGguf(const ConvertRequest& request, const Checkpoint& source,
                     const std::vector<OutputText>& texts, const SourceFacts& facts,
                     const std::vector<NamedValue>& tensors, std::vector<std::string>& notices);

// Says how tensors are stored: as `file_type` has it, or, where that is null, by what most weights
// have; a file that is stored as its source was keeps the source's word.
void SetStorageKeys(const Checkpoint& source, const FileType* file_type,
                    const std::vector<PlannedTensor>& tensors, GgufKeys& keys);

// The plan's layout with these keys: one file, or a set of parts of --shard-size, or with
// --keep-split of the source's. `names` are those of the outputs in the source.
OutputLayout LayOutForGguf(const ConvertRequest& request, const Checkpoint& source,
                           const GgufKeys& keys, const std::vector<std::string>& names,
                           std::vector<OutputTensor>& outputs);

}  // namespace lbrx
