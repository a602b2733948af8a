#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "cli/formatters/color_map.h"
#include "cli/formatters/figures.h"
#include "cli/formatters/heat_map.h"
#include "cli/formatters/html.h"
#include "cli/formatters/html_report.h"
#include "cli/formatters/picture.h"

namespace lbrx {
namespace {

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A quantized model of `layers` layers with two kinds of matrix.
Look Sample(size_t layers) {
  Look look;
  look.title = "Quantization";
  look.sides = 2;
  look.names = {"before", "after"};
  look.paths = {"a", "b"};
  look.command = "lbrx quantize a b -q 4bit";
  for (size_t layer = 0; layer < layers; ++layer) {
    for (const char* kind : {".mlp.up_proj.weight", ".mlp.down_proj.weight"}) {
      LookRow& row = look.RowOf("model.layers." + std::to_string(layer) + kind, {64, 64});
      row.sides[0].Add(4096, 8192, "bf16");
      row.sides[1].Add(4096, 2304, "4bit/64");
      row.error.Add({4096, 1.0 + static_cast<double>(layer), 100, 0.5});
    }
  }
  return look;
}

TEST(EscapeHtml, MakesHostileNamesHarmless) {
  EXPECT_EQ(EscapeHtml("<b>&\"'"), "&lt;b&gt;&amp;&quot;&#39;");
  EXPECT_EQ(EscapeHtml(std::string("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(EscapeHtml("\x1b[31m"), "\\x1B[31m");
  EXPECT_EQ(EscapeHtml("\xff"), "\\xFF");
  EXPECT_EQ(EscapeHtml("漢字"), "漢字");
}

TEST(HtmlReport, HoldsNoNameAsMarkup) {
  const std::string evil = "model.layers.0.<script>alert('x')</script>&\"\x01\xff.weight";
  Look look;
  look.title = evil;
  look.paths[0] = evil;
  look.command = evil;
  look.notices = {evil};
  look.RowOf(evil, {4, 4}).sides[0].Add(16, 32, evil);
  look.RowOf("]]>--><style>.weight", {4}).sides[0].Add(4, 8, "f16");
  const std::string page = HtmlReport(look);
  EXPECT_FALSE(Contains(page, "<script"));
  EXPECT_FALSE(Contains(page, "]]>"));
  EXPECT_TRUE(Contains(page, "&lt;script&gt;"));
  EXPECT_EQ(std::count(page.begin(), page.end(), '\x01'), 0);
  EXPECT_EQ(std::count(page.begin(), page.end(), '\xff'), 0);
  EXPECT_EQ(page.find("<style>"), page.rfind("<style>"));
}

// Two models whose task vectors are (3, 4) and (-3, 4), in two layers and the head.
MergeLook SampleMerge(const std::string& model) {
  MergeSums sums;
  sums.models = {model, "other"};
  sums.has_base = true;
  sums.tensors = 1;
  sums.elements = 2;
  sums.squared_reference = 100;
  sums.products = Gram(3);
  sums.products.at(0, 0) = sums.products.at(1, 1) = 25;
  sums.products.at(0, 1) = 7;
  sums.products.at(2, 2) = 16;  // their mean
  sums.products.at(0, 2) = sums.products.at(1, 2) = 16;
  sums.changed = {2, 2};
  sums.trimmed = {1, 1};
  sums.shared = 2;
  sums.agreeing = 1;
  MergeLook look;
  for (const char* name :
       {"lm_head.weight", "model.layers.0.up.weight", "model.layers.1.up.weight"}) {
    look.places.RowOf(name, {2});
    look.sums.push_back({sums});
  }
  look.models = sums.models;
  look.totals = {sums};
  return look;
}

TEST(HtmlReport, TellsWhatAMergeDid) {
  const MergeLook merge = SampleMerge("kjv");
  const std::string page = HtmlReport(Sample(2), &merge);
  for (const char* text :
       {"What the merge did", "kjv: norm 5 (50.0%), to the result 0.80, trimmed 50.0%",
        "between the models 0.28, signs agree in 50.0%; the result: norm 4 (40.0%)",
        "Length of the task vector, kjv", "reference: the base"}) {
    EXPECT_TRUE(Contains(page, text)) << text;
  }
  EXPECT_FALSE(Contains(HtmlReport(Sample(2)), "What the merge did"));
}

TEST(HtmlReport, HoldsNoModelNameAsMarkup) {
  const MergeLook merge = SampleMerge("<script>alert('x')</script>&\"\x01\xff]]>");
  const std::string page = HtmlReport(Sample(1), &merge);
  EXPECT_FALSE(Contains(page, "<script"));
  EXPECT_FALSE(Contains(page, "]]>"));
  EXPECT_TRUE(Contains(page, "&lt;script&gt;alert(&#39;x&#39;)"));
  EXPECT_EQ(std::count(page.begin(), page.end(), '\x01'), 0);
}

TEST(MergeJson, HasNullWhereNothingCanBeTold) {
  MergeLook merge = SampleMerge("a");
  merge.totals[0].products.at(0, 0) = 0;
  merge.totals[0].shared = 0;
  const Json json = MergeJson(merge);
  const Json& total = json.Find("totals")->AsArray()[0];
  EXPECT_TRUE(total.Find("sign_agreement")->is_null());
  EXPECT_TRUE(total.Find("cosines")->AsArray()[0].AsArray()[1].is_null());
  const Json& place = json.Find("places")->AsArray()[2];
  EXPECT_EQ(place.Find("layer")->AsUint64(), 1U);
  EXPECT_EQ(place.Find("kind")->AsString(), "up");
  EXPECT_DOUBLE_EQ(place.Find("cosines")->AsArray()[0].AsArray()[1].AsDouble(), 0.28);
  EXPECT_DOUBLE_EQ(place.Find("result_norm")->AsDouble(), 4);
}

TEST(HtmlReport, LoadsNothing) {
  const std::string page = HtmlReport(Sample(3));
  EXPECT_TRUE(Contains(page, "default-src 'none'"));
  for (const char* word : {"src=", "href=", "url(", "@import", "<link", "<iframe", "https://"}) {
    EXPECT_FALSE(Contains(page, word)) << word;
  }
  EXPECT_TRUE(page.starts_with(kHtmlStart));
}

TEST(HtmlReport, TellsFiguresOfBothSides) {
  const std::string page = HtmlReport(Sample(3));
  EXPECT_TRUE(Contains(page, "model.layers.2.mlp.up_proj.weight"));
  EXPECT_TRUE(Contains(page, "relative error 10.0%, SNR 20.0 dB"));  // layer 0: sqrt(1 / 100)
  EXPECT_TRUE(Contains(page, "3.56 times smaller"));                 // 8192 / 2304
  EXPECT_TRUE(Contains(page, "<small>16 →</small> 4.5"));
}

TEST(HtmlReport, StaysSmallForManyLayersAndExperts) {
  const std::string deep = HtmlReport(Sample(126));
  EXPECT_LT(deep.size(), 600'000U);
  EXPECT_TRUE(Contains(deep, "model.layers.125.mlp.up_proj.weight"));
  EXPECT_LT(HtmlReport(Sample(10'000)).size(), 8'000'000U);
  Look experts;
  for (int i = 0; i < 20'000; ++i) {
    experts.RowOf("model.layers.0.mlp.experts." + std::to_string(i) + ".up.weight", {8, 8})
        .sides[0]
        .Add(64, 128, i == 7 ? "f32" : "bf16");
  }
  ASSERT_EQ(experts.rows.size(), 1U);
  EXPECT_EQ(experts.rows[0].sides[0].tensors, 20'000U);
  EXPECT_EQ(experts.rows[0].sides[0].scheme, "mixed");
  EXPECT_TRUE(Contains(HtmlReport(experts), "(20,000 tensors)"));
}

TEST(ColorMap, GetsLighterAllAlongAndBearsText) {
  for (const ColorMap map : {ColorMap::kViridis, ColorMap::kPlasma}) {
    double before = -1;
    std::set<std::string> colors;
    for (int i = 0; i <= 100; ++i) {
      const Color color = ColorAt(map, i / 100.0);
      EXPECT_GT(color.Luminance(), before) << i;
      before = color.Luminance();
      EXPECT_GE(Contrast(color, color.TextOn()), 4.5) << i;  // WCAG 2.2, level AA
      colors.insert(color.Hex());
    }
    EXPECT_EQ(colors.size(), 101U);
    EXPECT_EQ(ColorAt(map, -5).Hex(), ColorAt(map, 0).Hex());
    EXPECT_EQ(ColorAt(map, 5).Hex(), ColorAt(map, 1).Hex());
  }
  EXPECT_EQ(ColorAt(ColorMap::kViridis, 0).Hex(), "#440154");
  EXPECT_NEAR(Contrast({0, 0, 0}, {255, 255, 255}), 21, 1e-9);
}

TEST(HeatMap, DrawsACellForEachFigure) {
  HeatMap map;
  map.columns = {"0", "1", "2"};
  map.scale = {1, 3, false, ColorMap::kViridis};
  map.lines = {{"whole", {HeatCell{1, "one", "tip"}}},
               {"each", {HeatCell{2, "two", ""}, std::nullopt, HeatCell{3, "three", ""}}}};
  const std::string svg = HeatMapSvg(map);
  EXPECT_TRUE(Contains(svg, ">one</text>"));
  EXPECT_TRUE(Contains(svg, "#fde725"));
  EXPECT_TRUE(Contains(svg, "class=\"empty\""));
  // 300 columns are drawn in pairs: the larger of two shows.
  map.columns.clear();
  map.lines = {{"deep", {}}};
  for (int i = 0; i < 300; ++i) {
    map.columns.push_back(std::to_string(i));
    map.lines[0].cells.push_back(HeatCell{i % 2 == 0 ? 1.0 : 3.0, "", "cell"});
  }
  const std::string wide = HeatMapSvg(map);
  size_t cells = 0;
  for (size_t at = wide.find("<title>cell"); at != std::string::npos;
       at = wide.find("<title>cell", at + 1)) {
    ++cells;
  }
  EXPECT_EQ(cells, 150U);
}

TEST(Figures, AreShort) {
  EXPECT_EQ(PercentText(0.0937), "9.4%");
  EXPECT_EQ(PercentText(0.5), "50.0%");
  EXPECT_EQ(PercentText(0), "none");
  EXPECT_EQ(DecibelText(20.46), "20.5 dB");
  EXPECT_EQ(DecibelText(std::numeric_limits<double>::infinity()), "exact");
  EXPECT_EQ(BitsText(4.5), "4.5");
  EXPECT_EQ(BitsText(16), "16");
  EXPECT_EQ(RealText(std::numeric_limits<double>::quiet_NaN()), "not finite");
}

TEST(Bars, RiseWithTheValue) {
  const std::vector<double> values = {0, 0.001, 0.5, 1, 2};
  EXPECT_EQ(Bars(values, 1, true), " ▁▄██");
  EXPECT_EQ(Bars(values, 1, false), " .=@@");
}

TEST(ErrorStrips, AreForTerminalsOnly) {
  const Look look = Sample(4);
  EXPECT_EQ(ErrorStrips(look, {}), "");
  const std::string strips = ErrorStrips(look, {.width = 80, .color = false, .utf8 = true});
  EXPECT_TRUE(Contains(strips, "mlp.up_proj"));
  EXPECT_TRUE(Contains(strips, "10.0%"));
  EXPECT_TRUE(Contains(strips, "20.0%"));
  EXPECT_TRUE(Contains(strips, "▄▆▇█"));  // sqrt of 1, 2, 3, 4 over sqrt of 4
}

}  // namespace
}  // namespace lbrx
