// The K formats with minima: super-blocks of 256 elements, whose sub-blocks have a scale and a
// minimum, which are integers themselves, in steps of d and dmin: x = d * scale * code - dmin *
// minimum.
#pragma once

#include <array>

#include "quant/schemes/ggml/block.h"

namespace lbrx::ggml {

// What is found for the sub-blocks of a super-block, of which there are at most 16.
struct FoundAffine {
  float scales[16];
  float minima[16];
  float weights[16];  // the sums of their elements' weights
  uint8_t codes[256];
};

// Integers for scales or minima and what they are counted in.
struct CodedScales {
  float step = 0;
  uint8_t codes[16] = {};
};

template <typename Format>
inline constexpr size_t kSubBlocks = Format::kElements / Format::kSubBlock;

// Without importance the weights of errors are magnitudes, above the sub-block's level.
template <typename Format>
HWY_INLINE void PlainWeights(const float* x, float* weights) {
  constexpr size_t kSize = Format::kSubBlock;
  const float level =
      Format::kWeightsHaveLevel ? std::sqrt(SumOfSquares(x, kSize) / static_cast<float>(kSize)) : 0;
  for (size_t i = 0; i < kSize; ++i) {
    weights[i] = level + std::fabs(x[i]);
  }
}

template <typename Format>
void SearchSubBlocks(const float* x, const float* importance, FoundAffine& found) {
  constexpr size_t kSize = Format::kSubBlock;
  const float spread =
      importance == nullptr ? 0 : Format::kSpread * SumOfSquares(x, 256) / Format::kElements;
  for (size_t s = 0; s < kSubBlocks<Format>; ++s) {
    const float* values = x + kSize * s;
    float weights[kSize];
    if (importance == nullptr) {
      PlainWeights<Format>(values, weights);
    } else {
      ImportanceWeights(values, importance + kSize * s, spread, kSize, weights);
      found.weights[s] = 0;
      for (const float weight : weights) {
        found.weights[s] += weight;
      }
    }
    const Affine fit = SearchAffine(kSize, Format::kTop, values, weights,
                                    importance == nullptr ? Format::kTrials : kImportanceTrials,
                                    found.codes + kSize * s);
    found.scales[s] = fit.scale;
    found.minima[s] = fit.minimum;
  }
}

// In parts of the greatest one. (What is negative wraps around.)
inline CodedScales CodeByGreatest(const float* scales, size_t n, int top) {
  CodedScales out;
  float most = 0;
  for (size_t s = 0; s < n; ++s) {
    most = std::max(most, scales[s]);
  }
  const auto steps = static_cast<float>(top);
  const float inverse = most > 0 ? steps / most : 0;
  for (size_t s = 0; s < n; ++s) {
    out.codes[s] = static_cast<uint8_t>(Nearest(inverse * scales[s]));
  }
  out.step = most / steps;
  return out;
}

inline CodedScales CodeBySearch(const float* scales, size_t n, int top, const float* weights) {
  CodedScales out;
  out.step = SearchPositive(n, top, scales, weights, out.codes);
  return out;
}

// Codes anew for scales and minima as stored. Where the scale is 0 they stay.
template <typename Format>
HWY_INLINE void CodeAgain(const float* x, const typename Format::Block& block, uint8_t* codes) {
  const float d = block.d.Get();
  const float dmin = block.dmin.Get();
  for (size_t s = 0; s < kSubBlocks<Format>; ++s) {
    const float scale = d * static_cast<float>(Format::Scale(block, s));
    if (scale == 0) {
      continue;
    }
    const float minimum = dmin * static_cast<float>(Format::Minimum(block, s));
    for (size_t i = Format::kSubBlock * s; i < Format::kSubBlock * (s + 1); ++i) {
      codes[i] = static_cast<uint8_t>(NearestWithin((x[i] + minimum) / scale, 0, Format::kTop));
    }
  }
}

// d, dmin and the integers from the scales and minima that were found. `weights` are those of the
// sub-blocks, where columns have an importance, else nullptr.
template <typename Format>
HWY_INLINE void CodeScales(const float* scales, const float* minima, const float* weights,
                           typename Format::Block& block) {
  constexpr size_t kCount = kSubBlocks<Format>;
  const auto code = [&](const float* of) {
    return weights == nullptr ? CodeByGreatest(of, kCount, Format::kScaleTop)
                              : CodeBySearch(of, kCount, Format::kScaleTop, weights);
  };
  const CodedScales coded_scales = code(scales);
  const CodedScales coded_minima = code(minima);
  block.d.Set(coded_scales.step);
  block.dmin.Set(coded_minima.step);
  for (size_t s = 0; s < kCount; ++s) {
    Format::SetScale(block, s, coded_scales.codes[s], coded_minima.codes[s], weights != nullptr);
  }
}

template <typename Format>
void EncodeAffine(const float* x, const Importance& importance, typename Format::Block& block) {
  FoundAffine found;
  SearchSubBlocks<Format>(x, importance.columns, found);
  CodeScales<Format>(found.scales, found.minima,
                     importance.columns == nullptr ? nullptr : found.weights, block);
  CodeAgain<Format>(x, block, found.codes);
  Format::Pack(found.codes, block);
}

// Two bits each: of element 128 h + 32 j + i byte 32 h + i, bits 2 j.
HWY_INLINE void PackTwoBits(const uint8_t* codes, uint8_t* out) {
  for (size_t i = 0; i < 64; ++i) {
    const uint8_t* first = codes + 128 * (i / 32) + i % 32;
    out[i] = static_cast<uint8_t>((first[0] & 3) | (first[32] & 3) << 2 | (first[64] & 3) << 4 |
                                  (first[96] & 3) << 6);
  }
}

// Of element 64 p + i byte 32 p + i low, of element 64 p + 32 + i high.
HWY_INLINE void PackFourBits(const uint8_t* codes, uint8_t* out) {
  for (size_t i = 0; i < 128; ++i) {
    const uint8_t* first = codes + 64 * (i / 32) + i % 32;
    out[i] = static_cast<uint8_t>((first[0] & 15) | first[32] << 4);
  }
}

struct Q2K {
  static constexpr Scheme kScheme = Scheme::kQ2K;
  static constexpr size_t kElements = 256;
  static constexpr size_t kSubBlock = 16;
  static constexpr int kTop = 3;
  static constexpr int kScaleTop = 15;
  static constexpr float kSpread = 1;  // of the mean square, with importance
  static constexpr bool kWeightsHaveLevel = false;
  static constexpr AffineTrials kTrials = {-0.5F, 0.1F, 15, true};

