#include <algorithm>
#include <array>

#include "quant/schemes/ggml/iq_blocks.h"
#include "quant/schemes/ggml/iq_codebook.h"

namespace lbrx {
namespace {

constexpr int kTop = 4;
constexpr int kTries = 4;
constexpr int kSweeps = 5;

class PositiveFit {
 public:
  explicit PositiveFit(const IqRun& run) : x_(run.x), w_(run.w) {}

  float Find(float max) {
    Start(BestInverse(max));
    for (int i = 0; i < kSweeps && Sweep(); ++i) {
    }
    return ll_ > 0 ? lx_ / ll_ : 0;
  }

 private:
  // Codes are bytes, in which those below 0 (of values that parity made negative) wrap, as in GGML.
  static int Code(float value) { return std::min(kTop, IqRound(value)); }

  float ErrorOf(float inverse, bool wrap) const {
    const float scale = 1 / inverse;
    float sum = 0;
    for (size_t i = 0; i < kMaxIqRun; ++i) {
      const int rounded = IqRound(inverse * x_[i]);
      const int code = wrap ? static_cast<uint8_t>(rounded) : std::min(kTop, rounded);
      const float error = x_[i] - scale * static_cast<float>(code);
      sum += w_[i] * error * error;
    }
    return sum;
  }

  float BestInverse(float max) const {
    float best = kTop / max;
    float least = ErrorOf(best, true);
    for (int t = -kTries; t <= kTries; ++t) {
      const float inverse = (0.1F * static_cast<float>(t) + kTop) / max;
      const float error = t == 0 ? least : ErrorOf(inverse, false);
      if (error < least) {
        least = error;
        best = inverse;
      }
    }
    return best;
  }

  void Start(float inverse) {
    for (size_t i = 0; i < kMaxIqRun; ++i) {
      const int code = Code(inverse * x_[i]);
      codes_[i] = static_cast<uint8_t>(code);
      lx_ += w_[i] * x_[i] * static_cast<float>(code);
      ll_ += w_[i] * static_cast<float>(code) * static_cast<float>(code);
    }
  }

  // Whether a code changed.
  bool Sweep() {
    bool changed = false;
    for (size_t i = 0; i < kMaxIqRun; ++i) {
      const float wx = w_[i] * x_[i];
      const auto old = static_cast<float>(codes_[i]);
      const float lx = lx_ - wx * old;
      const float ll = ll_ - w_[i] * old * old;
      if (!(lx > 0) || !(ll > 0)) {
        continue;
      }
      const int code = Code(x_[i] * ll / lx);
      if (code == codes_[i]) {
        continue;
      }
      const float next_lx = lx + wx * static_cast<float>(code);
      const float next_ll = ll + w_[i] * static_cast<float>(code) * static_cast<float>(code);
      if (next_lx * next_lx * ll_ > lx_ * lx_ * next_ll) {
        codes_[i] = static_cast<uint8_t>(code);
        lx_ = next_lx;
        ll_ = next_ll;
        changed = true;
      }
    }
    return changed;
  }

  const float* x_;
  const float* w_;
  std::array<uint8_t, kMaxIqRun> codes_{};
  float lx_ = 0;  // sums of weighted code * x and code^2
  float ll_ = 0;
};

}  // namespace

float FitIqPositiveReference(const IqRun& run) {
  return PositiveFit(run).Find(*std::max_element(run.x, run.x + kMaxIqRun));
}

}  // namespace lbrx
