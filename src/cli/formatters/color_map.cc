#include "cli/formatters/color_map.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/format.h"

namespace lbrx {
namespace {

using Points = std::array<uint32_t, 11>;

constexpr Points kViridis = {0x440154, 0x482475, 0x414487, 0x355f8d, 0x2a788e, 0x21918c,
                             0x22a884, 0x44bf70, 0x7ad151, 0xbddf26, 0xfde725};
constexpr Points kPlasma = {0x0d0887, 0x41049d, 0x6a00a8, 0x8f0da4, 0xb12a90, 0xcc4778,
                            0xe16462, 0xf2844b, 0xfca636, 0xfcce25, 0xf0f921};

uint8_t Mix(uint32_t from, uint32_t to, int shift, double part) {
  const double a = (from >> shift) & 0xFFU;
  const double b = (to >> shift) & 0xFFU;
  return static_cast<uint8_t>(std::lround(a + (b - a) * part));
}

double Linear(uint8_t channel) {
  const double value = channel / 255.0;
  return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
}

}  // namespace

std::string Color::Hex() const {
  return Format("#{:02x}{:02x}{:02x}", red, green, blue);
}

double Color::Luminance() const {
  return 0.2126 * Linear(red) + 0.7152 * Linear(green) + 0.0722 * Linear(blue);
}

Color Color::TextOn() const {
  constexpr Color kBlack{0, 0, 0};
  constexpr Color kWhite{255, 255, 255};
  return Contrast(*this, kBlack) >= Contrast(*this, kWhite) ? kBlack : kWhite;
}

Color ColorAt(ColorMap map, double position) {
  const Points& points = map == ColorMap::kViridis ? kViridis : kPlasma;
  const double place = std::clamp(position, 0.0, 1.0) * (points.size() - 1);
  const size_t from = std::min<size_t>(static_cast<size_t>(place), points.size() - 2);
  const double part = place - static_cast<double>(from);
  const uint32_t a = points[from];
  const uint32_t b = points[from + 1];
  return {Mix(a, b, 16, part), Mix(a, b, 8, part), Mix(a, b, 0, part)};
}

double Contrast(Color a, Color b) {
  const double x = a.Luminance() + 0.05;
  const double y = b.Luminance() + 0.05;
  return std::max(x, y) / std::min(x, y);
}

}  // namespace lbrx
