#include "quant/schemes/ggml/iq4.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "quant/schemes/ggml/iq_blocks.h"

namespace lbrx {
namespace {

// Byte i has the codes of elements i and i + 16.
void DecodeGroup(const uint8_t* codes, float scale, float* values) {
  for (size_t i = 0; i < kIq4Group / 2; ++i) {
    values[i] = scale * static_cast<float>(kIq4Steps[codes[i] & 15]);
    values[i + kIq4Group / 2] = scale * static_cast<float>(kIq4Steps[codes[i] >> 4]);
  }
}

void DecodeNl(const uint8_t* block, float* values) {
  DecodeGroup(block + 2, IqHalf(block), values);
}

void DecodeXs(const uint8_t* block, float* values) {
  const float d = IqHalf(block);
  for (size_t group = 0; group < kIqBlock / kIq4Group; ++group) {
    const uint32_t code = kIq4ScaleLow.Get(block, group) | kIq4ScaleHigh.Get(block, group) << 4;
    const float scale = d * (static_cast<float>(code) - 32.0F);
    DecodeGroup(block + kIq4XsCodes + group * kIq4Group / 2, scale, values + group * kIq4Group);
  }
}

// The code of the nearest step, of two the upper one; 15 for what is no number.
uint8_t Nearest(float value) {
  size_t code = 0;
  while (code < kIq4Ties.size() && !(value < kIq4Ties[code])) {
    ++code;
  }
  return static_cast<uint8_t>(code);
}

void EncodeGroup(const float* x, float scale, uint8_t* codes) {
  const float inverse = scale != 0 ? 1 / scale : 0;
  for (size_t i = 0; i < kIq4Group / 2; ++i) {
    const int high = Nearest(inverse * x[i + kIq4Group / 2]);
    codes[i] = static_cast<uint8_t>(Nearest(inverse * x[i]) | high << 4);
  }
}

// The search for the scale of a group.
class Search {
 public:
  Search(const float* x, const float* importance, float mean_square) : x_(x) {
    for (size_t i = 0; i < kIq4Group; ++i) {
      const float square = x[i] * x[i];
      w_[i] = importance == nullptr ? square : importance[i] * std::sqrt(mean_square + square);
    }
  }

  float Find() const {
    float max = 0;  // the value of largest magnitude
    for (size_t i = 0; i < kIq4Group; ++i) {
      max = std::fabs(x_[i]) > std::fabs(max) ? x_[i] : max;
    }
    if (std::fabs(max) < kIq4Least) {
      return 0;
    }
    constexpr float kFirst = kIq4Steps[0];
    Sums sums = SumsOf(1 / (-max / kFirst));
    float scale = sums.qq > 0 ? sums.qx / sums.qq : 0;
    float score = scale * sums.qx;
    for (int t = -kIq4Tries; t <= kIq4Tries; ++t) {
      sums = SumsOf((static_cast<float>(t) + kFirst) / max);
      if (sums.qq > 0 && sums.qx * sums.qx > score * sums.qq) {
        scale = sums.qx / sums.qq;
        score = scale * sums.qx;
      }
    }
    return scale;
  }

 private:
  struct Sums {
    float qx = 0;
    float qq = 0;
  };

  Sums SumsOf(float inverse) const {
    Sums sums;
    for (size_t i = 0; i < kIq4Group; ++i) {
      const float q = kIq4Steps[Nearest(inverse * x_[i])];
      sums.qx += w_[i] * q * x_[i];
      sums.qq += w_[i] * q * q;
    }
    return sums;
  }

  const float* x_;
  float w_[kIq4Group];
};

void FindScales(const float* x, const float* importance, size_t groups, float* scales) {
  const float mean_square = Iq4MeanSquare(x, groups * kIq4Group);
  for (size_t g = 0; g < groups; ++g) {
    const size_t begin = g * kIq4Group;
    scales[g] =
        Search(x + begin, importance == nullptr ? nullptr : importance + begin, mean_square).Find();
  }
}

void EncodeNl(const float* x, const float* importance, uint8_t* block) {
  float scale = 0;
  FindScales(x, importance, 1, &scale);
  PutIqHalf(block, scale);
  EncodeGroup(x, scale, block + 2);
}

void EncodeXs(const float* x, const float* importance, uint8_t* block) {
  constexpr size_t kGroups = kIqBlock / kIq4Group;
  float scales[kGroups];
  FindScales(x, importance, kGroups, scales);
  PutIq4XsScales(scales, block);
  for (size_t g = 0; g < kGroups; ++g) {
    EncodeGroup(x + g * kIq4Group, scales[g], block + kIq4XsCodes + g * kIq4Group / 2);
  }
}

}  // namespace

float Iq4MeanSquare(const float* x, size_t count) {
  float sum = 0;
  for (size_t i = 0; i < count; ++i) {
    sum += x[i] * x[i];
  }
  return sum * (2.0F / static_cast<float>(count));
}

void PutIq4XsScales(float* scales, uint8_t* block) {
  constexpr size_t kGroups = kIqBlock / kIq4Group;
  float max = 0;  // the scale of largest magnitude
  for (size_t g = 0; g < kGroups; ++g) {
    max = std::fabs(scales[g]) > std::fabs(max) ? scales[g] : max;
  }
  const float d = -max / 32;
  const float inverse = d != 0 ? 1 / d : 0;
  std::memset(block, 0, kIq4XsCodes);
  PutIqHalf(block, d);
  for (size_t g = 0; g < kGroups; ++g) {
    const int code = std::clamp(IqRound(inverse * scales[g]), -32, 31);
    kIq4ScaleLow.Put(block, g, static_cast<uint32_t>(code + 32) & 15);
    kIq4ScaleHigh.Put(block, g, static_cast<uint32_t>(code + 32) >> 4);
    scales[g] = d * static_cast<float>(code);
  }
}

void EncodeIq4NlReference(const EncodeJob& job) {
  EncodeIqBlocks(job, kIq4Group, kIq4NlBytes, EncodeNl);
}

void EncodeIq4XsReference(const EncodeJob& job) {
  EncodeIqBlocks(job, kIqBlock, kIq4XsBytes, EncodeXs);
}

void DecodeIq4NlReference(const DecodeJob& job) {
  DecodeIqBlocks<kIq4Group, kIq4NlBytes, DecodeNl>(job);
}

void DecodeIq4XsReference(const DecodeJob& job) {
  DecodeIqBlocks<kIqBlock, kIq4XsBytes, DecodeXs>(job);
}

}  // namespace lbrx
