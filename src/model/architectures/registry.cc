#include "model/architectures/registry.h"

#include <array>

namespace lbrx {

std::span<const Architecture* const> ArchitectureTable() {
  static constexpr std::array kTable = {
      &kCohere,   &kDeepseekV3, &kGemma2,   &kGemma3Text, &kGlm4,     &kGpt2,      &kGptOss,
      &kGranite,  &kLlama,      &kMistral,  &kMixtral,    &kOlmo2,    &kPhi3,      &kQwen2,
      &kQwen2Moe, &kQwen3,      &kQwen3Moe, &kSmolLm3,    &kStableLm, &kStarcoder2};
  return kTable;
}

}  // namespace lbrx
