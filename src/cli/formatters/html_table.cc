#include <functional>

#include "cli/formatters/figures.h"
#include "cli/formatters/histogram_svg.h"
#include "cli/formatters/html.h"
#include "cli/formatters/html_sections.h"
#include "cli/formatters/look_scales.h"
#include "cli/formatters/text.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

constexpr size_t kMostRows = 6000;
constexpr size_t kMostSparks = 2500;

struct Column {
  std::string title;
  bool right;
  std::function<std::string(size_t row)> cell;  // markup
};

std::string Swatch(const HeatScale& scale, double value, const std::string& text) {
  return Format("<i style=\"background:{}\"></i>{}", scale.ColorOf(value).Hex(), text);
}

// What the table shows depends on what there is.
class Columns {
 public:
  explicit Columns(const Look& look)
      : look_(look), bits_(BitsScale(look)), errors_(ErrorScale(look)) {
    columns_.push_back({"Tensor", false, [this](size_t i) { return Name(i); }});
    columns_.push_back(
        {"Shape", false, [this](size_t i) { return look_.rows[i].shape.ToString(); }});
    for (size_t side = 0; side < look.sides; ++side) {
      AddSide(side);
    }
    if (look.TotalError().count != 0) {
      AddErrors();
    }
    if (!look.values[0].empty()) {
      AddValues();
    }
  }

  const std::vector<Column>& all() const { return columns_; }

 private:
  std::string Name(size_t i) const {
    const LookRow& row = look_.rows[i];
    const uint64_t tensors = std::max(row.sides[0].tensors, row.sides[1].tensors);
    std::string out = EscapeHtml(row.name);
    if (tensors > 1) {
      out += Format(" <span class=\"soft\">({} tensors)</span>", FormatCount(tensors));
    }
    return row.note.empty()
               ? out
               : out + Format(" <span class=\"soft\">({})</span>", EscapeHtml(row.note));
  }

  void AddSide(size_t side) {
    const auto of = [this, side](size_t i) -> const LookSide& { return look_.rows[i].sides[side]; };
    columns_.push_back({look_.sides == 1 ? "Scheme" : "Scheme " + look_.names[side], false,
                        [of](size_t i) { return EscapeHtml(of(i).scheme); }});
    columns_.push_back({"Bits", true, [this, of](size_t i) {
                          return of(i).elements == 0
                                     ? ""
                                     : Swatch(bits_, of(i).Bits(), BitsText(of(i).Bits()));
                        }});
    columns_.push_back({"Bytes", true, [of](size_t i) {
                          return of(i).tensors == 0 ? "" : FormatCount(of(i).bytes);
                        }});
  }

  void AddErrors() {
    const auto measured = [this](size_t i, const std::function<std::string(const ErrorSums&)>& f) {
      return look_.rows[i].Measured() ? f(look_.rows[i].error) : "";
    };
    columns_.push_back({"Relative error", true, [this, measured](size_t i) {
                          return measured(i, [this](const ErrorSums& error) {
                            return Swatch(errors_, error.RelativeError(),
                                          PercentText(error.RelativeError()));
                          });
                        }});
    columns_.push_back({"SNR", true, [measured](size_t i) {
                          return measured(i, [](const ErrorSums& error) {
                            return DecibelText(error.SnrDecibel());
                          });
                        }});
    columns_.push_back({"RMSE", true, [measured](size_t i) {
                          return measured(
                              i, [](const ErrorSums& error) { return RealText(error.Rmse()); });
                        }});
    columns_.push_back({"Largest", true, [measured](size_t i) {
                          return measured(
                              i, [](const ErrorSums& error) { return RealText(error.max_error); });
                        }});
  }

