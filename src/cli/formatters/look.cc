#include "cli/formatters/look.h"

#include <algorithm>
#include <map>

namespace lbrx {
namespace {

std::string SharedName(const TensorPlace& place) {
  std::string name = place.stack;
  if (place.layer) {
    name += (name.empty() ? "" : ".") + std::to_string(*place.layer);
  }
  return name + (name.empty() ? "" : ".") + place.kind;
}

LookGrid& GridOf(const std::string& stack, std::vector<LookGrid>& grids) {
  for (LookGrid& grid : grids) {
    if (grid.stack == stack) {
      return grid;
    }
  }
  grids.push_back({stack, {}, {}});
  return grids.back();
}

// Puts the rows of `members` into the grid's lines.
void Fill(const Look& look, const std::vector<size_t>& members, LookGrid& grid) {
  for (const size_t row : members) {
    grid.layers.push_back(*look.rows[row].place.layer);
  }
  std::sort(grid.layers.begin(), grid.layers.end());
  grid.layers.erase(std::unique(grid.layers.begin(), grid.layers.end()), grid.layers.end());
  std::map<std::string, size_t> lines;
  for (const size_t row : members) {
    const TensorPlace& place = look.rows[row].place;
    const auto [found, added] = lines.emplace(place.kind, grid.lines.size());
    if (added) {
      grid.lines.push_back({place.kind, {}});
      grid.lines.back().rows.resize(grid.layers.size());
    }
    const auto layer = std::lower_bound(grid.layers.begin(), grid.layers.end(), *place.layer);
    grid.lines[found->second].rows[static_cast<size_t>(layer - grid.layers.begin())] = row;
  }
  const auto is_matrix = [&](const LookGrid::Line& line) {
    return std::any_of(line.rows.begin(), line.rows.end(), [&](const std::optional<size_t>& row) {
      return row && look.rows[*row].shape.rank() > 1;
    });
  };
  std::stable_partition(grid.lines.begin(), grid.lines.end(), is_matrix);
}

}  // namespace

double LookSide::Bits() const {
  return elements == 0 ? 0 : static_cast<double>(bytes) * 8 / static_cast<double>(elements);
}

void LookSide::Add(uint64_t more_elements, uint64_t more_bytes, const std::string& label) {
  scheme = tensors == 0 || scheme == label ? label : "mixed";
  ++tensors;
  elements += more_elements;
  bytes += more_bytes;
}

LookRow& Look::RowOf(const std::string& name, const Shape& shape) {
  const size_t index = places_.Add(name);
  if (index == rows.size()) {
    rows.push_back({places_.places()[index], name, shape, {}, {}, ""});
  } else {
    rows[index].name = SharedName(rows[index].place);
  }
  return rows[index];
}

LookSide Look::Total(size_t side) const {
  LookSide total;
  for (const LookRow& row : rows) {
    total.tensors += row.sides[side].tensors;
    total.elements += row.sides[side].elements;
    total.bytes += row.sides[side].bytes;
  }
  return total;
}

ErrorSums Look::TotalError() const {
  ErrorSums total;
  for (const LookRow& row : rows) {
    total.Add(row.error);
  }
  return total;
}

std::vector<LookShare> Look::Shares(size_t side) const {
  std::vector<LookShare> shares;
  for (const LookRow& row : rows) {
    const LookSide& part = row.sides[side];
    if (part.tensors == 0) {
      continue;
    }
    auto share = std::find_if(shares.begin(), shares.end(),
                              [&](const LookShare& known) { return known.scheme == part.scheme; });
    if (share == shares.end()) {
      share = shares.insert(shares.end(), {part.scheme, {}});
    }
    share->sum.tensors += part.tensors;
    share->sum.elements += part.elements;
    share->sum.bytes += part.bytes;
  }
  std::stable_sort(shares.begin(), shares.end(), [](const LookShare& a, const LookShare& b) {
    return a.sum.bytes > b.sum.bytes;
  });
  return shares;
}

LookLayers ByLayer(const Look& look) {
  LookLayers out;
  std::map<std::string, std::vector<size_t>> members;
  for (size_t i = 0; i < look.rows.size(); ++i) {
    const TensorPlace& place = look.rows[i].place;
    if (!place.layer) {
      out.alone.push_back(i);
      continue;
    }
    GridOf(place.stack, out.grids);
    members[place.stack].push_back(i);
  }
  for (LookGrid& grid : out.grids) {
    Fill(look, members[grid.stack], grid);
  }
  return out;
}

}  // namespace lbrx
