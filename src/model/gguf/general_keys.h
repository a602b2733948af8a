// What a GGUF file says of a model's origin: general.*.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "formats/gguf/keys.h"
#include "model/architecture.h"

namespace lbrx {

// Parameters as llama.cpp counts them for general.size_label. Of a stack of experts one is counted.
struct ParameterCount {
  uint64_t total = 0;
  uint64_t shared = 0;
  uint64_t one_expert = 0;
  uint64_t experts = 0;  // summed over the stacks
  uint64_t stacks = 0;
};

// Counts a tensor by its name in GGUF; `shape` has the experts first.
void AddParameters(std::string_view name, std::span<const uint64_t> shape, ParameterCount& count);

// "336K", "4x353K": rounded to two digits, but not below a whole.
std::string SizeLabel(const ParameterCount& count);

struct GeneralFacts {
  std::string folder;      // its name, without what leads there
  std::string model_card;  // README.md; empty where there is none
  ParameterCount parameters = {};
};

// general.architecture, general.type, and in the manner of gguf-py: name, size_label, and what the
// card's front matter says of license, tags, languages and base models. Before AddModelKeys, so
// that the keys come in the usual order.
void AddGeneralKeys(const Architecture& architecture, const GeneralFacts& facts, GgufKeys& keys);

}  // namespace lbrx
