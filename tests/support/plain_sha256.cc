// SHA-256 in plain C++, for machines to which no libcrypto can be had (tools/test_arm64.sh): takes
// the place of core/base/sha256.cc. Source: FIPS 180-4.
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "core/base/format.h"
#include "core/base/hash.h"

namespace lbrx {
namespace {

constexpr size_t kBlock = 64;

// The first 32 bits of the fractions of `root` of the first N primes.
template <size_t N>
std::array<uint32_t, N> Fractions(long double (*root)(long double)) {
  std::array<uint32_t, N> out{};
  size_t found = 0;
  for (unsigned n = 2; found < N; ++n) {
    bool prime = true;
    for (unsigned divisor = 2; divisor * divisor <= n; ++divisor) {
      prime = prime && n % divisor != 0;
    }
    if (prime) {
      const long double value = root(n);
      out[found++] = static_cast<uint32_t>((value - std::floor(value)) * 4294967296.0L);
    }
  }
  return out;
}

using Words = std::array<uint32_t, 8>;

std::array<uint32_t, 64> Schedule(const std::array<unsigned char, kBlock>& block) {
  std::array<uint32_t, 64> w{};
  for (size_t i = 0; i < 16; ++i) {
    for (size_t byte = 0; byte < 4; ++byte) {
      w[i] = w[i] << 8 | block[4 * i + byte];
    }
  }
  for (size_t i = 16; i < w.size(); ++i) {
    const uint32_t a = w[i - 15];
    const uint32_t b = w[i - 2];
    w[i] = w[i - 16] + (std::rotr(a, 7) ^ std::rotr(a, 18) ^ a >> 3) + w[i - 7] +
           (std::rotr(b, 17) ^ std::rotr(b, 19) ^ b >> 10);
  }
  return w;
}

void Compress(Words& state, const std::array<unsigned char, kBlock>& block) {
  static const std::array<uint32_t, 64> k =
      Fractions<64>([](long double x) { return std::cbrt(x); });
  const std::array<uint32_t, 64> w = Schedule(block);
  auto [a, b, c, d, e, f, g, h] = state;
  for (size_t i = 0; i < w.size(); ++i) {
    const uint32_t sum1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
    const uint32_t t1 = h + sum1 + ((e & f) ^ (~e & g)) + k[i] + w[i];
    const uint32_t sum0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
    const uint32_t t2 = sum0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  const Words step = {a, b, c, d, e, f, g, h};
  for (size_t i = 0; i < state.size(); ++i) {
    state[i] += step[i];
  }
}

}  // namespace

struct Sha256::State {
  Words words = Fractions<8>([](long double x) { return std::sqrt(x); });
  std::array<unsigned char, kBlock> block{};
  uint64_t bytes = 0;

  void Add(unsigned char byte) {
    block[bytes++ % kBlock] = byte;
    if (bytes % kBlock == 0) {
      Compress(words, block);
    }
  }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}

Sha256::~Sha256() = default;

void Sha256::Update(std::span<const std::byte> data) {
  for (const std::byte byte : data) {
    state_->Add(static_cast<unsigned char>(byte));
  }
}

std::string Sha256::FinishHex() {
  const uint64_t bits = 8 * state_->bytes;
  state_->Add(0x80);
  while (state_->bytes % kBlock != kBlock - 8) {
    state_->Add(0);
  }
  for (int shift = 56; shift >= 0; shift -= 8) {
    state_->Add(static_cast<unsigned char>(bits >> shift));
  }
  std::string hex;
  for (const uint32_t word : state_->words) {
    hex += Format("{:08x}", word);
  }
  return hex;
}

}  // namespace lbrx
