#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "model/gguf/rope.h"

namespace lbrx {
namespace {

// The wavelength of pair `index` of a head's dimensions, in the order of roundings of torch's
// float32.
float Wavelength(double base, uint64_t index, uint64_t head) {
  const float exponent = static_cast<float>(2 * index) / static_cast<float>(head);
  const auto power = static_cast<float>(std::pow(static_cast<float>(base), exponent));
  const float frequency = 1.0F / power;
  return (1.0F / frequency) * static_cast<float>(2 * std::numbers::pi);
}

// How far a divisor between 1 and `factor` is on its way to 1, in 0...1.
double Smoothness(float divisor, double factor) {
  return (1 / static_cast<double>(divisor) - 1 / factor) / (1 - 1 / factor);
}

bool Alike(const std::vector<float>& a, const std::vector<float>& b) {
  constexpr float kTolerance = 1e-6F;  // some bits, for powers that were rounded otherwise
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](float x, float y) { return std::abs(x - y) <= kTolerance * std::abs(y); });
}

// Divisors strictly between 1 and the factor, each of which ties the two unknowns together:
// original_context = wavelength * (1 + smoothness * (high_freq_factor - 1)).
struct Tie {
  double wavelength;
  double smoothness;
};

std::vector<Tie> TiesOf(const std::vector<float>& divisors, double base, double factor) {
  std::vector<Tie> ties;
  for (uint64_t i = 0; i < divisors.size(); ++i) {
    if (divisors[i] > 1.0F && divisors[i] < factor) {
      ties.push_back({Wavelength(base, i, 2 * divisors.size()), Smoothness(divisors[i], factor)});
    }
  }
  return ties;
}

// high_freq_factor: Llama's own, what two ties say, then whole numbers.
std::vector<double> HighCandidates(const std::vector<Tie>& ties) {
  constexpr double kLlama = 4;
  constexpr int kMost = 64;
  std::vector<double> candidates = {kLlama};
  if (ties.size() > 1) {
    const Tie& a = ties.front();
    const Tie& b = ties.back();
    const double less_one =
        (b.wavelength - a.wavelength) / (a.wavelength * a.smoothness - b.wavelength * b.smoothness);
    candidates.push_back(std::round((less_one + 1) * 1e3) / 1e3);
  }
  for (int high = 2; high <= kMost; ++high) {
    candidates.push_back(high);
  }
  return candidates;
}

// original_max_position_embeddings for a high_freq_factor: what a tie says, else powers of two.
std::vector<double> ContextCandidates(const std::vector<Tie>& ties, double high) {
  if (!ties.empty()) {
    const Tie& tie = ties.front();
    return {std::round(tie.wavelength * (1 + tie.smoothness * (high - 1)))};
  }
  constexpr double kLlama = 8192;
  constexpr int kMostBits = 24;
  std::vector<double> candidates = {kLlama};
  for (int bits = 0; bits <= kMostBits; ++bits) {
    candidates.push_back(1 << bits);
  }
  return candidates;
}

}  // namespace

std::vector<float> Llama3Divisors(double base, uint64_t head, const Llama3Rope& rope) {
  const auto context = static_cast<float>(rope.original_context);
  const auto low_wavelength = static_cast<float>(rope.original_context / rope.low_freq_factor);
  const auto high_wavelength = static_cast<float>(rope.original_context / rope.high_freq_factor);
  const auto low = static_cast<float>(rope.low_freq_factor);
  const auto range = static_cast<float>(rope.high_freq_factor - rope.low_freq_factor);
  const auto factor = static_cast<float>(rope.factor);
  std::vector<float> divisors;
  for (uint64_t i = 0; 2 * i < head; ++i) {
    const float wavelength = Wavelength(base, i, head);
    if (wavelength < high_wavelength) {
      divisors.push_back(1.0F);
    } else if (wavelength > low_wavelength) {
      divisors.push_back(factor);
    } else {
      const float smooth = ((1.0F / wavelength) * context - low) / range;
      divisors.push_back(1.0F / ((1.0F - smooth) / factor + smooth));
    }
  }
  return divisors;
}

std::optional<Llama3Rope> SolveLlama3(const std::vector<float>& divisors, double base) {
  if (divisors.empty()) {
    return std::nullopt;
  }
  Llama3Rope rope;
  rope.factor = *std::max_element(divisors.begin(), divisors.end());
  const std::vector<Tie> ties = TiesOf(divisors, base, rope.factor);
  for (const double high : HighCandidates(ties)) {
    for (const double context : ContextCandidates(ties, high)) {
      rope.high_freq_factor = high;
      rope.original_context = context;
      if (high > 1 && context >= 1 &&
          Alike(Llama3Divisors(base, 2 * divisors.size(), rope), divisors)) {
        return rope;
      }
    }
  }
  return std::nullopt;
}

}  // namespace lbrx
