// The table of architectures. A new one is its own file here and a row in registry.cc.
#pragma once

#include <span>

#include "model/architecture.h"

namespace lbrx {

std::span<const Architecture* const> ArchitectureTable();

extern const Architecture kLlama;
extern const Architecture kMistral;
extern const Architecture kQwen2;
extern const Architecture kQwen3;

}  // namespace lbrx
