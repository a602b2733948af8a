// The searches of GGML's IQ1 encoders, as scalars: the definition of the bytes.
#include <cfloat>

#include "quant/schemes/ggml/iq1.h"

namespace lbrx {
namespace {

constexpr Iq1Values kUp = Iq1ValuesOf(false);
constexpr Iq1Values kDown = Iq1ValuesOf(true);

}  // namespace

// GGML's own sort leaves equal ones as they stand with the usual C library, not with every one.
void SortIq1Reference(const float* x, size_t count, uint8_t* order) {
  for (size_t i = 0; i < count; ++i) {
    size_t place = i;
    for (; place > 0 && x[i] < x[order[place - 1]]; --place) {
      order[place] = order[place - 1];
    }
    order[place] = static_cast<uint8_t>(i);
  }
}

namespace {

// Sums over a run of 32, cut at two ranks, with one set of values.
void OfferS(const Iq1Sums& sums, size_t middle, size_t high, bool down, Iq1Best& best) {
  const Iq1Values& z = down ? kDown : kUp;
  const float* wx = sums.wx[0];
  const float* w = sums.w[0];
  const float qx = wx[middle] * z[0] + (wx[high] - wx[middle]) * z[1] + (wx[32] - wx[high]) * z[2];
  const float qq = w[middle] * z[0] * z[0] + (w[high] - w[middle]) * z[1] * z[1] +
                   (w[32] - w[high]) * z[2] * z[2];
  best.Offer(qx, qq, middle, high, down ? 15 : 0);
}

}  // namespace

Iq1Split SplitIq1SReference(const Iq1Sums& sums) {
  Iq1Best best;
  for (size_t middle = 0; middle <= 32; ++middle) {
    for (size_t high = middle; high <= 32; ++high) {
      OfferS(sums, middle, high, false, best);
      OfferS(sums, middle, high, true, best);
    }
  }
  return best.Split();
}

namespace {

struct HalfSums {
  float qx;
  float qq;
};

// Of half a run of 16. Values are 1 apart, so that sums follow from those below the two ranks.
HalfSums SumsM(const Iq1Sums& sums, size_t half, size_t middle, size_t high, bool down) {
  const Iq1Values& z = down ? kDown : kUp;
  const float* wx = sums.wx[half];
  const float* w = sums.w[half];
  return {wx[16] * z[2] - (wx[middle] + wx[high]), w[16] * z[2] * z[2] +
                                                       w[middle] * (z[0] * z[0] - z[1] * z[1]) +
                                                       w[high] * (z[1] * z[1] - z[2] * z[2])};
}

}  // namespace

Iq1Split SplitIq1MReference(const Iq1Sums& sums) {
  Iq1Best best;
  for (size_t middle = 0; middle <= 16; ++middle) {
    for (size_t high = middle; high <= 16; ++high) {
      for (int k = 0; k < 4; ++k) {
        const HalfSums first = SumsM(sums, 0, middle, high, k >= 2);
        const HalfSums second = SumsM(sums, 1, middle, high, k % 2 == 1);
        const uint32_t down = (k >= 2 ? 1 : 0) | (k % 2 == 1 ? 2 : 0);
        best.Offer(first.qx + second.qx, first.qq + second.qq, middle, high, down);
      }
    }
  }
  return best.Split();
}

uint16_t NearestIq1Reference(std::span<const uint16_t> near, const float* x, const float* w,
                             float scale, const Iq1Values& values) {
  uint16_t best = near[0];
  float least = FLT_MAX;
  for (const uint16_t word : near) {
    float sum = 0;
    for (size_t i = 0; i < 8; ++i) {
      const float error = scale * values[word >> (2 * i) & 3] - x[i];
      sum += w[i] * error * error;
    }
    if (sum < least) {
      least = sum;
      best = word;
    }
  }
  return best;
}

namespace {

constexpr Iq1Kernels kKernels = {SortIq1Reference, SplitIq1SReference, SplitIq1MReference,
                                 NearestIq1Reference};

}  // namespace

void EncodeIq1SReference(const EncodeJob& job) {
  EncodeIq1SWith(job, kKernels);
}

void EncodeIq1MReference(const EncodeJob& job) {
  EncodeIq1MWith(job, kKernels);
}

}  // namespace lbrx
