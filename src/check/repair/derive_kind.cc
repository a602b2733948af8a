#include <algorithm>

#include "check/repair/place_entries.h"
#include "core/base/checked.h"

namespace lbrx {
namespace {

bool OneByteApart(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) {
    return false;
  }
  int differ = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    differ += a[i] != b[i] ? 1 : 0;
  }
  return differ == 1;
}

// The dtype of that width whose name is one byte from what stands there; else the one that most
// arrays have.
std::optional<DType> DTypeOfWidth(const LooseEntry& entry, uint64_t bits, const Lore& lore) {
  std::optional<DType> found;
  for (int i = 0; i < kDTypeCount; ++i) {
    const auto dtype = static_cast<DType>(i);
    if (Info(dtype).bits == bits && OneByteApart(Name(dtype), entry.dtype_text)) {
      if (found) {
        return std::nullopt;
      }
      found = dtype;
    }
  }
  const std::optional<DType> main = lore.MainType();
  return found ? found : main && Info(*main).bits == bits ? main : std::nullopt;
}

std::optional<ArrayKind> ByShape(const LooseEntry& entry, uint64_t bytes, const Lore& lore) {
  if (entry.dtype || !entry.shape) {
    return std::nullopt;
  }
  const uint64_t elements = entry.shape->CheckedElements().value_or(0);
  const uint64_t bits = CheckedMul(bytes, 8).value_or(0);
  if (elements == 0 || bits % elements != 0) {
    return std::nullopt;
  }
  const std::optional<DType> dtype = DTypeOfWidth(entry, bits / elements, lore);
  return dtype ? std::optional(ArrayKind{*dtype, *entry.shape}) : std::nullopt;
}

// The one shape of that size which differs from the written one in one digit.
std::optional<ArrayKind> ByDigit(const LooseEntry& entry, uint64_t bytes) {
  if (!entry.dtype || !entry.shape) {
    return std::nullopt;
  }
  std::optional<ArrayKind> found;
  for (size_t i = 0; i < entry.shape->rank(); ++i) {
    Shape rest = *entry.shape;
    rest[i] = 1;
    const std::optional<uint64_t> one = BytesOfKind(*entry.dtype, rest);
    if (!one || *one == 0 || bytes % *one != 0) {
      continue;
    }
    rest[i] = bytes / *one;
    if (OneByteApart(std::to_string(rest[i]), std::to_string((*entry.shape)[i]))) {
      if (found) {
        return std::nullopt;
      }
      found = {*entry.dtype, rest};
    }
  }
  return found;
}

}  // namespace

std::optional<ArrayKind> DeriveKind(const LooseEntry& entry, uint64_t bytes, const Lore& lore) {
  if (entry.Bytes() == bytes) {
    return ArrayKind{*entry.dtype, *entry.shape};
  }
  std::vector<ArrayKind> fitting = lore.Candidates(entry.name);
  std::erase_if(
      fitting, [&](const ArrayKind& kind) { return BytesOfKind(kind.dtype, kind.shape) != bytes; });
  const auto agreeing = std::find_if(fitting.begin(), fitting.end(), [&](const ArrayKind& kind) {
    return entry.dtype == kind.dtype || (entry.shape && *entry.shape == kind.shape);
  });
  if (agreeing != fitting.end()) {
    return *agreeing;
  }
  if (std::optional<ArrayKind> kind = ByShape(entry, bytes, lore)) {
    return kind;
  }
  if (std::optional<ArrayKind> kind = ByDigit(entry, bytes)) {
    return kind;
  }
  return fitting.empty() ? std::nullopt : std::optional(fitting.front());
}

}  // namespace lbrx
