// Blocks side by side: lane b of every vector belongs to block b of a batch, so that sums run in
// the order of the scalar reference without work across lanes. For files compiled per target
// (core/base/simd.h); vectors of any length.
#if defined(LBRX_GGML_LANES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef LBRX_GGML_LANES_INL_H
#undef LBRX_GGML_LANES_INL_H
#else
#define LBRX_GGML_LANES_INL_H
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

#include "core/base/simd.h"
#include "hwy/highway.h"
#include "quant/schemes/ggml/block.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
#if LBRX_SIMD

namespace hn = hwy::HWY_NAMESPACE;

using LaneTag = hn::ScalableTag<float>;
using LaneIntTag = hn::RebindToSigned<LaneTag>;
using LaneVec = hn::Vec<LaneTag>;
using LaneIntVec = hn::Vec<LaneIntTag>;
using LaneMask = hn::Mask<LaneTag>;

inline constexpr size_t kLanes = hn::MaxLanes(LaneTag());

// As many blocks as there are lanes. Where a job has fewer the last one is repeated.
struct Batch {
  const float* values[kLanes];
  const float* importance[kLanes];     // of the block's columns, where the job has one
  HWY_ALIGN float row_square[kLanes];  // of its row, where that is known
  bool weighted;
  size_t count;
  std::byte* out;
};

// encode(batch) writes the blocks of `count` lanes. `row_squares`: of the job's rows, or nullptr.
template <size_t kElements, size_t kBytes, typename Encode>
HWY_INLINE void EncodeInBatches(const EncodeJob& job, const float* row_squares,
                                const Encode& encode) {
  const auto* values = reinterpret_cast<const float*>(job.values);
  const uint64_t blocks = job.elements / kElements;
  Batch batch{};
  batch.weighted = job.importance != nullptr;
  for (uint64_t first = 0; first < blocks; first += kLanes) {
    batch.count = blocks - first < kLanes ? blocks - first : kLanes;
    batch.out = job.planes[0] + first * kBytes;
    for (size_t b = 0; b < kLanes; ++b) {
      const uint64_t at = (first + (b < batch.count ? b : batch.count - 1)) * kElements;
      batch.values[b] = values + at;
      if (batch.weighted) {
        batch.importance[b] = job.importance + at % job.columns;
        batch.row_square[b] = row_squares == nullptr ? 0 : row_squares[at / job.columns];
      }
    }
    encode(batch);
  }
}

HWY_INLINE LaneVec LoadLanes(const float* lanes, size_t i) {
  return hn::Load(LaneTag(), lanes + i * kLanes);
}

HWY_INLINE void StoreLanes(LaneVec value, float* lanes, size_t i) {
  hn::Store(value, LaneTag(), lanes + i * kLanes);
}

// Four rows of four become columns, `stride` apart.
HWY_INLINE void TransposeFour(const float* a, const float* b, const float* c, const float* d,
                              float* out, size_t stride) {
  const hn::Full128<float> tag;
  const hn::Full128<double> pairs;
  const auto row_a = hn::LoadU(tag, a);
  const auto row_b = hn::LoadU(tag, b);
  const auto row_c = hn::LoadU(tag, c);
  const auto row_d = hn::LoadU(tag, d);
  const auto ab_low = hn::BitCast(pairs, hn::InterleaveLower(tag, row_a, row_b));
  const auto ab_high = hn::BitCast(pairs, hn::InterleaveUpper(tag, row_a, row_b));
  const auto cd_low = hn::BitCast(pairs, hn::InterleaveLower(tag, row_c, row_d));
  const auto cd_high = hn::BitCast(pairs, hn::InterleaveUpper(tag, row_c, row_d));
  const auto store = [&](size_t i, auto column)
                         HWY_ATTR { hn::StoreU(hn::BitCast(tag, column), tag, out + i * stride); };
  store(0, hn::InterleaveLower(pairs, ab_low, cd_low));
  store(1, hn::InterleaveUpper(pairs, ab_low, cd_low));
  store(2, hn::InterleaveLower(pairs, ab_high, cd_high));
  store(3, hn::InterleaveUpper(pairs, ab_high, cd_high));
}

// Value i of all blocks side by side, for `n` values of each.
HWY_INLINE void ToLanes(const float* const* blocks, size_t n, float* lanes) {
  for (size_t block = 0; block < kLanes; block += 4) {
    const float* a = blocks[block];
    const float* b = blocks[block + 1];
    const float* c = blocks[block + 2];
    const float* d = blocks[block + 3];
    for (size_t i = 0; i < n; i += 4) {
      TransposeFour(a + i, b + i, c + i, d + i, lanes + i * kLanes + block, kLanes);
    }
  }
}

// Bytes of blocks: four neighbours of a block are in one lane.
template <size_t kWords>
struct CodeWords {
  HWY_ALIGN float words[kWords * kLanes];
  HWY_ALIGN float blocks[kLanes * kWords];

