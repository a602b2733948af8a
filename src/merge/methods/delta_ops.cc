#include "merge/methods/delta_ops.h"

#include <bit>
#include <cmath>

namespace lbrx {
namespace {

void Subtract(const float* a, const float* b, size_t count, float* out) {
  for (size_t i = 0; i < count; ++i) {
    out[i] = a[i] - b[i];
  }
}

void Add(const float* others, float* values, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    values[i] = others[i] + values[i];
  }
}

void Scale(float factor, float* values, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    values[i] *= factor;
  }
}

void KeepRange(MagnitudeRange range, float* values, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const int32_t magnitude = std::bit_cast<int32_t>(values[i]) & 0x7FFFFFFF;
    values[i] = magnitude >= range.first && magnitude <= range.last ? values[i] : 0.0F;
  }
}

void KeepDrawn(const uint32_t* draws, uint32_t last, float* values, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    values[i] = draws[i] <= last ? values[i] : 0.0F;
  }
}

void AddAbsolute(const float* values, size_t count, SumLanes& lanes) {
  for (size_t i = 0; i < count; ++i) {
    lanes[i % lanes.size()] += std::fabs(static_cast<double>(values[i]));
  }
}

float SumAt(const Vote& vote, size_t i) {
  float sum = 0;
  for (size_t m = 0; m < vote.members; ++m) {
    sum += vote.values[m * vote.stride + i];
  }
  return sum;
}

void Elect(const Vote& vote, size_t count, float* sums, float* weights) {
  for (size_t i = 0; i < count; ++i) {
    const bool positive = SumAt(vote, i) >= 0;
    float sum = 0;
    float weight = 0;
    for (size_t m = 0; m < vote.members; ++m) {
      const float value = vote.values[m * vote.stride + i];
      const bool wins = positive ? value > 0 : value < 0;
      sum += wins ? value : 0.0F;
      weight += wins ? vote.weights[m] : 0.0F;
    }
    sums[i] = sum;
    weights[i] = weight;
  }
}

void KeepWinners(const Vote& vote, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const bool positive = SumAt(vote, i) >= 0;
    for (size_t m = 0; m < vote.members; ++m) {
      float& value = vote.values[m * vote.stride + i];
      value = (positive ? value > 0 : value < 0) ? value : 0.0F;
    }
  }
}

void Variance(const Vote& vote, size_t count, float* variances) {
  const auto members = static_cast<double>(vote.members);
  for (size_t i = 0; i < count; ++i) {
    double sum = 0;
    for (size_t m = 0; m < vote.members; ++m) {
      sum += vote.values[m * vote.stride + i];
    }
    const double mean = sum / members;
    double squares = 0;
    for (size_t m = 0; m < vote.members; ++m) {
      const double off = vote.values[m * vote.stride + i] - mean;
      squares += off * off;
    }
    variances[i] = static_cast<float>(squares / members);
  }
}

void Sum(const Vote& vote, size_t count, float* sums) {
  for (size_t i = 0; i < count; ++i) {
    sums[i] = SumAt(vote, i);
  }
}

void Divide(const float* divisors, float* values, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    values[i] /= divisors[i] == 0 ? 1.0F : divisors[i];
  }
}

}  // namespace

const DeltaOps kReferenceDeltaOps = {Subtract,  Add,         Scale, KeepRange,
                                     KeepDrawn, AddAbsolute, Elect, KeepWinners,
                                     Variance,  Sum,         Divide};

double Total(const SumLanes& lanes) {
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
         ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

void AddMagnitudes(uint64_t first, const float* values, size_t count, SumLanes& lanes) {
  size_t i = 0;
  for (; i < count && (first + i) % lanes.size() != 0; ++i) {
    lanes[(first + i) % lanes.size()] += std::fabs(static_cast<double>(values[i]));
  }
  FastDeltaOps().add_magnitudes(values + i, count - i, lanes);
}

}  // namespace lbrx
