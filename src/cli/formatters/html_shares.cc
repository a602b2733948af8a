#include "cli/formatters/figures.h"
#include "cli/formatters/html.h"
#include "cli/formatters/html_sections.h"
#include "cli/formatters/look_scales.h"
#include "cli/formatters/text.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

std::string Bar(const std::vector<LookShare>& shares, uint64_t bytes, const HeatScale& scale) {
  std::string out = "<div class=\"share\">";
  for (const LookShare& share : shares) {
    const double part = 100 * static_cast<double>(share.sum.bytes) / static_cast<double>(bytes);
    out += Format(R"(<i style="width:{:.3f}%;background:{}" title="{}"></i>)", part,
                  scale.ColorOf(share.sum.Bits()).Hex(), EscapeHtml(share.scheme));
  }
  return out + "</div>\n";
}

std::string Key(const std::vector<LookShare>& shares, const HeatScale& scale) {
  std::string out = "<div class=\"key\">";
  for (const LookShare& share : shares) {
    out += Format("<span><i style=\"background:{}\"></i>{}: {} in {} tensor{}, {} bits</span>",
                  scale.ColorOf(share.sum.Bits()).Hex(), EscapeHtml(share.scheme),
                  FormatBytes(share.sum.bytes), FormatCount(share.sum.tensors),
                  share.sum.tensors == 1 ? "" : "s", BitsText(share.sum.Bits()));
  }
  return out + "</div>\n";
}

}  // namespace

std::string SharesSection(const Look& look) {
  const HeatScale scale = BitsScale(look);
  std::string out = "<h2>What the bytes are</h2>\n<div class=\"cards\"><div class=\"card wide\">\n";
  for (size_t side = 0; side < look.sides; ++side) {
    const LookSide total = look.Total(side);
    if (total.bytes == 0) {
      continue;
    }
    if (look.sides > 1) {
      out += Format("<h3>{}</h3>\n", EscapeHtml(look.names[side]));
    }
    const std::vector<LookShare> shares = look.Shares(side);
    out += Bar(shares, total.bytes, scale) + Key(shares, scale);
  }
  return out + "</div></div>\n";
}

}  // namespace lbrx
