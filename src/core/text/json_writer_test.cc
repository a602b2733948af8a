// The writer against Python's json module (tests/data/make_json.py).
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <sstream>

#include "core/base/error.h"
#include "core/text/json.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

const std::string kFolder = std::string(LBRX_TEST_DATA) + "/json/";

TEST(JsonWriter, StylesAsInPython) {
  const Json value = ParseJson(ReadTestFile(kFolder + "value.json"), "value.json");
  const std::pair<const char*, JsonStyle> styles[] = {
      {"compact", {}},
      {"compact_ascii", {-1, false, true}},
      {"indent4_ascii", {4, false, true}},
      {"indent2_sorted", {2, true, false}},
      {"indent2_sorted_ascii", {2, true, true}},
      {"indent0", {0, false, false}},
  };
  for (const auto& [name, style] : styles) {
    EXPECT_EQ(WriteJson(value, style), ReadTestFile(kFolder + name + ".json")) << name;
  }
}

TEST(JsonWriter, DoublesAsInPython) {
  std::istringstream lines(ReadTestFile(kFolder + "doubles.txt"));
  std::string bits;
  std::string expected;
  int count = 0;
  while (lines >> bits >> expected) {
    const double value = std::bit_cast<double>(std::stoull(bits, nullptr, 16));
    EXPECT_EQ(WriteJson(Json(value)), expected) << bits;
    EXPECT_EQ(ParseJson(expected, "f").AsDouble(), value);
    ++count;
  }
  EXPECT_GE(count, 600);
}

TEST(JsonWriter, EveryStyleReadsBack) {
  const Json value = ParseJson(ReadTestFile(kFolder + "value.json"), "value.json");
  for (int indent : {-1, 0, 3}) {
    for (int flags = 0; flags < 4; ++flags) {
      const std::string text = WriteJson(value, {indent, (flags & 1) != 0, (flags & 2) != 0});
      EXPECT_EQ(ParseJson(text, "again"), value) << text;
    }
  }
}

TEST(JsonWriter, RefusesNumbersThatJsonHasNot) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (double value : {infinity, -infinity, std::nan("")}) {
    EXPECT_THROW(WriteJson(Json(value)), Error);
  }
}

TEST(JsonWriter, BytesThatAreNotUtf8) {
  EXPECT_EQ(WriteJson(Json("a\xFF"), {-1, false, true}), R"("a\ufffd")");
  EXPECT_EQ(WriteJson(Json("\xC3(x"), {-1, false, true}), R"("\ufffd(x")");
  EXPECT_EQ(WriteJson(Json("\xE2\x82"), {-1, false, true}), R"("\ufffd\ufffd")");
  EXPECT_EQ(WriteJson(Json("\xF7\xBF\xBF\xBF"), {-1, false, true}), R"("\ufffd")");
}

TEST(JsonWriter, Number) {
  EXPECT_EQ(WriteJson(Json::Number(1000, "1e3")), "1e3");
}

}  // namespace
}  // namespace lbrx
