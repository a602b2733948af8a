#include "core/tensor/ggml_types.h"

#include <algorithm>
#include <array>

#include "core/base/plain_text.h"

namespace lbrx {
namespace {

constexpr GgmlType Block(uint32_t id, std::string_view name, Scheme scheme, uint8_t bits,
                         uint16_t block, uint16_t bytes) {
  return {id, name, {scheme, bits, block, DType::kF32}, block, bytes};
}

const std::array<GgmlType, 35> kTypes = {{
    {0, "F32", Plain(DType::kF32), 1, 4},
    {1, "F16", Plain(DType::kF16), 1, 2},
    Block(2, "Q4_0", Scheme::kQ40, 4, 32, 18),
    Block(3, "Q4_1", Scheme::kQ41, 4, 32, 20),
    Block(6, "Q5_0", Scheme::kQ50, 5, 32, 22),
    Block(7, "Q5_1", Scheme::kQ51, 5, 32, 24),
    Block(8, "Q8_0", Scheme::kQ80, 8, 32, 34),
    Block(9, "Q8_1", Scheme::kQ81, 8, 32, 36),
    Block(10, "Q2_K", Scheme::kQ2K, 2, 256, 84),
    Block(11, "Q3_K", Scheme::kQ3K, 3, 256, 110),
    Block(12, "Q4_K", Scheme::kQ4K, 4, 256, 144),
    Block(13, "Q5_K", Scheme::kQ5K, 5, 256, 176),
    Block(14, "Q6_K", Scheme::kQ6K, 6, 256, 210),
    Block(15, "Q8_K", Scheme::kQ8K, 8, 256, 292),
    Block(16, "IQ2_XXS", Scheme::kIq2Xxs, 2, 256, 66),
    Block(17, "IQ2_XS", Scheme::kIq2Xs, 2, 256, 74),
    Block(18, "IQ3_XXS", Scheme::kIq3Xxs, 3, 256, 98),
    Block(19, "IQ1_S", Scheme::kIq1S, 1, 256, 50),
    Block(20, "IQ4_NL", Scheme::kIq4Nl, 4, 32, 18),
    Block(21, "IQ3_S", Scheme::kIq3S, 3, 256, 110),
    Block(22, "IQ2_S", Scheme::kIq2S, 2, 256, 82),
    Block(23, "IQ4_XS", Scheme::kIq4Xs, 4, 256, 136),
    {24, "I8", Plain(DType::kI8), 1, 1},
    {25, "I16", Plain(DType::kI16), 1, 2},
    {26, "I32", Plain(DType::kI32), 1, 4},
    {27, "I64", Plain(DType::kI64), 1, 8},
    {28, "F64", Plain(DType::kF64), 1, 8},
    Block(29, "IQ1_M", Scheme::kIq1M, 1, 256, 56),
    {30, "BF16", Plain(DType::kBF16), 1, 2},
    Block(34, "TQ1_0", Scheme::kTq10, 2, 256, 54),
    Block(35, "TQ2_0", Scheme::kTq20, 2, 256, 66),
    Block(39, "MXFP4", Scheme::kBlockMxfp4, 4, 32, 17),
    Block(40, "NVFP4", Scheme::kBlockNvfp4, 4, 64, 36),
    Block(41, "Q1_0", Scheme::kQ10, 1, 128, 18),
    Block(42, "Q2_0", Scheme::kQ20, 2, 64, 18),
}};

template <typename Predicate>
const GgmlType* FindIf(Predicate predicate) {
  const auto found = std::find_if(kTypes.begin(), kTypes.end(), predicate);
  return found == kTypes.end() ? nullptr : &*found;
}

}  // namespace

std::span<const GgmlType> GgmlTypes() {
  return kTypes;
}

const GgmlType* FindGgmlType(uint32_t id) {
  return FindIf([&](const GgmlType& type) { return type.id == id; });
}

const GgmlType* FindGgmlType(std::string_view name) {
  return FindIf([&](const GgmlType& type) { return EqualIgnoringCase(type.name, name); });
}

const GgmlType* FindGgmlType(DType dtype) {
  return FindIf([&](const GgmlType& type) { return type.encoding == Plain(dtype); });
}

const GgmlType& FindGgmlType(Scheme scheme) {
  return *FindIf([&](const GgmlType& type) { return type.encoding.scheme == scheme; });
}

}  // namespace lbrx
