// Heat maps over the places of a look: what the sections of a page draw them with.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/formatters/heat_map.h"
#include "cli/formatters/look.h"

namespace lbrx {

// One figure of each row.
struct Picture {
  std::string title;
  std::string caption;  // markup
  HeatScale scale;
  std::string low_text;
  std::string high_text;
  std::function<std::optional<HeatCell>(size_t row)> cell;  // nullopt: the row has no such figure
};

// A card for each picture and stack of layers; none where a picture has no cells.
std::string PictureCards(const Look& look, const std::vector<Picture>& pictures);

// What tells how to read such cards.
inline constexpr const char* kPictureHint =
    "Layers from left to right; tensors of no layer have one cell over all of them. Rest the "
    "pointer on a cell for its figures.";

}  // namespace lbrx
