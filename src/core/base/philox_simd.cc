// Philox on vectors: a block in each lane.
#include "core/base/philox.h"
#include "core/base/simd.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/base/philox_simd.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
namespace {
#if LBRX_SIMD

namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::CappedTag<uint32_t, 8>;
using Vec = hn::Vec<Tag>;

// Upper and lower halves of the products of all lanes.
HWY_INLINE void Multiply(Vec a, Vec b, Vec& upper, Vec& lower) {
  const Tag d;
  const hn::RepartitionToWide<Tag> wide;
  const auto even = hn::MulEven(a, b);
  const auto odd = hn::MulEven(hn::BitCast(d, hn::ShiftRight<32>(hn::BitCast(wide, a))), b);
  upper = hn::OddEven(hn::BitCast(d, odd), hn::BitCast(d, hn::ShiftRight<32>(even)));
  lower = hn::OddEven(hn::BitCast(d, hn::ShiftLeft<32>(odd)), hn::BitCast(d, even));
}

void Fill(PhiloxKey key, uint32_t stream, uint64_t group, size_t groups, uint32_t* out) {
  const Tag d;
  const size_t lanes = hn::Lanes(d);
  const Vec first_factor = hn::Set(d, 0xD2511F53);  // in all lanes: Multiply wants even ones only
  const Vec second_factor = hn::Set(d, 0xCD9E8D57);
  for (size_t g = 0; g < groups; ++g, out += kPhiloxGroup) {
    const uint64_t block = 8 * (group + g);
    for (size_t lane = 0; lane < 8; lane += lanes) {
      // The lower half ends in three zero bits: no carry.
      Vec c0 = hn::Iota(d, static_cast<uint32_t>(block + lane));
      Vec c1 = hn::Set(d, static_cast<uint32_t>(block >> 32));
      Vec c2 = hn::Set(d, stream);
      Vec c3 = hn::Zero(d);
      uint32_t k0 = key[0];
      uint32_t k1 = key[1];
      HWY_UNROLL(10)
      for (int round = 0; round < 10; ++round) {
        Vec upper0;
        Vec lower0;
        Vec upper1;
        Vec lower1;
        Multiply(c0, first_factor, upper0, lower0);
        Multiply(c2, second_factor, upper1, lower1);
        c0 = hn::Xor(hn::Xor(upper1, c1), hn::Set(d, k0));
        c1 = lower1;
        c2 = hn::Xor(hn::Xor(upper0, c3), hn::Set(d, k1));
        c3 = lower0;
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
      }
      hn::StoreU(c0, d, out + lane);
      hn::StoreU(c1, d, out + 8 + lane);
      hn::StoreU(c2, d, out + 16 + lane);
      hn::StoreU(c3, d, out + 24 + lane);
    }
  }
}

#endif
}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lbrx {

void FillPhilox(PhiloxKey key, uint32_t stream, uint64_t group, size_t groups, uint32_t* out) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(FillPhiloxReference, Fill);
  kTable.Get()(key, stream, group, groups, out);
}

}  // namespace lbrx
#endif
