// Colours for figures: maps whose lightness rises with the value, so that they read in grey too.
#pragma once

#include <cstdint>
#include <string>

namespace lbrx {

struct Color {
  uint8_t red = 0;
  uint8_t green = 0;
  uint8_t blue = 0;

  std::string Hex() const;   // "#440154"
  double Luminance() const;  // relative, 0 to 1 (WCAG 2.2)
  Color TextOn() const;      // black or white, whichever reads better on it
};

// Matplotlib's two perceptually uniform maps (public domain, CC0), between eleven of their points.
enum class ColorMap : uint8_t { kViridis, kPlasma };

// `position` from 0 to 1; what lies outside gets the end's colour.
Color ColorAt(ColorMap map, double position);

// Contrast of two colours, 1 to 21 (WCAG 2.2).
double Contrast(Color a, Color b);

}  // namespace lbrx