  // Whole numbers from 0 to 255.
  HWY_INLINE void Set(size_t i, LaneVec first, LaneVec second, LaneVec third, LaneVec fourth) {
    const LaneTag d;
    const LaneIntTag di;
    const LaneVec byte = hn::Set(d, 256.0F);
    const LaneVec integers = hn::Set(d, 0x1p23F);  // their bits end with what is added
    const auto low = hn::Add(hn::Add(first, hn::Mul(second, byte)), integers);
    const auto high = hn::Add(hn::Add(third, hn::Mul(fourth, byte)), integers);
    const auto lower_half = hn::And(hn::BitCast(di, low), hn::Set(di, 0xFFFF));
    const auto word = hn::Or(lower_half, hn::ShiftLeft<16>(hn::BitCast(di, high)));
    StoreLanes(hn::BitCast(d, word), words, i / 4);
  }

  // After all were set.
  HWY_INLINE void ToBlocks() {
    for (size_t b = 0; b < kLanes; b += 4) {
      for (size_t i = 0; i < kWords; i += 4) {
        const float* in = words + i * kLanes + b;
        TransposeFour(in, in + kLanes, in + 2 * kLanes, in + 3 * kLanes, blocks + b * kWords + i,
                      kWords);
      }
    }
  }

  HWY_INLINE void Copy(size_t b, uint8_t (&out)[4 * kWords]) const {
    std::memcpy(out, blocks + b * kWords, sizeof(out));
  }

  HWY_INLINE const uint8_t* Of(size_t b) const {
    return reinterpret_cast<const uint8_t*>(blocks + b * kWords);
  }
};

// byte(i) gives byte i of all lanes.
template <size_t kWords, typename Byte>
HWY_INLINE void SetBytes(CodeWords<kWords>& words, const Byte& byte) {
  for (size_t i = 0; i < 4 * kWords; i += 4) {
    words.Set(i, byte(i), byte(i + 1), byte(i + 2), byte(i + 3));
  }
  words.ToBlocks();
}

// a + factor * b
HWY_INLINE LaneVec PlusTimes(LaneVec a, float factor, LaneVec b) {
  return hn::Add(a, hn::Mul(hn::Set(LaneTag(), factor), b));
}

// Codes of which `top` and more have their upper bit set.
struct SplitCodes {
  const float* codes;
  float top;

  HWY_INLINE LaneVec Upper(size_t i) const {
    const LaneTag d;
    const auto above = hn::Ge(LoadLanes(codes, i), hn::Set(d, top));
    return hn::IfThenElseZero(above, hn::Set(d, 1.0F));
  }

  HWY_INLINE LaneVec Lower(size_t i) const {
    return hn::Sub(LoadLanes(codes, i), hn::Mul(Upper(i), hn::Set(LaneTag(), top)));
  }
};

// Writes a batch's blocks: fill(b, block) fills one; odd ones are left to the reference.
template <typename Format, typename Fill>
HWY_INLINE void WriteBatch(const Batch& batch, LaneMask odd, const Fill& fill) {
  HWY_ALIGN float marks[kLanes];
  hn::Store(hn::IfThenElseZero(odd, hn::Set(LaneTag(), 1.0F)), LaneTag(), marks);
  for (size_t b = 0; b < batch.count; ++b) {
    using Block = typename Format::Block;
    // In place: a copy would wait for the parts that were just written.
    auto* block = new (batch.out + b * sizeof(Block)) Block{};
    if (marks[b] != 0) {
      Format::Encode(batch.values[b], {batch.importance[b], batch.row_square[b]}, *block);
    } else {
      fill(b, *block);
    }
  }
}

// As ggml::Half holds them.
HWY_INLINE void StoreHalves(LaneVec value, ggml::Half* halves) {
  const hn::Rebind<hwy::float16_t, LaneTag> d;
  hn::StoreU(hn::DemoteTo(d, value), d, reinterpret_cast<hwy::float16_t*>(halves));
}

HWY_INLINE LaneMask NoLanes() {
  return hn::FirstN(LaneTag(), 0);
}

// ggml::Nearest within limits, for any number.
HWY_INLINE LaneVec NearestWithinLanes(LaneVec value, int least, int most) {
  const LaneIntTag d;
  const auto bits = hn::BitCast(d, hn::Add(value, hn::Set(LaneTag(), 0x1.8p23F)));
  const auto integer = hn::Sub(hn::And(bits, hn::Set(d, 0x7FFFFF)), hn::Set(d, 0x400000));
  const auto limited = hn::Max(hn::Set(d, least), hn::Min(hn::Set(d, most), integer));
  return hn::ConvertTo(LaneTag(), limited);
}

// ggml::ImportanceWeights for values from `first` on.
HWY_INLINE void ImportanceLanes(const float* x, const float* importance, LaneVec spread, size_t n,
                                float* weights) {
  for (size_t i = 0; i < n; ++i) {
    const LaneVec value = LoadLanes(x, i);
    const LaneVec size = hn::Sqrt(hn::Add(spread, hn::Mul(value, value)));
    StoreLanes(hn::Mul(LoadLanes(importance, i), size), weights, i);
  }
}

HWY_INLINE LaneVec SumLanes(const float* x, size_t n) {
  LaneVec sum = hn::Zero(LaneTag());
  for (size_t i = 0; i < n; ++i) {
    sum = hn::Add(sum, LoadLanes(x, i));
  }
  return sum;
}

HWY_INLINE LaneVec SumOfSquaresLanes(const float* x, size_t n) {
  LaneVec sum = hn::Zero(LaneTag());
  for (size_t i = 0; i < n; ++i) {
    const LaneVec value = LoadLanes(x, i);
    sum = hn::Add(sum, hn::Mul(value, value));
  }
  return sum;
}

#endif
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
