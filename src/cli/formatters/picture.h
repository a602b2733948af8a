// Distributions and errors as text: drawn on a terminal, figures where the output is piped.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "cli/formatters/look.h"
#include "core/text/json.h"

namespace lbrx {

struct PictureStyle {
  int width = 0;  // columns of the terminal; 0: none, so nothing is drawn
  bool color = false;
  bool utf8 = false;  // else drawn in ASCII
};

// A character for each value, from the emptiest to the fullest of its kind: eighths of a block, or
// " .:-=+*#@" in ASCII. Only 0 is blank. `most` is what a full character stands for.
std::string Bars(std::span<const double> values, double most, bool utf8);

// The values of each place: figures, and on a terminal a histogram.
std::string DistributionText(const Look& look, const PictureStyle& style);
// The errors likewise.
std::string ErrorDistributionText(const Look& look, const PictureStyle& style);
// The relative error of each kind over the layers, a bar each; a terminal's only.
std::string ErrorStrips(const Look& look, const PictureStyle& style);

// The same for programs: an object for each place with "stack", "layer", "kind" and, under the
// names of the sides and "error", figures and a histogram of at most 64 bins.
Json DistributionsJson(const Look& look);

}  // namespace lbrx
