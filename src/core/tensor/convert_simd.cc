// F32, BF16 and F16 among each other, and the search for values that are not finite, on vectors.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/base/simd.h"
#include "core/tensor/convert_blocks.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/tensor/convert_simd.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After foreach_target.h.
#include "core/tensor/float_lanes-inl.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
namespace {
#if LBRX_SIMD

template <DType kFrom, DType kTo>
void Cast(const std::byte* in, size_t count, std::byte* out) {
  size_t i = 0;
  for (; i + 2 * kFloatLanes <= count; i += 2 * kFloatLanes) {
    FloatVec even;
    FloatVec odd;
    ReadLanePair<kFrom>(in, i, even, odd);
    WriteLanePair<kTo>(even, odd, out, i);
  }
  if (i == count) {
    return;
  }
  alignas(32) std::byte source[2 * kFloatLanes * sizeof(float)] = {};
  alignas(32) std::byte target[2 * kFloatLanes * sizeof(float)];
  std::memcpy(source, in + i * kValueBytes<kFrom>, (count - i) * kValueBytes<kFrom>);
  FloatVec even;
  FloatVec odd;
  ReadLanePair<kFrom>(source, 0, even, odd);
  WriteLanePair<kTo>(even, odd, target, 0);
  std::memcpy(out + i * kValueBytes<kTo>, target, (count - i) * kValueBytes<kTo>);
}

template <DType kFrom>
void CastFrom(const std::byte* in, DType to, std::byte* out, size_t count) {
  switch (to) {
    case DType::kBF16:
      return Cast<kFrom, DType::kBF16>(in, count, out);
    case DType::kF16:
      return Cast<kFrom, DType::kF16>(in, count, out);
    default:
      return Cast<kFrom, DType::kF32>(in, count, out);
  }
}

void CastLanes(DType from, const std::byte* in, DType to, std::byte* out, size_t count) {
  switch (from) {
    case DType::kBF16:
      return CastFrom<DType::kBF16>(in, to, out, count);
    case DType::kF16:
      return CastFrom<DType::kF16>(in, to, out, count);
    default:
      return CastFrom<DType::kF32>(in, to, out, count);
  }
}

template <typename T>
bool AnyAllSet(const std::byte* data, size_t count, T mask) {
  const hn::CappedTag<T, 32 / sizeof(T)> d;
  const size_t lanes = hn::Lanes(d);
  const auto* words = reinterpret_cast<const T*>(data);
  const auto masks = hn::Set(d, mask);
  auto largest = hn::Zero(d);  // of the masked words; none is above the mask
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    largest = hn::Max(largest, hn::And(hn::LoadU(d, words + i), masks));
  }
  if (i < count) {
    alignas(32) T tail[32 / sizeof(T)] = {};
    std::memcpy(tail, data + i * sizeof(T), (count - i) * sizeof(T));
    largest = hn::Max(largest, hn::And(hn::Load(d, tail), masks));
  }
  return !hn::AllFalse(d, hn::Eq(largest, masks));
}

bool AnyAllSetLanes(const std::byte* data, size_t count, size_t bytes, uint64_t mask) {
  switch (bytes) {
    case 1:
      return AnyAllSet(data, count, static_cast<uint8_t>(mask));
    case 2:
      return AnyAllSet(data, count, static_cast<uint16_t>(mask));
    case 4:
      return AnyAllSet(data, count, static_cast<uint32_t>(mask));
    default:
      return AnyAllSet(data, count, mask);
  }
}

#endif
}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lbrx {

void CastFloats(DType from, const std::byte* in, DType to, std::byte* out, size_t count) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(CastFloatsReference, CastLanes);
  kTable.Get()(from, in, to, out, count);
}

bool AnyAllSet(const std::byte* data, size_t count, size_t bytes, uint64_t mask) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(AnyAllSetReference, AnyAllSetLanes);
  return kTable.Get()(data, count, bytes, mask);
}

}  // namespace lbrx
#endif