  struct Block {
    uint8_t scales[16];  // of 16 elements each: the scale low, the minimum high
    uint8_t codes[64];   // as PackTwoBits says
    Half d;
    Half dmin;
  };

  static HWY_INLINE uint8_t Scale(const Block& block, size_t s) { return block.scales[s] & 15; }

  static HWY_INLINE uint8_t Minimum(const Block& block, size_t s) { return block.scales[s] >> 4; }

  static HWY_INLINE void SetScale(Block& block, size_t s, uint8_t scale, uint8_t minimum, bool) {
    block.scales[s] = static_cast<uint8_t>(scale | minimum << 4);
  }

  static HWY_INLINE void Pack(const uint8_t* codes, Block& block) {
    PackTwoBits(codes, block.codes);
  }

  static void Encode(const float* x, const Importance& importance, Block& block) {
    EncodeAffine<Q2K>(x, importance, block);
  }

  static HWY_INLINE void Decode(const Block& block, float* values) {
    const float d = block.d.Get();
    const float dmin = block.dmin.Get();
    for (size_t s = 0; s < 16; ++s) {
      const float scale = d * static_cast<float>(block.scales[s] & 15);
      const float minimum = dmin * static_cast<float>(block.scales[s] >> 4);
      const uint8_t* codes = block.codes + 32 * (s / 8) + 16 * (s % 2);
      const uint32_t shift = 2 * (s / 2 % 4);
      for (size_t i = 0; i < 16; ++i) {
        values[16 * s + i] = scale * static_cast<float>(codes[i] >> shift & 3) - minimum;
      }
    }
  }
};

// Eight scales and eight minima of 6 bits: the first four of each in the low bits of bytes 0-3 and
// 4-7; of the last four the low nibbles together in bytes 8-11, their top bits above the others.
struct SixBitPairs {
  uint8_t bytes[12];

  void Set(size_t s, uint8_t scale, uint8_t minimum) {
    if (s < 4) {
      bytes[s] = scale;
      bytes[s + 4] = minimum;
      return;
    }
    bytes[s + 4] = static_cast<uint8_t>((scale & 15) | minimum << 4);
    bytes[s - 4] = static_cast<uint8_t>(bytes[s - 4] | scale >> 4 << 6);
    bytes[s] = static_cast<uint8_t>(bytes[s] | minimum >> 4 << 6);
  }

  uint8_t Scale(size_t s) const {
    return s < 4 ? bytes[s] & 63
                 : static_cast<uint8_t>((bytes[s + 4] & 15) | bytes[s - 4] >> 6 << 4);
  }

  uint8_t Minimum(size_t s) const {
    return s < 4 ? bytes[s + 4] & 63 : static_cast<uint8_t>(bytes[s + 4] >> 4 | bytes[s] >> 6 << 4);
  }
};

struct Q4K {
  static constexpr Scheme kScheme = Scheme::kQ4K;
  static constexpr size_t kElements = 256;
  static constexpr size_t kSubBlock = 32;
  static constexpr int kTop = 15;
  static constexpr int kScaleTop = 63;
  static constexpr float kSpread = 2;
  static constexpr bool kWeightsHaveLevel = true;
  static constexpr AffineTrials kTrials = {-1.0F, 0.1F, 20, false};

