// Bytes of codes and their packed bit streams (packing.h), and roundings to integers that kernels
// of several schemes share. For files compiled per target (core/base/simd.h).
#if defined(LBRX_CODES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef LBRX_CODES_INL_H
#undef LBRX_CODES_INL_H
#else
#define LBRX_CODES_INL_H
#endif

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/base/simd.h"
#include "core/tensor/float_lanes-inl.h"
#include "hwy/highway.h"
#include "quant/schemes/chunks.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
#if LBRX_SIMD

using CodesTag = hn::CappedTag<uint8_t, 32>;
using CodesVec = hn::Vec<CodesTag>;
inline constexpr size_t kCodeLanes = hn::MaxLanes(CodesTag());

// A mask of the lowest `bits` of each half of a T: of the lower half, or of both.
template <typename T>
constexpr T HalfMask(int bits, bool both) {
  const T low = static_cast<T>((T{1} << bits) - 1);
  return both ? static_cast<T>(low | low << (4 * sizeof(T))) : low;
}

// Lanes of T hold two runs of kBits at the bottom of their halves: brings the upper one down.
template <typename T, int kBits>
HWY_INLINE CodesVec JoinHalves(CodesVec v) {
  const hn::Repartition<T, CodesTag> d;
  constexpr int kShift = 4 * sizeof(T) - kBits;
  constexpr T kLow = HalfMask<T>(kBits, false);
  const auto x = hn::BitCast(d, v);
  const auto down = hn::ShiftRight<kShift>(x);
  const auto upper = hn::And(down, hn::Set(d, static_cast<T>(kLow << kBits)));
  return hn::BitCast(CodesTag(), hn::Or(hn::And(x, hn::Set(d, kLow)), upper));
}

// The reverse; higher bits of the lanes are ignored.
template <typename T, int kBits>
HWY_INLINE CodesVec SplitHalves(CodesVec v) {
  const hn::Repartition<T, CodesTag> d;
  constexpr int kShift = 4 * sizeof(T) - kBits;
  constexpr T kLow = HalfMask<T>(kBits, false);
  const auto x = hn::BitCast(d, v);
  const auto up = hn::ShiftLeft<kShift>(x);
  const auto upper = hn::And(up, hn::Set(d, static_cast<T>(kLow << (4 * sizeof(T)))));
  return hn::BitCast(CodesTag(), hn::Or(hn::And(x, hn::Set(d, kLow)), upper));
}

// Codes that fill whole bytes: as many are joined, byte shuffles do the rest.
template <int kBits>
inline constexpr int kUnit = 2 * kBits % 8 == 0 ? 2 : (4 * kBits % 8 == 0 ? 4 : 8);
template <int kBits>
inline constexpr int kUnitBytes = kUnit<kBits>* kBits / 8;

// Byte positions within 16: the used ones of each unit's lane to the front, or back. 0x80: zero.
template <int kBits>
constexpr std::array<uint8_t, 16> PackOrder() {
  std::array<uint8_t, 16> order{};
  for (int i = 0; i < 16; ++i) {
    const int from = i / kUnitBytes<kBits> * kUnit<kBits> + i % kUnitBytes<kBits>;
    order[i] = static_cast<uint8_t>(i < 2 * kBits ? from : 0x80);
  }
  return order;
}

template <int kBits>
constexpr std::array<uint8_t, 16> UnpackOrder() {
  std::array<uint8_t, 16> order{};
  for (int i = 0; i < 16; ++i) {
    const int byte = i % kUnit<kBits>;
    const int from = i / kUnit<kBits> * kUnitBytes<kBits> + byte;
    order[i] = static_cast<uint8_t>(byte < kUnitBytes<kBits> ? from : 0x80);
  }
  return order;
}

// A vector's one or two 16-byte blocks, from and to places `stride` bytes apart.
template <typename D>
HWY_INLINE hn::Vec<D> LoadBlocks(D d, const uint8_t* in, size_t stride) {
  const hn::Full128<uint8_t> block;
  if constexpr (hn::MaxLanes(D()) == 32) {
    return hn::Combine(d, hn::LoadU(block, in + stride), hn::LoadU(block, in));
  } else {
    return hn::LoadU(d, in);
  }
}

