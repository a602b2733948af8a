#include "model/architectures/registry.h"

#include <array>

namespace lbrx {

std::span<const Architecture* const> ArchitectureTable() {
  static constexpr std::array kTable = {&kLlama, &kMistral, &kQwen2, &kQwen3};
  return kTable;
}

}  // namespace lbrx
