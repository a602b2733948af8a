// Searches for magnitudes, on vectors of eight floats.
#include "core/base/simd.h"
#include "merge/rank_select_ops.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "merge/rank_select_simd.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After foreach_target.h.
#include "core/tensor/float_lanes-inl.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
namespace {
#if LBRX_SIMD

size_t Collect(const float* values, size_t count, uint32_t upper, uint32_t* out) {
  const BitsTag d;
  const BitsVec wanted = hn::Set(d, upper << 16);
  const BitsVec upper_bits = hn::Set(d, 0x7FFF0000);
  const BitsVec lower_bits = hn::Set(d, 0xFFFF);
  uint32_t lower[8];
  size_t found = 0;
  size_t i = 0;
  for (; i + kFloatLanes <= count; i += kFloatLanes) {
    const BitsVec bits = hn::BitCast(d, hn::LoadU(FloatTag(), values + i));
    const auto match = hn::Eq(hn::And(bits, upper_bits), wanted);
    if (hn::AllFalse(d, match)) {
      continue;
    }
    hn::StoreU(hn::And(bits, lower_bits), d, lower);
    // Bit by bit: matches are few, and Highway's Compress is slow here.
    uint8_t lanes[8] = {};
    hn::StoreMaskBits(d, match, lanes);
    for (unsigned left = lanes[0]; left != 0; left &= left - 1) {
      out[found++] = lower[__builtin_ctz(left)];
    }
  }
  return found + CollectLowerReference(values + i, count - i, upper, out + found);
}

uint64_t CountMagnitudes(const float* values, size_t count, uint32_t bits) {
  const BitsTag d;
  const BitsVec wanted = hn::Set(d, bits);
  const BitsVec without_sign = hn::Set(d, 0x7FFFFFFF);
  uint64_t found = 0;
  size_t i = 0;
  for (; i + kFloatLanes <= count; i += kFloatLanes) {
    const BitsVec value = hn::BitCast(d, hn::LoadU(FloatTag(), values + i));
    found += hn::CountTrue(d, hn::Eq(hn::And(value, without_sign), wanted));
  }
  return found + CountMagnitudeReference(values + i, count - i, bits);
}

#endif
}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lbrx {

size_t CollectLower(const float* values, size_t count, uint32_t upper, uint32_t* out) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(CollectLowerReference, Collect);
  return kTable.Get()(values, count, upper, out);
}

uint64_t CountMagnitude(const float* values, size_t count, uint32_t bits) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(CountMagnitudeReference, CountMagnitudes);
  return kTable.Get()(values, count, bits);
}

}  // namespace lbrx
#endif