template <typename D>
HWY_INLINE void StoreBlocks(hn::Vec<D> v, D d, size_t stride, uint8_t* out) {
  const hn::Full128<uint8_t> block;
  if constexpr (hn::MaxLanes(D()) == 32) {
    hn::StoreU(hn::LowerHalf(block, v), block, out);
    hn::StoreU(hn::UpperHalf(block, v), block, out + stride);
  } else {
    hn::StoreU(v, d, out);
  }
}

// `count` is a multiple of 32. Writes up to kPackSlack bytes beyond the packed ones.
template <int kBits>
HWY_INLINE void PackBytes(const uint8_t* HWY_RESTRICT codes, size_t count,
                          std::byte* HWY_RESTRICT packed) {
  const CodesTag d;
  alignas(16) static constexpr std::array<uint8_t, 16> kOrder = PackOrder<kBits>();
  const CodesVec order = hn::LoadDup128(d, kOrder.data());
  auto* out = reinterpret_cast<uint8_t*>(packed);
  for (size_t i = 0; i < count; i += kCodeLanes) {
    CodesVec v = JoinHalves<uint16_t, kBits>(hn::LoadU(d, codes + i));
    if constexpr (kUnit < kBits >> 2) {
      v = JoinHalves<uint32_t, 2 * kBits>(v);
    }
    if constexpr (kUnit < kBits >> 4) {
      v = JoinHalves<uint64_t, 4 * kBits>(v);
    }
    StoreBlocks(hn::TableLookupBytesOr0(v, order), d, 2 * kBits, out);
    out += kCodeLanes / 8 * kBits;
  }
}

// `count` is a multiple of 32. Reads up to kPackSlack bytes beyond the packed ones.
template <int kBits>
HWY_INLINE void UnpackBytes(const std::byte* HWY_RESTRICT packed, size_t count,
                            uint8_t* HWY_RESTRICT codes) {
  const CodesTag d;
  alignas(16) static constexpr std::array<uint8_t, 16> kOrder = UnpackOrder<kBits>();
  const CodesVec order = hn::LoadDup128(d, kOrder.data());
  const auto* in = reinterpret_cast<const uint8_t*>(packed);
  for (size_t i = 0; i < count; i += kCodeLanes) {
    CodesVec v = hn::TableLookupBytesOr0(LoadBlocks(d, in, 2 * kBits), order);
    if constexpr (kUnit < kBits >> 4) {
      v = SplitHalves<uint64_t, 4 * kBits>(v);
    }
    if constexpr (kUnit < kBits >> 2) {
      v = SplitHalves<uint32_t, 2 * kBits>(v);
    }
    hn::StoreU(SplitHalves<uint16_t, kBits>(v), d, codes + i);
    in += kCodeLanes / 8 * kBits;
  }
}

template <>
HWY_INLINE void PackBytes<8>(const uint8_t* HWY_RESTRICT codes, size_t count,
                             std::byte* HWY_RESTRICT packed) {
  std::memcpy(packed, codes, count);
}

template <>
HWY_INLINE void UnpackBytes<8>(const std::byte* HWY_RESTRICT packed, size_t count,
                               uint8_t* HWY_RESTRICT codes) {
  std::memcpy(codes, packed, count);
}

// By width; see PackBytes and UnpackBytes.
HWY_INLINE void Pack(int bits, const uint8_t* codes, size_t count, std::byte* packed) {
  switch (bits) {
    case 1:
      return PackBytes<1>(codes, count, packed);
    case 2:
      return PackBytes<2>(codes, count, packed);
    case 3:
      return PackBytes<3>(codes, count, packed);
    case 4:
      return PackBytes<4>(codes, count, packed);
    case 5:
      return PackBytes<5>(codes, count, packed);
    case 6:
      return PackBytes<6>(codes, count, packed);
    default:
      return PackBytes<8>(codes, count, packed);
  }
}

