// The table of architectures. A new one is its own file here and a row in registry.cc.
#pragma once

#include <span>

#include "model/architecture.h"

namespace lbrx {

std::span<const Architecture* const> ArchitectureTable();

extern const Architecture kCohere;
extern const Architecture kDeepseekV3;
extern const Architecture kGemma2;
extern const Architecture kGemma3Text;
extern const Architecture kGlm4;
extern const Architecture kGpt2;
extern const Architecture kGptOss;
extern const Architecture kGranite;
extern const Architecture kLlama;
extern const Architecture kMistral;
extern const Architecture kMixtral;
extern const Architecture kOlmo2;
extern const Architecture kPhi3;
extern const Architecture kQwen2;
extern const Architecture kQwen2Moe;
extern const Architecture kQwen3;
extern const Architecture kQwen3Moe;
extern const Architecture kQwen3VlMoeText;  // in the table of multimodal models (wrappers.cc)
extern const Architecture kSmolLm3;
extern const Architecture kStableLm;
extern const Architecture kStarcoder2;

}  // namespace lbrx
