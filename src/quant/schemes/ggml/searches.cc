#include "quant/schemes/ggml/searches.h"

namespace lbrx::ggml {
namespace {

constexpr int kSweeps = 5;

Products SymmetricProducts(size_t n, int top, const float* x, const float* weights, float inverse) {
  Products sums;
  for (size_t i = 0; i < n; ++i) {
    sums.Add(weights[i], x[i], static_cast<float>(NearestWithin(inverse * x[i], -top, top - 1)));
  }
  return sums;
}

// One sweep over the codes: each becomes the best one for the scale of the others where that helps.
// `round(value)` limits a code. Returns whether any changed.
template <bool kOthersPositive, typename Code, typename Round>
bool Descend(size_t n, const float* x, const float* weights, const Round& round, Code* codes,
             Products& sums) {
  bool changed = false;
  for (size_t i = 0; i < n; ++i) {
    Products trial = sums.Without(weights[i], x[i], codes[i]);
    if (!(trial.xl > 0) || (kOthersPositive && !(trial.ll > 0))) {
      continue;
    }
    const int32_t code = round(x[i] * trial.ll / trial.xl);
    if (code == codes[i]) {
      continue;
    }
    trial.Add(weights[i], x[i], static_cast<float>(code));
    if (trial.ll > 0 && trial.BetterThan(sums)) {
      codes[i] = static_cast<Code>(code);
      sums = trial;
      changed = true;
    }
  }
  return changed;
}

float AffineError(size_t n, const float* x, const float* weights, const uint8_t* codes, float scale,
                  float low, bool absolute) {
  float error = 0;
  for (size_t i = 0; i < n; ++i) {
    const float e = scale * codes[i] + low - x[i];
    error += weights[i] * (absolute ? std::fabs(e) : e * e);
  }
  return error;
}

struct AffineSums {
  float w;
  float x;
  float l = 0;
  float ll = 0;
  float xl = 0;

