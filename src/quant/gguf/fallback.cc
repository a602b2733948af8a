#include "quant/gguf/fallback.h"

#include <optional>

#include "core/base/error.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

// The type of smaller blocks nearest to one that does not divide a row; nullopt: there is none.
std::optional<Scheme> SmallerBlocks(Scheme scheme) {
  switch (scheme) {
    case Scheme::kIq1S:
    case Scheme::kIq1M:
    case Scheme::kIq2Xxs:
    case Scheme::kIq2Xs:
    case Scheme::kIq2S:
    case Scheme::kIq3Xxs:
    case Scheme::kIq3S:
    case Scheme::kIq4Xs:
      return Scheme::kIq4Nl;
    case Scheme::kQ20:
    case Scheme::kQ2K:
    case Scheme::kQ3K:
    case Scheme::kTq10:
    case Scheme::kTq20:
      return Scheme::kQ40;
    case Scheme::kQ4K:
      return Scheme::kQ50;
    case Scheme::kQ5K:
      return Scheme::kQ51;
    case Scheme::kQ6K:
      return Scheme::kQ80;
    default:
      return std::nullopt;
  }
}

}  // namespace

const GgmlType* FallbackType(const GgmlType& wanted, uint64_t row, const std::string& name) {
  if (Divides(wanted, row)) {
    return &wanted;
  }
  const GgmlType* const half = FindGgmlType(DType::kF16);
  if (const auto smaller = SmallerBlocks(wanted.encoding.scheme)) {
    const GgmlType& type = FindGgmlType(*smaller);
    return Divides(type, row) ? &type : half;
  }
  constexpr uint16_t kSmallest = 32;
  if (wanted.block <= kSmallest) {
    return half;
  }
  throw Error(ErrorCode::kUsage,
              {.file = "",
               .object = name,
               .what = Format("its rows do not divide into blocks of {}, for which no other type "
                              "stands in",
                              wanted.name),
               .expected = Format("a multiple of {}", wanted.block),
               .found = std::to_string(row),
               .offset = {},
               .advice = "choose its type with --tensor-type"});
}

}  // namespace lbrx
