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

// Rows of four become columns of four.
HWY_INLINE void TransposeFour(const float* const* in, size_t from, float* const* out, size_t to) {
  const hn::Full128<float> d;
  const hn::Full128<double> pairs;
  const auto a = hn::LoadU(d, in[0] + from);
  const auto b = hn::LoadU(d, in[1] + from);
  const auto c = hn::LoadU(d, in[2] + from);
  const auto e = hn::LoadU(d, in[3] + from);
  const auto ab_low = hn::BitCast(pairs, hn::InterleaveLower(d, a, b));
  const auto ab_high = hn::BitCast(pairs, hn::InterleaveUpper(d, a, b));
  const auto ce_low = hn::BitCast(pairs, hn::InterleaveLower(d, c, e));
  const auto ce_high = hn::BitCast(pairs, hn::InterleaveUpper(d, c, e));
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, ab_low, ce_low)), d, out[0] + to);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, ab_low, ce_low)), d, out[1] + to);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, ab_high, ce_high)), d, out[2] + to);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, ab_high, ce_high)), d, out[3] + to);
}

// Value i of all blocks side by side, for `n` values of each.
HWY_INLINE void ToLanes(const float* const* blocks, size_t n, float* lanes) {
  for (size_t i = 0; i < n; i += 4) {
    float* rows[4];
    for (size_t k = 0; k < 4; ++k) {
      rows[k] = lanes + (i + k) * kLanes;
    }
    for (size_t b = 0; b < kLanes; b += 4) {
      TransposeFour(blocks + b, i, rows, b);
    }
  }
}

// Codes of blocks: four neighbours of a block are bytes of one lane.
template <size_t kWords>
struct CodeWords {
  HWY_ALIGN float words[kWords * kLanes];
  HWY_ALIGN float blocks[kLanes][kWords];

  HWY_INLINE void Set(size_t i, LaneIntVec first, LaneIntVec second, LaneIntVec third,
                      LaneIntVec fourth) {
    const auto low = hn::Or(first, hn::ShiftLeft<8>(second));
    const auto high = hn::Or(hn::ShiftLeft<16>(third), hn::ShiftLeft<24>(fourth));
    StoreLanes(hn::BitCast(LaneTag(), hn::Or(low, high)), words, i / 4);
  }

  // After all were set.
  HWY_INLINE void ToBlocks() {
    for (size_t b = 0; b < kLanes; b += 4) {
      float* out[4];
      for (size_t k = 0; k < 4; ++k) {
        out[k] = blocks[b + k];
      }
      for (size_t i = 0; i < kWords; i += 4) {
        const float* in[4];
        for (size_t k = 0; k < 4; ++k) {
          in[k] = words + (i + k) * kLanes;
        }
        TransposeFour(in, b, out, i);
      }
    }
  }

  template <typename Code>
  HWY_INLINE const Code* Of(size_t b) const {
    return reinterpret_cast<const Code*>(blocks[b]);
  }
};

// Writes a batch's blocks, of which odd ones are left to the reference.
template <typename Format>
HWY_INLINE void WriteBatch(const Batch& batch, LaneMask odd, typename Format::Block* blocks) {
  using Block = typename Format::Block;
  if (!hn::AllFalse(LaneTag(), odd)) {
    HWY_ALIGN float marks[kLanes];
    hn::Store(hn::IfThenElseZero(odd, hn::Set(LaneTag(), 1.0F)), LaneTag(), marks);
    for (size_t b = 0; b < batch.count; ++b) {
      if (marks[b] != 0) {
        blocks[b] = Block{};
        Format::Encode(batch.values[b], {batch.importance[b], batch.row_square[b]}, blocks[b]);
      }
    }
  }
  std::memcpy(batch.out, blocks, batch.count * sizeof(Block));
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
