#include "quant/recode.h"

#include <algorithm>
#include <array>

#include "core/base/error.h"
#include "core/base/format.h"
#include "core/tensor/ggml_types.h"
#include "quant/recode_formats.h"

namespace lbrx {
namespace {

constexpr uint32_t kLargestHalf = 0x7BFF;    // 65504
constexpr uint32_t kHalfExponent = 1 << 10;  // one step of F16's exponent

// In place (blocks are bytes only): a copy would cost more than what is done with it.
template <typename Format>
const typename Format::Block& BlockAt(const std::byte* blocks, uint64_t i) {
  return reinterpret_cast<const typename Format::Block*>(blocks)[i];
}

template <typename Format>
void CodesOf(const std::byte* blocks, uint64_t count, std::byte* out) {
  using Codes = ggml::BlockCodes<Format>;
  constexpr size_t kBytes = Format::kElements / 8 * Codes::kBits;
  for (uint64_t b = 0; b < count; ++b) {
    const auto& block = BlockAt<Format>(blocks, b);
    if constexpr (Codes::kInOrder) {
      std::memcpy(out + b * kBytes, Codes::Bytes(block), kBytes);
    } else {
      for (size_t i = 0; i < Format::kElements / 8; ++i) {
        StoreBytes<Codes::kBits>(JoinCodes<Codes::kBits>(Codes::Load(block, i)),
                                 out + b * kBytes + i * Codes::kBits);
      }
    }
  }
}

// half * 2^kPower, which does not overflow.
template <int kPower>
ggml::Half Doubled(ggml::Half half) {
  const auto bits = static_cast<uint32_t>(half.bytes[1]);
  if ((bits & 0x7C) == 0) {  // subnormal
    half.Set(half.Get() * float{1 << kPower});
  } else {
    half.bytes[1] = static_cast<uint8_t>(bits + kPower * (kHalfExponent >> 8));
  }
  return half;
}

// Scales or biases in F16: one for each kGroup elements, half_of(block, group).
template <typename Format, size_t kGroup, typename Function>
void HalvesOf(const std::byte* blocks, uint64_t count, std::byte* out, Function half_of) {
  constexpr size_t kGroups = Format::kElements / kGroup;
  for (uint64_t b = 0; b < count; ++b) {
    for (size_t i = 0; i < kGroups; ++i) {
      const ggml::Half half = half_of(BlockAt<Format>(blocks, b), i);
      std::memcpy(out + (b * kGroups + i) * sizeof(half), &half, sizeof(half));
    }
  }
}

// A sub-block's product is exact in f32 and rounded once. As it is a multiple of the least F16, it
// never falls below that: the error is at most 2^-11 of the product.
template <typename Format, size_t kGroup>
void ScalesOf(const std::byte* blocks, uint64_t count, std::byte* out) {
  HalvesOf<Format, kGroup>(
      blocks, count, out, [](const typename Format::Block& block, [[maybe_unused]] size_t group) {
        if constexpr (ggml::kHasSubScales<Format>) {
          return ggml::Half::From(block.d.Get() * static_cast<float>(Format::Scale(block, group)));
        } else {
          return Doubled<ggml::kAffineRule<Format>.scale>(block.d);
        }
      });
}

template <typename Format, size_t kGroup>
void BiasesOf(const std::byte* blocks, uint64_t count, std::byte* out) {
  HalvesOf<Format, kGroup>(
      blocks, count, out, [](const typename Format::Block& block, [[maybe_unused]] size_t group) {
        if constexpr (ggml::kHasSubScales<Format>) {
          return ggml::Half::From(-block.dmin.Get() *
                                  static_cast<float>(Format::Minimum(block, group)));
        } else if constexpr (ggml::kHasMinimum<Format>) {
          return block.m;
        } else {
          return ggml::Negated(Doubled<ggml::kAffineRule<Format>.bias>(block.d));
        }
      });
}

// Bytes that are scales in both.
void ExponentsOf(const std::byte* blocks, uint64_t count, std::byte* out) {
  for (uint64_t b = 0; b < count; ++b) {
    out[b] = std::byte{BlockAt<ggml::BlockMxfp4>(blocks, b).exponent};
  }
}

void SmallScalesOf(const std::byte* blocks, uint64_t count, std::byte* out) {
  for (uint64_t b = 0; b < count; ++b) {
    const auto& block = BlockAt<ggml::BlockNvfp4>(blocks, b);
    std::memcpy(out + b * sizeof(block.scales), block.scales, sizeof(block.scales));
  }
}

// The largest d, as F16, of which scale and bias are finite.
template <typename Format>
constexpr uint32_t LargestScale() {
  constexpr ggml::AffineRule kRule = ggml::kAffineRule<Format>;
  constexpr uint32_t kLargestOfSubScales = 0x640F;  // 1039: 63 times that is below 65520
  return ggml::kHasSubScales<Format>
             ? kLargestOfSubScales
             : kLargestHalf - std::max(kRule.scale, kRule.bias) * kHalfExponent;
}

// False for NaN and infinities.
template <typename Format>
bool Fits(ggml::Half half) {
  const uint32_t magnitude = (half.bytes[0] | uint32_t{half.bytes[1]} << 8) & 0x7FFF;
  return magnitude <= LargestScale<Format>();
}

template <typename Format>
bool Carries(const typename Format::Block& block) {
  if constexpr (ggml::kHasSubScales<Format>) {
    return Fits<Format>(block.d) && Fits<Format>(block.dmin);
  } else if constexpr (ggml::kHasMinimum<Format>) {
    return Fits<Format>(block.d) && Fits<Format>(block.m);
  } else {
    return Fits<Format>(block.d);
  }
}

// 255 is NaN by the standard, 2^128 to GGML, infinite to MLX.
template <>
bool Carries<ggml::BlockMxfp4>(const ggml::BlockMxfp4::Block& block) {
  return block.exponent != 255;
}

// GGML leaves the sign of a scale aside and takes its NaN for 0; MLX does neither.
template <>
bool Carries<ggml::BlockNvfp4>(const ggml::BlockNvfp4::Block& block) {
  const auto scales = LoadBytes<4>(block.scales);
  const uint64_t nan = (scales + EachByte(1)) & EachByte(0x80);
  return ((scales | nan) & 0x80808080) == 0;
}

template <typename Format>
uint64_t CountCarried(const std::byte* blocks, uint64_t count) {
  uint64_t b = 0;
  while (b < count && Carries<Format>(BlockAt<Format>(blocks, b))) {
    ++b;
  }
  return b;
}

using PlaneFunction = void (*)(const std::byte* blocks, uint64_t count, std::byte* out);

struct Pair {
  Scheme block;
  Encoding mlx;
  std::array<PlaneFunction, 3> planes;
  uint64_t (*count_carried)(const std::byte* blocks, uint64_t count);
  uint32_t largest;  // of scales, as F16
  bool exact;
};

template <typename Format, uint16_t kGroup>
constexpr Pair AffinePair() {
  return {Format::kScheme,
          {Scheme::kAffine, ggml::BlockCodes<Format>::kBits, kGroup, DType::kF16},
          {CodesOf<Format>, ScalesOf<Format, kGroup>, BiasesOf<Format, kGroup>},
          CountCarried<Format>,
          LargestScale<Format>(),
          !ggml::kHasSubScales<Format>};
}

constexpr std::array<Pair, 13> kPairs = {
    AffinePair<ggml::Q40, 32>(),
    AffinePair<ggml::Q41, 32>(),
    AffinePair<ggml::Q50, 32>(),
    AffinePair<ggml::Q51, 32>(),
    AffinePair<ggml::Q80, 32>(),
    AffinePair<ggml::Q20, 64>(),
    AffinePair<ggml::Tq20, 128>(),
    AffinePair<ggml::Tq10, 128>(),
    AffinePair<ggml::Q10, 128>(),
    AffinePair<ggml::Q4K, 32>(),
    AffinePair<ggml::Q5K, 32>(),
    Pair{Scheme::kBlockMxfp4,
         {Scheme::kMxfp4, 4, 32, DType::kF16},
         {CodesOf<ggml::BlockMxfp4>, ExponentsOf, nullptr},
         CountCarried<ggml::BlockMxfp4>,
         0,
         true},
    Pair{Scheme::kBlockNvfp4,
         {Scheme::kNvfp4, 4, 16, DType::kF16},
         {CodesOf<ggml::BlockNvfp4>, SmallScalesOf, nullptr},
         CountCarried<ggml::BlockNvfp4>,
         0,
         true},
};

const Pair* FindPair(Scheme block) {
  for (const Pair& pair : kPairs) {
    if (pair.block == block) {
      return &pair;
    }
  }
  return nullptr;
}

const Pair& PairOf(Scheme block) {
  const Pair* pair = FindPair(block);
  if (pair == nullptr) {
    throw Error(ErrorCode::kInternal,
                Format("no scheme of MLX's has the codes of {}", SchemeName(block)));
  }
  return *pair;
}

// "scales of at most 8188".
std::string WhatCarries(const Pair& pair) {
  switch (pair.mlx.scheme) {
    case Scheme::kMxfp4:
      return "exponents other than 255";
    case Scheme::kNvfp4:
      return "scales without sign, other than NaN";
    default:
      return Format("finite scales of at most {}",
                    scalar::F16ToFloat(static_cast<uint16_t>(pair.largest)));
  }
}

}  // namespace

std::optional<Encoding> MlxTwin(Scheme block) {
  const Pair* pair = FindPair(block);
  return pair != nullptr && pair->exact ? std::optional(pair->mlx) : std::nullopt;
}

std::optional<Encoding> MlxNeighbour(Scheme block) {
  const Pair* pair = FindPair(block);
  return pair != nullptr && !pair->exact ? std::optional(pair->mlx) : std::nullopt;
}

std::optional<uint64_t> FirstUncarried(Scheme block, const std::byte* blocks, uint64_t count) {
  const uint64_t carried = PairOf(block).count_carried(blocks, count);
  return carried == count ? std::nullopt : std::optional(carried);
}

void PlaneFromBlocks(Scheme block, const std::byte* blocks, uint64_t count, size_t plane,
                     std::byte* out) {
  const Pair& pair = PairOf(block);
  if (plane > 0 && pair.count_carried(blocks, count) != count) {
    ErrorDetail detail;
    detail.what = Format("a scale of a {} block has no place in {}", SchemeName(block),
                         SchemeLabel(pair.mlx));
    detail.expected = WhatCarries(pair);
    throw Error(ErrorCode::kInvalid, std::move(detail));
  }
  pair.planes[plane](blocks, count, out);
}

}  // namespace lbrx
