#include "cli/formatters/figures.h"
#include "cli/formatters/html_pictures.h"
#include "cli/formatters/html_sections.h"
#include "cli/formatters/look_scales.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

std::string Tip(const LookRow& row, const std::string& figure) {
  return row.name + ": " + figure;
}

Picture BitsPicture(const Look& look, size_t side) {
  Picture picture;
  picture.title = look.sides == 1 ? "Bits per weight" : "Bits per weight, " + look.names[side];
  picture.caption = "Stored bits for each weight, scales and biases counted.";
  picture.scale = BitsScale(look);
  picture.low_text = BitsText(picture.scale.low) + " bits";
  picture.high_text = BitsText(picture.scale.high) + " bits";
  picture.cell = [&look, side](size_t index) -> std::optional<HeatCell> {
    const LookRow& row = look.rows[index];
    const LookSide& part = row.sides[side];
    if (part.elements == 0) {
      return std::nullopt;
    }
    const std::string text = BitsText(part.Bits());
    return HeatCell{
        part.Bits(), text,
        Tip(row, Format("{} bits, {}, {}", text, part.scheme, FormatBytes(part.bytes)))};
  };
  return picture;
}

std::string ErrorTip(const LookRow& row) {
  return Tip(row, Format("relative error {}, SNR {}, largest error {}",
                         PercentText(row.error.RelativeError()),
                         DecibelText(row.error.SnrDecibel()), RealText(row.error.max_error)));
}

Picture ErrorPicture(const Look& look) {
  Picture picture;
  picture.title = "Relative error";
  picture.caption =
      "Root of the sum of squared errors over that of squared values; lower is better.";
  picture.scale = ErrorScale(look);
  picture.low_text = PercentText(picture.scale.low);
  picture.high_text = PercentText(picture.scale.high);
  picture.cell = [&look](size_t index) -> std::optional<HeatCell> {
    const LookRow& row = look.rows[index];
    if (!row.Measured()) {
      return std::nullopt;
    }
    const double error = row.error.RelativeError();
    return HeatCell{error, PercentText(error), ErrorTip(row)};
  };
  return picture;
}

Picture SnrPicture(const Look& look) {
  Picture picture;
  picture.title = "Signal to noise";
  picture.caption = "The same in decibel; higher is better, one more bit gives about six.";
  picture.scale = SnrScale(look);
  picture.low_text = DecibelText(picture.scale.low);
  picture.high_text = DecibelText(picture.scale.high);
  picture.cell = [&look](size_t index) -> std::optional<HeatCell> {
    const LookRow& row = look.rows[index];
    if (!row.Measured() || row.error.squared_error == 0) {
      return std::nullopt;
    }
    const double decibel = row.error.SnrDecibel();
    return HeatCell{decibel, Format("{:.1f}", decibel), ErrorTip(row)};
  };
  return picture;
}

}  // namespace

std::string HeatMapsSection(const Look& look) {
  std::vector<Picture> pictures;
  for (size_t side = 0; side < look.sides; ++side) {
    pictures.push_back(BitsPicture(look, side));
  }
  if (look.TotalError().squared_error > 0) {
    pictures.push_back(ErrorPicture(look));
    pictures.push_back(SnrPicture(look));
  }
  return Format("<h2>By layer and kind of tensor</h2>\n<p class=\"soft\">{}</p>\n{}", kPictureHint,
                PictureCards(look, pictures));
}

}  // namespace lbrx
