// Opening a checkpoint as a model: whatever the container, with a configuration.
#pragma once

#include <string>

#include "formats/checkpoint.h"

namespace lbrx {

// What warnings about a configuration made from GGUF's keys are about.
inline constexpr const char* kConfigOfGguf = "config.json";

// As OpenCheckpoint; of a GGUF file, `config` is what --embed-hf kept, else made from its keys, and
// what GGUF does not say of it is among the problems, as warnings. Where its architecture is not
// known, or its keys do not make sense, the configuration stays null, and a warning says why.
Checkpoint OpenModel(const std::string& path, const OpenOptions& options = {});

}  // namespace lbrx