  void AddValues() {
    if (look_.sides == 1) {
      const auto add = [this](const char* title, double (*figure)(const Moments&)) {
        columns_.push_back({title, true, [this, figure](size_t i) {
                              const Moments& moments = look_.values[0][i].moments;
                              return moments.count == 0 ? "" : RealText(figure(moments));
                            }});
      };
      add("Mean", [](const Moments& moments) { return moments.mean; });
      add("Deviation", [](const Moments& moments) { return moments.Deviation(); });
      add("Least", [](const Moments& moments) { return moments.min; });
      add("Most", [](const Moments& moments) { return moments.max; });
    }
    if (look_.rows.size() <= kMostSparks) {
      columns_.push_back({"Values", false, [this](size_t i) {
                            return SparkSvg(look_.values[0][i].histogram, "one");
                          }});
    }
    if (look_.rows.size() <= kMostSparks && !look_.errors.empty()) {
      columns_.push_back(
          {"Errors", false, [this](size_t i) { return SparkSvg(look_.errors[i].histogram, "e"); }});
    }
  }

  const Look& look_;
  const HeatScale bits_;
  const HeatScale errors_;
  std::vector<Column> columns_;
};

std::string RowHtml(const std::vector<Column>& columns, size_t row) {
  std::string out = "<tr>";
  for (const Column& column : columns) {
    const char* style = &column == columns.data() ? " class=\"n\""
                        : column.right            ? " class=\"r\""
                                                  : "";
    out += Format("<td{}>{}</td>", style, column.cell(row));
  }
  return out + "</tr>\n";
}

// What stands over the rows of a layer: how large it is on each side.
std::string GroupHtml(const Look& look, const std::string& title, const std::vector<size_t>& rows,
                      size_t columns) {
  std::string sizes;
  for (size_t side = 0; side < look.sides; ++side) {
    LookSide sum;
    for (const size_t row : rows) {
      sum.elements += look.rows[row].sides[side].elements;
      sum.bytes += look.rows[row].sides[side].bytes;
    }
    sizes += (side == 0 ? "" : " \u2192 ") + FormatBytes(sum.bytes) + ", " + BitsText(sum.Bits()) +
             " bits";
  }
  return Format("<tbody><tr><th colspan=\"{}\">{}<span>{}</span></th></tr>\n", columns,
                EscapeHtml(title), sizes);
}

struct Group {
  std::string title;
  std::vector<size_t> rows;
};

// The rows of no layer, then each layer's.
std::vector<Group> GroupsOf(const Look& look) {
  const LookLayers layers = ByLayer(look);
  std::vector<Group> groups;
  if (!layers.alone.empty()) {
    groups.push_back({"Of no layer", layers.alone});
  }
  for (const LookGrid& grid : layers.grids) {
    for (size_t column = 0; column < grid.layers.size(); ++column) {
      Group group{Format("{}{}{}", layers.grids.size() > 1 ? grid.stack : "Layer",
                         layers.grids.size() > 1 ? "." : " ", grid.layers[column]),
                  {}};
      for (const LookGrid::Line& line : grid.lines) {
        if (line.rows[column]) {
          group.rows.push_back(*line.rows[column]);
        }
      }
      groups.push_back(std::move(group));
    }
  }
  return groups;
}

}  // namespace

std::string TableSection(const Look& look) {
  const Columns columns(look);
  std::string out = "<h2>All tensors</h2>\n<div class=\"card scroll\"><table>\n<thead><tr>";
  for (const Column& column : columns.all()) {
    out += Format("<th{}>{}</th>", column.right ? " class=\"r\"" : "", EscapeHtml(column.title));
  }
  out += "</tr></thead>\n";
  size_t shown = 0;
  for (const Group& group : GroupsOf(look)) {
    if (shown == kMostRows) {
      break;
    }
    out += GroupHtml(look, group.title, group.rows, columns.all().size());
    for (const size_t row : group.rows) {
      if (shown < kMostRows) {
        out += RowHtml(columns.all(), row);
        ++shown;
      }
    }
    out += "</tbody>\n";
  }
  out += "</table></div>\n";
  if (shown < look.rows.size()) {
    out += Format("<p class=\"soft\">{} more are left out here; --json lists all.</p>\n",
                  FormatCount(look.rows.size() - shown));
  }
  return out;
}

}  // namespace lbrx
