#include "cli/formatters/html_report.h"

#include <algorithm>
#include <cmath>

#include "cli/build_info.h"
#include "cli/formatters/figures.h"
#include "cli/formatters/html.h"
#include "cli/formatters/html_merge.h"
#include "cli/formatters/html_sections.h"
#include "cli/formatters/text.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

std::string Tile(const std::string& what, const std::string& figure, const std::string& below) {
  return Format("<div class=\"tile\"><span>{}</span><b>{}</b><span>{}</span></div>\n", what, figure,
                below);
}

std::string FromTo(const std::string& from, const std::string& to) {
  return from == to ? to : Format("<small>{} \u2192</small> {}", from, to);
}

// How the second size stands to the first.
std::string SizeChange(uint64_t before, uint64_t after) {
  if (before == 0 || after == 0) {
    return "";
  }
  if (before == after) {
    return "the same";
  }
  const double ratio = static_cast<double>(before) / static_cast<double>(after);
  return ratio > 1 ? Format("{:.2f} times smaller", ratio)
                   : Format("{:.2f} times larger", 1 / ratio);
}

const LookRow* Worst(const Look& look) {
  const LookRow* worst = nullptr;
  for (const LookRow& row : look.rows) {
    if (row.Measured() && row.error.squared_error > 0 &&
        (worst == nullptr || worst->error.RelativeError() < row.error.RelativeError())) {
      worst = &row;
    }
  }
  return worst;
}

std::string ErrorTiles(const Look& look) {
  const ErrorSums total = look.TotalError();
  if (total.count == 0) {
    return "";
  }
  std::string out = Tile(
      "Relative error", PercentText(total.RelativeError()),
      "SNR " + DecibelText(total.SnrDecibel()) + ", over " + FormatCount(total.count) + " values");
  if (const LookRow* worst = Worst(look); worst != nullptr) {
    out += Tile("Largest relative error", PercentText(worst->error.RelativeError()),
                Format("<span class=\"path\">{}</span>", EscapeHtml(worst->name)));
  }
  return out;
}

std::string Tiles(const Look& look) {
  const LookSide first = look.Total(0);
  const LookSide last = look.Total(look.sides - 1);
  std::string out = "<div class=\"tiles\">\n";
  out += Tile(
      "Tensor data", FromTo(FormatBytes(first.bytes), FormatBytes(last.bytes)),
      look.sides == 1 ? FormatCount(last.bytes) + " bytes" : SizeChange(first.bytes, last.bytes));
  out += Tile("Bits per weight", FromTo(BitsText(first.Bits()), BitsText(last.Bits())),
              "scales and biases counted");
  out += Tile("Parameters", FormatCount(last.elements),
              Format("in {} tensors", FormatCount(last.tensors)));
  return out + ErrorTiles(look) + "</div>\n";
}

std::string Head(const Look& look) {
  std::string out = Format("<h1>{}</h1>\n<p class=\"lead\">", EscapeHtml(look.title));
  for (size_t side = 0; side < look.sides; ++side) {
    out += Format(
        "{}<span class=\"path\">{}</span>",
        side == 0 ? (look.sides == 1 ? "" : look.names[0] + " ") : " \u2192 " + look.names[1] + " ",
        EscapeHtml(look.paths[side]));
  }
  out += "</p>\n";
  out += Tiles(look);
  out += Format("<pre><code>{}</code></pre>\n", EscapeHtml(look.command, 4000));
  if (!look.notices.empty()) {
    out += "<ul class=\"soft\">\n";
    for (const std::string& notice : look.notices) {
      out += Format("<li>{}</li>\n", EscapeHtml(notice));
    }
    out += "</ul>\n";
  }
  return out;
}

}  // namespace

std::string HtmlReport(const Look& look, const MergeLook* merge) {
  std::string body = "<main>\n" + Head(look);
  body += merge == nullptr ? "" : MergeSection(*merge);
  body += SharesSection(look);
  body += HeatMapsSection(look);
  body += HistogramsSection(look);
  body += TableSection(look);
  body += Format(
      "<footer>Made by lbrx {}. This file is complete in itself: nothing is loaded, nothing "
      "runs.</footer>\n</main>\n",
      VersionNumber());
  return HtmlPage(look.title, body);
}

}  // namespace lbrx
