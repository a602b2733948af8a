#include "quant/ggml_rows.h"

#include <cmath>
#include <cstdlib>

namespace lbrx {
namespace {

struct Kind {
  std::string name;
  float (*value)(int i, GgmlRandom& random);
};

float Scaled(int integer, int exponent) {
  return std::ldexp(static_cast<float>(integer), exponent);
}

const std::vector<Kind>& Kinds() {
  static const std::vector<Kind> kinds = {
      {"normal", [](int, GgmlRandom& r) { return Scaled(r.Bell(), -27); }},
      {"zeros", [](int, GgmlRandom&) { return 0.0F; }},
      {"outlier",
       [](int i, GgmlRandom& r) { return i % 256 == 77 ? 50.0F : Scaled(r.Bell(), -33); }},
      {"equal", [](int i, GgmlRandom&) { return i / 512 % 2 == 1 ? -0.4375F : 0.4375F; }},
      {"subnormal", [](int, GgmlRandom& r) { return Scaled(r.Bell(), -150); }},
      {"tiny", [](int, GgmlRandom& r) { return Scaled(r.Bell(), -123); }},
      {"huge", [](int, GgmlRandom& r) { return Scaled(r.Bell(), -7); }},
      {"alternating",
       [](int i, GgmlRandom& r) {
         return Scaled(std::abs(r.Bell()) * (i % 2 == 1 ? -1 : 1), -24);
       }},
      {"ties",
       [](int i, GgmlRandom& r) {
         return Scaled(static_cast<int>(r.Bits(10) % 61) - 30, -2 - i / 64 % 4);
       }},
      {"positive", [](int, GgmlRandom& r) { return Scaled(std::abs(r.Bell()) + (1 << 17), -23); }},
      {"zero runs",
       [](int i, GgmlRandom& r) {
         return i / 16 % 3 == 1 || i / 256 % 4 == 2 ? 0.0F : Scaled(r.Bell(), -25);
       }},
      {"digits",
       [](int, GgmlRandom& r) { return Scaled(static_cast<int>(r.Bits(8) % 3) - 1, -5); }},
      {"wide",
       [](int, GgmlRandom& r) {
         const int integer = r.Bell();
         return Scaled(integer, -20 - static_cast<int>(r.Bits(5)));
       }},
  };
  return kinds;
}

}  // namespace

int GgmlRandom::Bell() {
  int sum = -(1 << 23);
  for (int i = 0; i < 4; ++i) {
    sum += static_cast<int>(Bits(22));
  }
  return sum;
}

const std::vector<std::string>& GgmlRowKinds() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
    for (const Kind& kind : Kinds()) {
      out.push_back(kind.name);
    }
    return out;
  }();
  return names;
}

std::vector<float> GgmlRows(const std::string& kind) {
  GgmlRandom random(kind.size());
  std::vector<float> out;
  for (const Kind& each : Kinds()) {
    for (int i = 0; each.name == kind && i < static_cast<int>(kGgmlRows * kGgmlColumns); ++i) {
      out.push_back(each.value(i, random));
    }
  }
  return out;
}

std::vector<float> GgmlImportance(bool with_zeros) {
  GgmlRandom random(7);
  std::vector<float> out;
  for (size_t i = 0; i < kGgmlColumns; ++i) {
    const float value = Scaled(static_cast<int>(random.Bits(20)) + 1, -18);
    out.push_back(with_zeros && i / 32 % 5 == 3 ? 0.0F : value);
  }
  return out;
}

std::vector<std::byte> GgmlRandomBlocks(uint32_t id, size_t bytes) {
  GgmlRandom random(id);
  std::vector<std::byte> out;
  for (size_t i = 0; i < bytes; ++i) {
    out.push_back(static_cast<std::byte>(random.Bits(8)));
  }
  return out;
}

}  // namespace lbrx
