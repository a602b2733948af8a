#include "merge/settings.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "core/base/error.h"
#include "core/text/json.h"
#include "merge/config_reader.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

Setting Read(const std::string& yaml) {
  const YamlDocument document = ParseYaml(yaml, "test.yml");
  ConfigWarnings warnings;
  return ReadSetting({document.root(), "weight"}, warnings);
}

Json Expected(const std::string& name) {
  const std::string path = std::string(LBRX_TEST_DATA) + "/merge/" + name;
  return ParseJson(ReadTestFile(path), path);
}

// [type, tensor, t, value], the value a number, null or "refused".
void ExpectValue(const Setting& setting, const Json::Array& row, const std::string& context) {
  const std::map<std::string, ParameterType> types = {{"number", ParameterType::kNumber},
                                                      {"integer", ParameterType::kInteger},
                                                      {"boolean", ParameterType::kBoolean}};
  const ParameterType type = types.at(row[0].AsString());
  const std::string& tensor = row[1].AsString();
  const double t = row[2].AsDouble();
  const std::string where = context + " as " + row[0].AsString() + " for " + tensor;
  if (row[3].is_string()) {
    EXPECT_THROW(setting.Evaluate(tensor, t, type), Error) << where;
    return;
  }
  const std::optional<double> value = setting.Evaluate(tensor, t, type);
  ASSERT_EQ(value.has_value(), !row[3].is_null()) << where;
  if (value) {
    EXPECT_EQ(*value, row[3].AsDouble()) << where << " at " << t;
  }
}

TEST(Settings, ValuesAsMergekitEvaluatesThem) {
  const Json rows = Expected("settings.json");
  EXPECT_GT(rows.AsArray().size(), 40U);
  for (const Json& row : rows.AsArray()) {
    const std::string& yaml = row.AsArray()[0].AsString();
    if (row.AsArray()[1].is_string()) {
      EXPECT_THROW(Read(yaml), Error) << yaml;
      continue;
    }
    const Setting setting = Read(yaml);
    for (const Json& value : row.AsArray()[1].AsArray()) {
      ExpectValue(setting, value.AsArray(), yaml);
    }
  }
}

// The worked example: five layers, then what stands outside layers (t = 0) and a single layer.
TEST(Settings, Gradient) {
  const Setting setting = Read("[0, 0.5, 1]");
  const double expected[] = {0, 0.25, 0.5, 0.75, 1};
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(setting.Evaluate("x", i / 4.0), expected[i]);
  }
}

TEST(Settings, ErrorsSayWhere) {
  try {
    Read("[0.5, abc]").Evaluate("x", 0);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.detail().object, "line 1, column 7");
  }
  EXPECT_THROW(Read(".nan").Evaluate("x", 0), Error);
  EXPECT_THROW(Read("[1, .inf]").Evaluate("x", 0), Error);
  try {
    Read("[{value: 1}, 0.5]");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.detail().object, "line 1, column 14: weight[1]");
  }
}

TEST(Settings, FixedValues) {
  EXPECT_EQ(Setting(0.3).Evaluate("x", 0.5), 0.3);
  EXPECT_EQ(Setting(1).Evaluate("x", 0.5, ParameterType::kBoolean), 1.0);
  EXPECT_THROW(Setting(0.3).Evaluate("x", 0.5, ParameterType::kBoolean), Error);
}

TEST(Settings, AMillionFilters) {
  std::string yaml = "[";
  for (int i = 0; i < 1000000; ++i) {
    yaml += "{filter: f" + std::to_string(i) + ", value: " + std::to_string(i) + "},\n";
  }
  const Setting setting = Read(yaml + "]");
  EXPECT_EQ(setting.Evaluate("model.f999999.weight", 0), 9.0);  // the first that is part of it
  EXPECT_EQ(setting.Evaluate("model.f0.weight", 0), 0.0);
  EXPECT_EQ(setting.Evaluate("model.weight", 0), std::nullopt);
}

}  // namespace
}  // namespace lbrx