HWY_INLINE void Unpack(int bits, const std::byte* packed, size_t count, uint8_t* codes) {
  switch (bits) {
    case 1:
      return UnpackBytes<1>(packed, count, codes);
    case 2:
      return UnpackBytes<2>(packed, count, codes);
    case 3:
      return UnpackBytes<3>(packed, count, codes);
    case 4:
      return UnpackBytes<4>(packed, count, codes);
    case 5:
      return UnpackBytes<5>(packed, count, codes);
    case 6:
      return UnpackBytes<6>(packed, count, codes);
    default:
      return UnpackBytes<8>(packed, count, codes);
  }
}

// Two vectors of integers, in the order of ReadLanePair, as bytes in order; saturated to 0..255.
HWY_INLINE void StoreBytes(IntVec even, IntVec odd, uint8_t* out) {
  const hn::Repartition<int16_t, IntTag> d16;
  const hn::Rebind<uint8_t, decltype(d16)> d8;
  hn::StoreU(hn::DemoteTo(d8, hn::ReorderDemote2To(d16, even, odd)), d8, out);
}

// The reverse: bytes to vectors in the order of ReadLanePair.
HWY_INLINE void LoadBytes(const uint8_t* in, IntVec& even, IntVec& odd) {
  const hn::Repartition<uint16_t, IntTag> d16;
  const hn::Rebind<uint8_t, decltype(d16)> d8;
  const auto wide = hn::PromoteTo(d16, hn::LoadU(d8, in));
  const auto zero = hn::Zero(d16);
  even = hn::BitCast(IntTag(), hn::InterleaveLower(d16, wide, zero));
  odd = hn::BitCast(IntTag(), hn::InterleaveUpper(d16, wide, zero));
}

// Float to integer. Highway repairs values beyond int32, which codes never are, at the price of
// three instructions. NaN: anything that is not positive.
HWY_INLINE IntVec TruncateToInt(FloatVec v) {
#if HWY_ARCH_X86
  return IntVec{_mm256_cvttps_epi32(v.raw)};
#else
  return hn::ConvertTo(IntTag(), v);
#endif
}

HWY_INLINE IntVec NearestEvenInt(FloatVec v) {
#if HWY_ARCH_X86
  return IntVec{_mm256_cvtps_epi32(v.raw)};
#else
  return hn::NearestInt(v);
#endif
}

struct MinOf {
  template <typename V>
  HWY_INLINE V operator()(V a, V b) const {
    return hn::Min(a, b);
  }
};

struct MaxOf {
  template <typename V>
  HWY_INLINE V operator()(V a, V b) const {
    return hn::Max(a, b);
  }
};

template <typename Op, typename V>
HWY_INLINE V MergePair(V a, V b) {
  const hn::DFromV<V> d;
  return Op()(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b));
}

// Reduces 128-bit vectors by MinOf or MaxOf, all at once: lane g of the result is the least (or
// greatest) lane of v[g]. Eight vectors of 16-bit lanes, four of 32-bit lanes.
template <typename Op, typename V>
HWY_INLINE V MergeBlocks(const V* v) {
  if constexpr (sizeof(hn::TFromV<V>) == 2) {
    const V even = MergePair<Op>(MergePair<Op>(v[0], v[4]), MergePair<Op>(v[2], v[6]));
    const V odd = MergePair<Op>(MergePair<Op>(v[1], v[5]), MergePair<Op>(v[3], v[7]));
    return MergePair<Op>(even, odd);
  } else {
    return MergePair<Op>(MergePair<Op>(v[0], v[2]), MergePair<Op>(v[1], v[3]));
  }
}

// The two 128-bit halves of a vector, reduced to one; on 128 bits the vector itself.
template <typename Op, typename V>
HWY_INLINE auto FoldBlocks(V v) {
  if constexpr (hn::MaxLanes(hn::DFromV<V>()) * sizeof(hn::TFromV<V>) == 32) {
    const hn::Half<hn::DFromV<V>> half;
    return Op()(hn::LowerHalf(half, v), hn::UpperHalf(half, v));
  } else {
    return v;
  }
}

#endif
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
