// What a GGUF file has beside the model's tensors: keys, rotary factors, an order.
#pragma once

#include <string>
#include <vector>

#include "convert/convert.h"
#include "convert/facts.h"
#include "formats/gguf/keys.h"
#include "stream/layout.h"
#include "stream/plan.h"

namespace lbrx {

// Tensors that llama.cpp reads and other containers say in the configuration.
std::vector<NamedValue> RotaryTensors(const SourceFacts& facts, const Json& config);
bool IsRotaryTensor(std::string_view name);

// Those of a GGUF source as its file has them, all others by layer, then by name.
void OrderForGguf(const Checkpoint& source, std::vector<PlannedTensor>& tensors);

// The keys for the plan's tensors, which are laid out by them. A GGUF source keeps its own but for
// what says how its tensors are stored.
GgufKeys KeysForGguf(const ConvertRequest& request, const Checkpoint& source,
                     const SourceFacts& facts, Plan& plan);

// The plan's layout with these keys: one file, or a set of parts of --shard-size.
OutputLayout LayOutForGguf(const ConvertRequest& request, const Checkpoint& source,
                           const GgufKeys& keys, std::vector<OutputTensor>& outputs);

// Under this and a file's name --embed-hf keeps the files of the source's folder.
inline constexpr std::string_view kEmbeddedPrefix = "lbrx.file.";

// The files that --embed-hf has put into a GGUF file.
std::vector<OutputText> EmbeddedFiles(const GgufKeys& keys);

}  // namespace lbrx
