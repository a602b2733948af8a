// From MLX's planes to GGUF's blocks.
#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/checked.h"
#include "core/base/error.h"
#include "core/base/format.h"
#include "core/tensor/ggml_types.h"
#include "quant/recode.h"
#include "quant/recode_formats.h"
#include "quant/schemes/with_type.h"

namespace lbrx {
namespace {

template <DType kType>
float LoadFloat(const std::byte* values, uint64_t i) {
  if constexpr (kType == DType::kF32) {
    return std::bit_cast<float>(static_cast<uint32_t>(LoadBytes<4>(values + 4 * i)));
  } else {
    const auto bits = static_cast<uint16_t>(LoadBytes<2>(values + 2 * i));
    return kType == DType::kF16 ? scalar::F16ToFloat(bits) : scalar::BF16ToFloat(bits);
  }
}

// Whether a number read from kType is one of F16's.
template <DType kType>
bool FitsHalf(float value) {
  return std::fabs(value) <= 65504.0F &&
         (kType == DType::kF16 || scalar::F16ToFloat(scalar::FloatToF16(value)) == value);
}

// Whether a block's scale is MLX's bias, negated: where MLX's scale is more than that.
template <typename Format>
constexpr bool kFromBias = ggml::kAffineRule<Format>.scale > 0;

template <typename Format, DType kType>
bool Holds(float scale, float bias) {
  if constexpr (ggml::kHasMinimum<Format>) {
    return FitsHalf<kType>(scale) && FitsHalf<kType>(bias);
  } else {
    constexpr ggml::AffineRule kRule = ggml::kAffineRule<Format>;
    const float d = kFromBias<Format> ? -bias : scale;
    return FitsHalf<kType>(d) && scale == d * float{1 << kRule.scale} &&
           bias == d * -float{1 << kRule.bias};
  }
}

using HoldsFunction = bool (*)(const Encoding& mlx, const std::byte* scales,
                               const std::byte* biases, uint64_t groups);

template <typename Format>
bool HoldsAffine(const Encoding& mlx, const std::byte* scales, const std::byte* biases,
                 uint64_t groups) {
  bool holds = true;
  WithType(mlx.dtype, [&](auto type) {
    for (uint64_t g = 0; holds && g < groups; ++g) {
      holds = Holds<Format, type>(LoadFloat<type>(scales, g), LoadFloat<type>(biases, g));
    }
  });
  return holds;
}

// MLX takes 255 for infinity, GGML does not.
bool HoldsExponents(const Encoding& /*mlx*/, const std::byte* scales, const std::byte* /*biases*/,
                    uint64_t groups) {
  return std::find(scales, scales + groups, std::byte{255}) == scales + groups;
}

// GGML leaves signs aside and takes NaN for 0.
bool HoldsSmallScales(const Encoding& /*mlx*/, const std::byte* scales, const std::byte* /*biases*/,
                      uint64_t groups) {
  return std::all_of(scales, scales + groups, [](std::byte b) { return b < std::byte{0x7F}; });
}

template <typename Format, int kBits>
void PutCodes(const std::byte* in, typename Format::Block& block) {
  using Codes = ggml::BlockCodes<Format>;
  if constexpr (Codes::kInOrder) {
    static_assert(kBits == Codes::kBits);
    std::memcpy(Codes::Bytes(block), in, Format::kElements / 8 * kBits);
  } else {
    uint64_t words[Format::kElements / 8];
    for (size_t i = 0; i < Format::kElements / 8; ++i) {
      words[i] = SplitCodes<kBits>(LoadBytes<kBits>(in + i * kBits));
    }
    Codes::Store(words, block);
  }
}

// Calls `put(block, group)` for each block; groups are counted from the first block's.
template <typename Format, int kBits, typename Function>
void MakeBlocks(const BlockJob& job, Function put) {
  const std::byte* codes = job.planes[0];
  auto* block = reinterpret_cast<typename Format::Block*>(job.blocks);  // which are bytes only
  const auto* end = block + job.count;
  const int group_shift = std::countr_zero(job.mlx.group);
  for (uint64_t element = job.skip; block != end; element += Format::kElements) {
    PutCodes<Format, kBits>(codes, *block);
    put(*block, element >> group_shift);
    codes += Format::kElements / 8 * kBits;
    ++block;
  }
}

template <DType kType>
ggml::Half LoadHalf(const std::byte* values, uint64_t i) {
  ggml::Half half;
  if constexpr (kType == DType::kF16) {
    std::memcpy(&half, values + i * sizeof(half), sizeof(half));
  } else {
    half.Set(LoadFloat<kType>(values, i));
  }
  return half;
}

template <typename Format, int kBits>
void AffineBlocks(const BlockJob& job) {
  const std::byte* scales = job.planes[1];
  const std::byte* biases = job.planes[2];
  WithType(job.mlx.dtype, [&](auto type) {
    MakeBlocks<Format, kBits>(job, [=](typename Format::Block& block, uint64_t group) {
      block.d = kFromBias<Format> ? ggml::Negated(LoadHalf<type>(biases, group))
                                  : LoadHalf<type>(scales, group);
      if constexpr (ggml::kHasMinimum<Format>) {
        block.m = LoadHalf<type>(biases, group);
      }
    });
  });
}

void Mxfp4Blocks(const BlockJob& job) {
  const std::byte* scales = job.planes[1];
  MakeBlocks<ggml::BlockMxfp4, 4>(job, [=](ggml::BlockMxfp4::Block& block, uint64_t group) {
    block.exponent = static_cast<uint8_t>(scales[group]);
  });
}

void Nvfp4Blocks(const BlockJob& job) {
  const std::byte* scales = job.planes[1];
  MakeBlocks<ggml::BlockNvfp4, 4>(job, [=](ggml::BlockNvfp4::Block& block, uint64_t group) {
    std::memcpy(block.scales, scales + group, sizeof(block.scales));
  });
}

struct Pair {
  Scheme mlx;
  uint8_t bits;
  uint16_t least_group;
  Scheme block;
  HoldsFunction holds;
  void (*blocks)(const BlockJob&);
};

template <typename Format, int kBits>
constexpr Pair AffinePair() {
  // A block has one scale, so it must not be longer than a group.
  return {Scheme::kAffine,     kBits,
          Format::kElements,   Format::kScheme,
          HoldsAffine<Format>, AffineBlocks<Format, kBits>};
}

// Of an MLX scheme's, the smallest blocks first.
constexpr std::array<Pair, 12> kPairs = {
    AffinePair<ggml::Q10, 1>(),
    AffinePair<ggml::Q41, 1>(),
    AffinePair<ggml::Q20, 2>(),
    AffinePair<ggml::Q41, 2>(),
    AffinePair<ggml::Q41, 3>(),
    AffinePair<ggml::Q40, 4>(),
    AffinePair<ggml::Q41, 4>(),
    AffinePair<ggml::Q50, 5>(),
    AffinePair<ggml::Q51, 5>(),
    AffinePair<ggml::Q80, 8>(),
    Pair{Scheme::kMxfp4, 4, 32, Scheme::kBlockMxfp4, HoldsExponents, Mxfp4Blocks},
    Pair{Scheme::kNvfp4, 4, 16, Scheme::kBlockNvfp4, HoldsSmallScales, Nvfp4Blocks},
};

bool Suits(const Pair& pair, const Encoding& mlx) {
  return pair.mlx == mlx.scheme && pair.bits == mlx.bits && mlx.group >= pair.least_group;
}

const Pair& PairOf(const BlockJob& job) {
  for (const Pair& pair : kPairs) {
    if (pair.block == job.block && Suits(pair, job.mlx)) {
      return pair;
    }
  }
  throw Error(ErrorCode::kInternal, Format("codes of {} are never those of {}",
                                           SchemeLabel(job.mlx), SchemeName(job.block)));
}

}  // namespace

BlockTwinScan::BlockTwinScan(const Encoding& mlx) : mlx_(mlx) {
  for (size_t i = 0; i < kPairs.size(); ++i) {
    left_ |= Suits(kPairs[i], mlx) ? 1U << i : 0;
  }
}

void BlockTwinScan::Add(const std::byte* scales, const std::byte* biases, uint64_t groups) {
  for (size_t i = 0; i < kPairs.size(); ++i) {
    if ((left_ >> i & 1) != 0 && !kPairs[i].holds(mlx_, scales, biases, groups)) {
      left_ &= ~(1U << i);
    }
  }
}

std::optional<Scheme> BlockTwinScan::Twin() const {
  if (left_ == 0) {
    return std::nullopt;
  }
  return kPairs[std::countr_zero(left_)].block;
}

void BlocksFromPlanes(const BlockJob& job) {
  const Pair& pair = PairOf(job);
  const uint64_t elements = job.count * FindGgmlType(job.block).block;
  const uint64_t groups = CeilDiv(job.skip + elements, job.mlx.group);
  const std::byte* biases = job.planes.size() > 2 ? job.planes[2] : nullptr;
  if (!pair.holds(job.mlx, job.planes[1], biases, groups)) {
    ErrorDetail detail;
    detail.what = Format("a scale or bias of {} has no place in a {} block", SchemeLabel(job.mlx),
                         SchemeName(job.block));
    throw Error(ErrorCode::kInvalid, std::move(detail));
  }
  pair.blocks(job);
}

}  // namespace lbrx