  // Least squares; a positive minimum becomes 0.
  void Solve(float determinant, float& scale, float& low) const {
    scale = (w * xl - x * l) / determinant;
    low = (ll * x - l * xl) / determinant;
    if (low > 0) {
      low = 0;
      scale = xl / ll;
    }
  }
};

}  // namespace

float SearchSymmetric(size_t n, int top, const float* x, const float* weights, int8_t* codes) {
  const float most = SignedMaximum(x, n);
  if (std::fabs(most) < kLeastMaximum) {
    std::fill_n(codes, n, int8_t{0});
    return 0;
  }
  float inverse = static_cast<float>(-top) / most;
  Products sums = SymmetricProducts(n, top, x, weights, inverse);
  float scale = sums.ll != 0 ? sums.xl / sums.ll : 0;
  float best = scale * sums.xl;
  for (int t = -9; t <= 9; ++t) {
    if (t == 0) {
      continue;
    }
    const float trial = -(static_cast<float>(top) + 0.1F * static_cast<float>(t)) / most;
    sums = SymmetricProducts(n, top, x, weights, trial);
    if (sums.ll > 0 && sums.xl * sums.xl > best * sums.ll) {
      inverse = trial;
      scale = sums.xl / sums.ll;
      best = scale * sums.xl;
    }
  }
  for (size_t i = 0; i < n; ++i) {
    codes[i] = static_cast<int8_t>(top + NearestWithin(inverse * x[i], -top, top - 1));
  }
  return scale;
}

float DescendSymmetric(size_t n, int top, const float* x, int8_t* codes) {
  const float most = SignedMaximum(x, n);
  if (std::fabs(most) < kLeastMaximum) {
    std::fill_n(codes, n, int8_t{0});
    return 0;
  }
  const float inverse = static_cast<float>(-top) / most;
  float weights[kMostInSubBlock];
  Products sums;
  for (size_t i = 0; i < n; ++i) {
    weights[i] = x[i] * x[i];
    codes[i] = static_cast<int8_t>(NearestWithin(inverse * x[i], -top, top - 1));
    sums.Add(weights[i], x[i], codes[i]);
  }
  const auto round = [&](float value) { return NearestWithin(value, -top, top - 1); };
  for (int i = 0; i < kSweeps && Descend<false>(n, x, weights, round, codes, sums); ++i) {
  }
  for (size_t i = 0; i < n; ++i) {
    codes[i] = static_cast<int8_t>(codes[i] + top);
  }
  return sums.Scale();
}

Affine SearchAffine(size_t n, int top, const float* x, const float* weights,
                    const AffineTrials& trials, uint8_t* codes) {
  const auto steps = static_cast<float>(top);
  float low = x[0];
  float high = x[0];
  AffineSums whole{weights[0], weights[0] * x[0]};
  for (size_t i = 1; i < n; ++i) {
    low = std::min(low, x[i]);
    high = std::max(high, x[i]);
    whole.w += weights[i];
    whole.x += weights[i] * x[i];
  }
  low = std::min(low, 0.0F);
  if (high <= low) {
    std::fill_n(codes, n, uint8_t{0});
    return {0, -low};
  }
  // Trials start from the best minimum so far.
  const auto encode = [&](float first, uint8_t* out) {
    const float inverse = (first + steps) / (high - low);
    for (size_t i = 0; i < n; ++i) {
      out[i] = static_cast<uint8_t>(NearestWithin(inverse * (x[i] - low), 0, top));
    }
    return inverse;
  };
  float scale = 1 / encode(0, codes);
  float error = AffineError(n, x, weights, codes, scale, low, trials.absolute);
  for (int t = 0; t <= trials.last; ++t) {
    uint8_t trial[kMostInSubBlock];
    encode(trials.first + trials.step * static_cast<float>(t), trial);
    AffineSums sums = whole;
    for (size_t i = 0; i < n; ++i) {
      sums.l += weights[i] * trial[i];
      sums.ll += weights[i] * trial[i] * trial[i];
      sums.xl += weights[i] * trial[i] * x[i];
    }
    const float determinant = sums.w * sums.ll - sums.l * sums.l;
    if (!(determinant > 0)) {
      continue;
    }
    float trial_scale = 0;
    float trial_low = 0;
    sums.Solve(determinant, trial_scale, trial_low);
    const float trial_error =
        AffineError(n, x, weights, trial, trial_scale, trial_low, trials.absolute);
    if (trial_error < error) {
      std::copy_n(trial, n, codes);
      error = trial_error;
      scale = trial_scale;
      low = trial_low;
    }
  }
  return {scale, -low};
}

float SearchPositive(size_t n, int top, const float* x, const float* weights, uint8_t* codes) {
  float most = 0;
  for (size_t i = 0; i < n; ++i) {
    most = most > x[i] ? most : x[i];
  }
  if (most < kLeastMaximum) {
    std::fill_n(codes, n, uint8_t{0});
    return 0;
  }
  const auto steps = static_cast<float>(top);
  const auto error_of = [&](float scale, const auto& code) {
    float error = 0;
    for (size_t i = 0; i < n; ++i) {
      const float e = x[i] - scale * static_cast<float>(code(i));
      error += weights[i] * e * e;
    }
    return error;
  };
  float inverse = steps / most;
  float error = error_of(1 / inverse,
                         [&](size_t i) { return static_cast<uint8_t>(Nearest(inverse * x[i])); });
  for (int t = -4; t <= 4; ++t) {
    if (t == 0) {
      continue;
    }
    const float trial = (0.1F * static_cast<float>(t) + steps) / most;
    const float trial_error =
        error_of(1 / trial, [&](size_t i) { return std::min(top, Nearest(trial * x[i])); });
    if (trial_error < error) {
      error = trial_error;
      inverse = trial;
    }
  }
  Products sums;
  for (size_t i = 0; i < n; ++i) {
    const int32_t code = std::min(top, Nearest(inverse * x[i]));
    codes[i] = static_cast<uint8_t>(code);
    sums.Add(weights[i], x[i], static_cast<float>(code));
  }
  const auto round = [&](float value) { return std::min(top, Nearest(value)); };
  for (int i = 0; i < kSweeps && Descend<true>(n, x, weights, round, codes, sums); ++i) {
  }
  return sums.Scale();
}

}  // namespace lbrx::ggml
