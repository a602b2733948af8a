#include "core/tensor/encoding.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/checked.h"
#include "core/base/error.h"
#include "core/base/plain_text.h"
#include "core/tensor/ggml_types.h"
#include "core/tensor/packed.h"

namespace lbrx {
namespace {

constexpr std::array<uint16_t, 3> kAffineGroups = {32, 64, 128};
constexpr std::array<uint8_t, 7> kAffineBits = {1, 2, 3, 4, 5, 6, 8};

// What sets the schemes apart, one row each.
struct SchemeInfo {
  Scheme scheme;
  std::string_view name;
  DType scale_dtype;  // unused for kPlain and kAffine
  uint8_t bits;       // 0: any of kAffineBits
  uint16_t group;     // 0: any of kAffineGroups
};

constexpr std::array<SchemeInfo, 14> kSchemes = {{
    {Scheme::kPlain, "plain", DType::kU8, 0, 1},
    {Scheme::kAffine, "affine", DType::kU8, 0, 0},
    {Scheme::kMxfp4, "mxfp4", DType::kU8, 4, 32},
    {Scheme::kMxfp8, "mxfp8", DType::kU8, 8, 32},
    {Scheme::kNvfp4, "nvfp4", DType::kU8, 4, 16},
    {Scheme::kFp8, "fp8", DType::kF32, 8, 0},
    {Scheme::kInt8, "int8", DType::kF32, 8, 0},
    {Scheme::kBnbInt8, "bnb-int8", DType::kF32, 8, 0},
    {Scheme::kPackedInt, "packed-int", DType::kF32, 0, 0},
    {Scheme::kNvfp4Two, "nvfp4-two-level", DType::kF8E4M3, 4, 16},
    {Scheme::kGptq, "gptq", DType::kF16, 0, 0},
    {Scheme::kAwq, "awq", DType::kF16, 4, 0},
    {Scheme::kNf4, "nf4", DType::kF32, 4, 0},
    {Scheme::kBnbFp4, "bnb-fp4", DType::kF32, 4, 0},
}};

// Of all but GGUF's, which have a table of their own.
const SchemeInfo& InfoOf(Scheme scheme) {
  return kSchemes[static_cast<size_t>(scheme)];
}

template <typename List, typename Value>
bool Contains(const List& list, Value value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

bool ValidParameters(const Encoding& encoding) {
  const bool float_values = encoding.dtype == DType::kBF16 || encoding.dtype == DType::kF16 ||
                            encoding.dtype == DType::kF32;
  if (encoding.scheme == Scheme::kAffine) {
    return float_values && Contains(kAffineBits, encoding.bits) &&
           Contains(kAffineGroups, encoding.group);
  }
  if (IsBlock(encoding.scheme)) {
    return IsWritable(encoding.scheme) && encoding.dtype == DType::kF32 &&
           encoding.group == FindGgmlType(encoding.scheme).block;
  }
  const SchemeInfo& info = InfoOf(encoding.scheme);
  return IsWritable(encoding.scheme) && float_values && encoding.bits == info.bits &&
         encoding.group == info.group;
}

Shape WithLast(const Shape& shape, uint64_t last) {
  Shape out = shape;
  out[out.rank() - 1] = last;
  return out;
}

[[noreturn]] void ThrowTooLarge(const Shape& shape) {
  ErrorDetail detail;
  detail.what = "the size of a tensor does not fit 64 bits";
  detail.found = "shape " + shape.ToString();
  throw Error(ErrorCode::kInvalid, std::move(detail));
}

}  // namespace

std::vector<Plane> PlanesOf(const Encoding& encoding, const Shape& shape) {
  if (encoding.scheme == Scheme::kPlain) {
    return {{"", encoding.dtype, shape}};
  }
  if (IsPacked(encoding.scheme)) {
    return PackedPlanes(encoding, shape);
  }
  if (IsBlock(encoding.scheme)) {
    const GgmlType& type = FindGgmlType(encoding.scheme);
    return {{"", DType::kU8, WithLast(shape, shape.back() / type.block * type.bytes)}};
  }
  // Without forming row * bits, which may overflow. A row of nvfp4 may end with half a run of 32.
  const uint64_t words = shape.back() / 32 * encoding.bits + shape.back() % 32 * encoding.bits / 32;
  const Shape codes = WithLast(shape, words);
  const Shape groups = WithLast(shape, shape.back() / encoding.group);
  if (encoding.scheme == Scheme::kAffine) {
    return {{"", DType::kU32, codes},
            {"scales", encoding.dtype, groups},
            {"biases", encoding.dtype, groups}};
  }
  return {{"", DType::kU32, codes}, {"scales", InfoOf(encoding.scheme).scale_dtype, groups}};
}

std::string PlaneName(std::string_view name, std::string_view suffix) {
  constexpr std::string_view kWeight = ".weight";
  if (suffix.empty() || suffix[0] == '_' || suffix[0] == '.') {
    return std::string(name) + std::string(suffix);
  }
  if (name.ends_with(kWeight)) {
    name.remove_suffix(kWeight.size());
  }
  return std::string(name) + "." + std::string(suffix);
}

uint64_t PlaneBytes(const Plane& plane) {
  const std::optional<uint64_t> elements = plane.shape.CheckedElements();
  if (!elements.has_value()) {
    ThrowTooLarge(plane.shape);
  }
  const uint64_t bits = Info(plane.dtype).bits;
  const std::optional<uint64_t> bytes = CheckedMul(*elements / 8, bits);
  if (!bytes.has_value()) {
    ThrowTooLarge(plane.shape);
  }
  const std::optional<uint64_t> total = CheckedAdd(*bytes, CeilDiv(*elements % 8 * bits, 8));
  if (!total.has_value()) {
    ThrowTooLarge(plane.shape);
  }
  return *total;
}

uint64_t EncodedBytes(const Encoding& encoding, const Shape& shape) {
  uint64_t total = 0;
  for (const Plane& plane : PlanesOf(encoding, shape)) {
    if (AddOverflows(total, PlaneBytes(plane), &total)) {
      ThrowTooLarge(shape);
    }
  }
  return total;
}

uint64_t Granule(const Encoding& encoding) {
  if (IsPacked(encoding.scheme)) {
    return 1;
  }
  if (encoding.scheme != Scheme::kPlain) {
    return encoding.group;
  }
  switch (Info(encoding.dtype).bits) {
    case 4:
      return 2;
    case 6:
      return 4;
    default:
      return 1;
  }
}

bool CanEncode(const Encoding& encoding, const Shape& shape) {
  const std::optional<uint64_t> elements = shape.CheckedElements();
  if (!elements.has_value()) {
    return false;
  }
  if (encoding.scheme == Scheme::kPlain) {
    return *elements % Granule(encoding) == 0;
  }
  return ValidParameters(encoding) && shape.rank() >= 2 && shape.back() > 0 &&
         shape.back() % encoding.group == 0;
}

std::string SchemeLabel(const Encoding& encoding) {
  switch (encoding.scheme) {
    case Scheme::kPlain:
      return AsciiLower(Name(encoding.dtype));
    case Scheme::kAffine:
      return std::to_string(encoding.bits) + "bit/" + std::to_string(encoding.group);
    default:
      return IsPacked(encoding.scheme) ? PackedLabel(encoding)
                                       : std::string(SchemeName(encoding.scheme));
  }
}

bool IsWritable(Scheme scheme) {
  return !IsPacked(scheme) && scheme != Scheme::kQ81 && scheme != Scheme::kQ8K;
}

bool IsPacked(Scheme scheme) {
  return scheme >= Scheme::kFp8 && scheme <= Scheme::kBnbFp4;
}

bool IsBlock(Scheme scheme) {
  return scheme >= Scheme::kQ40;
}

std::string_view SchemeName(Scheme scheme) {
  return IsBlock(scheme) ? FindGgmlType(scheme).name : InfoOf(scheme).name;
}

std::optional<Scheme> SchemeByName(std::string_view name) {
  for (const SchemeInfo& info : kSchemes) {
    if (info.name == name && IsWritable(info.scheme)) {
      return info.scheme;
    }
  }
  return std::nullopt;
}

std::optional<Encoding> ParseScheme(std::string_view name, uint16_t group) {
  const std::string lower = AsciiLower(name);
  for (const SchemeRow& row : SchemeTable()) {
    if (row.name != lower) {
      continue;
    }
    Encoding encoding = row.encoding;
    if (group == 0) {
      return encoding;
    }
    encoding.group = group;
    if (!ValidParameters(encoding)) {
      ErrorDetail detail;
      detail.object = row.name;
      detail.what = "no such group size";
      detail.expected =
          encoding.scheme == Scheme::kAffine ? "32, 64 or 128" : std::to_string(row.encoding.group);
      detail.found = std::to_string(group);
      throw Error(ErrorCode::kUsage, std::move(detail));
    }
    return encoding;
  }
  return std::nullopt;
}

const std::vector<SchemeRow>& SchemeTable() {
  static const std::vector<SchemeRow> table = {
      {"1bit", "MLX affine, 1 bit (MLX 0.32.4 and later)", Affine(1, 64, DType::kBF16)},
      {"2bit", "MLX affine, 2 bits", Affine(2, 64, DType::kBF16)},
      {"3bit", "MLX affine, 3 bits", Affine(3, 64, DType::kBF16)},
      {"4bit", "MLX affine, 4 bits", Affine(4, 64, DType::kBF16)},
      {"5bit", "MLX affine, 5 bits", Affine(5, 64, DType::kBF16)},
      {"6bit", "MLX affine, 6 bits", Affine(6, 64, DType::kBF16)},
      {"8bit", "MLX affine, 8 bits", Affine(8, 64, DType::kBF16)},
      {"mxfp4",
       "OCP microscaling, E2M1 with a power of two per 32",
       {Scheme::kMxfp4, 4, 32, DType::kBF16}},
      {"mxfp8",
       "OCP microscaling, E4M3 with a power of two per 32",
       {Scheme::kMxfp8, 8, 32, DType::kBF16}},
      {"nvfp4", "NVIDIA, E2M1 with an E4M3 scale per 16", {Scheme::kNvfp4, 4, 16, DType::kBF16}},
  };
  return table;
}

}  // namespace lbrx
