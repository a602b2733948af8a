// Decoding of the floating modes on vectors: a chunk's codes as bytes, their elements as BF16, then
// values, rounded as in microscale.cc.
#include "core/base/simd.h"
#include "quant/schemes/microscale.h"
#include "quant/schemes/through_floats.h"
#include "quant/schemes/with_type.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "quant/schemes/microscale_decode_simd.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After foreach_target.h.
#include "core/tensor/float_lanes-inl.h"
#include "quant/schemes/codes-inl.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
namespace {
#if LBRX_SIMD

constexpr size_t kChunkGroups = 64;
constexpr size_t kMaxGroup = 32;
constexpr size_t kMaxChunk = kChunkGroups * kMaxGroup;

// BF16 patterns of the 16 E2M1 codes, by their bytes, and of the subnormal E4M3 codes.
alignas(16) constexpr uint8_t kE2M1Low[16] = {0, 0, 0x80, 0xC0, 0, 0x40, 0x80, 0xC0,
                                              0, 0, 0x80, 0xC0, 0, 0x40, 0x80, 0xC0};
alignas(16) constexpr uint8_t kE2M1High[16] = {0,    0x3F, 0x3F, 0x3F, 0x40, 0x40, 0x40, 0x40,
                                               0x80, 0xBF, 0xBF, 0xBF, 0xC0, 0xC0, 0xC0, 0xC0};
alignas(16) constexpr uint16_t kE4M3Small[8] = {0,      0x3B00, 0x3B80, 0x3BC0,
                                                0x3C00, 0x3C20, 0x3C40, 0x3C60};

// The elements as BF16, which holds them all exactly. `count` is a multiple of 16.
HWY_INLINE void ElementsOfE2M1(const uint8_t* codes, size_t count, uint16_t* elements) {
  const hn::Full128<uint8_t> d;
  const hn::Full128<uint16_t> d16;
  const auto low = hn::Load(d, kE2M1Low);
  const auto high = hn::Load(d, kE2M1High);
  for (size_t i = 0; i < count; i += 16) {
    const auto code = hn::LoadU(d, codes + i);
    const auto a = hn::TableLookupBytes(low, code);
    const auto b = hn::TableLookupBytes(high, code);
    hn::StoreU(hn::BitCast(d16, hn::InterleaveLower(d, a, b)), d16, elements + i);
    hn::StoreU(hn::BitCast(d16, hn::InterleaveUpper(d, a, b)), d16, elements + i + 8);
  }
}

HWY_INLINE void ElementsOfE4M3(const uint8_t* codes, size_t count, uint16_t* elements) {
  const hn::CappedTag<uint16_t, 16> d;
  const hn::Rebind<uint8_t, decltype(d)> d8;
  const hn::Repartition<uint8_t, decltype(d)> bytes;
  const auto small_table = hn::LoadDup128(d, kE4M3Small);
  for (size_t i = 0; i < count; i += hn::Lanes(d)) {
    const auto code = hn::PromoteTo(d, hn::LoadU(d8, codes + i));
    const auto magnitude = hn::And(code, hn::Set(d, 0x7F));
    const auto sign = hn::ShiftLeft<8>(hn::And(code, hn::Set(d, 0x80)));
    const auto normal = hn::Add(hn::ShiftLeft<4>(magnitude), hn::Set(d, 120 << 7));
    // Byte numbers of entry m: 2 m and 2 m + 1.
    const auto entry = hn::Mul(hn::And(magnitude, hn::Set(d, 7)), hn::Set(d, 0x0202));
    const auto at = hn::BitCast(bytes, hn::Add(entry, hn::Set(d, 0x0100)));
    const auto small = hn::BitCast(d, hn::TableLookupBytes(hn::BitCast(bytes, small_table), at));
    auto value = hn::IfThenElse(hn::Lt(magnitude, hn::Set(d, 8)), small, normal);
    value = hn::IfThenElse(hn::Eq(magnitude, hn::Set(d, 0x7F)), hn::Set(d, 0x7FC0), value);
    hn::StoreU(hn::Or(value, sign), d, elements + i);
  }
}

// `groups` of at most kChunkGroups. Reads kPackSlack bytes beyond the codes.
template <DType kType, DType kOut>
void DecodeChunk(const Encoding& encoding, const ConstPlanePointers<2>& planes, size_t groups,
                 const float* scale_values, std::byte* values) {
  const FloatTag d;
  const size_t group = encoding.group;
  const size_t count = groups * group;
  alignas(32) uint8_t codes[kMaxChunk];
  alignas(32) uint16_t elements[kMaxChunk];
  Unpack(encoding.bits, planes[0], count, codes);
  if (encoding.bits == 8) {
    ElementsOfE4M3(codes, count, elements);
  } else {
    ElementsOfE2M1(codes, count, elements);
  }
  for (size_t g = 0; g < groups; ++g) {
    const FloatVec scale = hn::Set(d, scale_values[static_cast<uint8_t>(planes[1][g])]);
    for (size_t i = g * group; i < (g + 1) * group; i += 2 * kFloatLanes) {
      FloatVec even;
      FloatVec odd;
      ReadLanePair<DType::kBF16>(reinterpret_cast<const std::byte*>(elements), i, even, odd);
      even = hn::Mul(even, scale);
      odd = hn::Mul(odd, scale);
      if constexpr (kOut != kType) {
        even = RoundLanes<kType>(even);
        odd = RoundLanes<kType>(odd);
      }
      WriteLanePair<kOut>(even, odd, values, i);
    }
  }
}

void Decode(const DecodeJob& job) {
  const float* scale_values = MicroscaleValues(job.encoding);
  WithTypes(job, [&](auto type, auto out) {
    DecodeChunks<kChunkGroups, kMaxGroup, 2>(
        job, [&](const ConstPlanePointers<2>& planes, size_t groups, std::byte* values) {
          DecodeChunk<type, out>(job.encoding, planes, groups, scale_values, values);
        });
  });
}

#endif
}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lbrx {

void DecodeMicroscale(const DecodeJob& job) {
  if (job.dtype != job.encoding.dtype && job.dtype != DType::kF32) {
    return DecodeThroughFloats(job, DecodeMicroscale);
  }
  static constexpr auto kTable = LBRX_SIMD_TABLE(DecodeMicroscaleReference, Decode);
  kTable.Get()(job);
}

}  // namespace lbrx
#endif
