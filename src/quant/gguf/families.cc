#include "quant/gguf/families.h"

#include <algorithm>
#include <array>

namespace lbrx {
namespace {

constexpr std::array kQuantsK = {Scheme::kQ2K, Scheme::kQ3K, Scheme::kQ4K,
                                 Scheme::kQ5K, Scheme::kQ6K, Scheme::kQ80};
constexpr std::array kQuantsIq = {Scheme::kIq1S,  Scheme::kIq1M,   Scheme::kIq2Xxs, Scheme::kIq2Xs,
                                  Scheme::kIq2S,  Scheme::kIq3Xxs, Scheme::kIq3S,   Scheme::kIq4Xs,
                                  Scheme::kIq4Nl, Scheme::kQ5K,    Scheme::kQ6K,    Scheme::kQ80};
constexpr std::array kLegacy = {Scheme::kQ40, Scheme::kQ41, Scheme::kQ50,
                                Scheme::kQ51, Scheme::kQ6K, Scheme::kQ80};

}  // namespace

std::span<const Scheme> FamilyOf(const FileType& type) {
  const GgmlType* const base = type.BaseType();
  if (base == nullptr) {
    return {};
  }
  const auto has = [&](std::span<const Scheme> family) {
    return std::find(family.begin(), family.end(), base->encoding.scheme) != family.end();
  };
  // In this order, as the others have K quants above their own.
  for (const std::span<const Scheme> family :
       {std::span<const Scheme>(kQuantsK), std::span<const Scheme>(kQuantsIq),
        std::span<const Scheme>(kLegacy)}) {
    if (has(family)) {
      return family;
    }
  }
  return {};
}

}  // namespace lbrx
