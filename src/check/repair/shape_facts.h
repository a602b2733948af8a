// What the shapes of a checkpoint's tensors say of its configuration.
#pragma once

#include <cstdint>
#include <optional>

#include "formats/checkpoint.h"
#include "model/architecture.h"

namespace lbrx {

struct ShapeFacts {
  const Architecture* architecture = nullptr;  // by whose names the tensors were read
  std::optional<uint64_t> vocabulary;
  std::optional<uint64_t> hidden;
  std::optional<uint64_t> intermediate;
  std::optional<uint64_t> query;  // width of all queries
  std::optional<uint64_t> key;    // width of all keys
  std::optional<uint64_t> layers;
  bool has_head = false;
};

// By the architecture that the config names, else by the first one whose names fit all tensors.
// Where tensors of one role differ, what most of them have counts.
ShapeFacts FindShapeFacts(const Checkpoint& checkpoint);

// The one architecture that knows all names; nullptr: none or several do.
const Architecture* OnlyArchitectureOf(const Checkpoint& checkpoint);

}  // namespace lbrx