  struct Block {
    Half d;
    Half dmin;
    SixBitPairs scales;  // of 32 elements each
    uint8_t codes[128];  // as PackFourBits says
  };

  static HWY_INLINE uint8_t Scale(const Block& block, size_t s) { return block.scales.Scale(s); }

  static HWY_INLINE uint8_t Minimum(const Block& block, size_t s) {
    return block.scales.Minimum(s);
  }

  // What a search for scales gave stays as it is.
  static HWY_INLINE void SetScale(Block& block, size_t s, uint8_t scale, uint8_t minimum,
                                  bool weighted) {
    const uint8_t most = weighted ? 255 : 63;
    block.scales.Set(s, std::min(scale, most), std::min(minimum, most));
  }

  static HWY_INLINE void Pack(const uint8_t* codes, Block& block) {
    PackFourBits(codes, block.codes);
  }

  static void Encode(const float* x, const Importance& importance, Block& block) {
    EncodeAffine<Q4K>(x, importance, block);
  }

  static HWY_INLINE void Decode(const Block& block, float* values) {
    const float d = block.d.Get();
    const float dmin = block.dmin.Get();
    for (size_t s = 0; s < 8; ++s) {
      const float scale = d * static_cast<float>(block.scales.Scale(s));
      const float minimum = dmin * static_cast<float>(block.scales.Minimum(s));
      const uint8_t* codes = block.codes + 32 * (s / 2);
      const uint32_t shift = 4 * (s % 2);
      for (size_t i = 0; i < 32; ++i) {
        values[32 * s + i] = scale * static_cast<float>(codes[i] >> shift & 15) - minimum;
      }
    }
  }
};

struct Q5K {
  static constexpr Scheme kScheme = Scheme::kQ5K;
  static constexpr size_t kElements = 256;
  static constexpr size_t kSubBlock = 32;
  static constexpr int kTop = 31;
  static constexpr int kScaleTop = 63;
  static constexpr float kSpread = 2;
  static constexpr bool kWeightsHaveLevel = true;
  static constexpr AffineTrials kTrials = {-0.5F, 0.1F, 15, false};

  struct Block {
    Half d;
    Half dmin;
    SixBitPairs scales;
    uint8_t high[32];    // byte i: the top bits of element i of each of the eight sub-blocks
    uint8_t codes[128];  // as in Q4K
  };

  static HWY_INLINE uint8_t Scale(const Block& block, size_t s) { return block.scales.Scale(s); }

  static HWY_INLINE uint8_t Minimum(const Block& block, size_t s) {
    return block.scales.Minimum(s);
  }

  static HWY_INLINE void SetScale(Block& block, size_t s, uint8_t scale, uint8_t minimum, bool) {
    constexpr uint8_t kMost = 63;
    block.scales.Set(s, std::min(scale, kMost), std::min(minimum, kMost));
  }

  static HWY_INLINE void Pack(const uint8_t* codes, Block& block) {
    PackFourBits(codes, block.codes);
    for (size_t i = 0; i < 32; ++i) {
      uint32_t bits = 0;
      for (size_t s = 0; s < 8; ++s) {
        bits |= (codes[32 * s + i] >> 4 & 1U) << s;
      }
      block.high[i] = static_cast<uint8_t>(bits);
    }
  }

  static void Encode(const float* x, const Importance& importance, Block& block) {
    EncodeAffine<Q5K>(x, importance, block);
  }

  static HWY_INLINE void Decode(const Block& block, float* values) {
    const float d = block.d.Get();
    const float dmin = block.dmin.Get();
    for (size_t s = 0; s < 8; ++s) {
      const float scale = d * static_cast<float>(block.scales.Scale(s));
      const float minimum = dmin * static_cast<float>(block.scales.Minimum(s));
      const uint8_t* codes = block.codes + 32 * (s / 2);
      const uint32_t shift = 4 * (s % 2);
      for (size_t i = 0; i < 32; ++i) {
        const uint32_t code = (codes[i] >> shift & 15U) | (block.high[i] >> s & 1U) << 4;
        values[32 * s + i] = scale * static_cast<float>(static_cast<int32_t>(code)) - minimum;
      }
    }
  }
};

template <>
void EncodeBlocks<Q2K>(const EncodeJob& job);
template <>
void EncodeBlocks<Q4K>(const EncodeJob& job);
template <>
void EncodeBlocks<Q5K>(const EncodeJob& job);

}  // namespace lbrx::ggml
