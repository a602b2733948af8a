#include "core/text/yaml.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <string>

#include "core/base/error.h"
#include "core/text/json.h"
#include "core/text/yaml_scalar.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

// What a text is refused with; fails the test where it is not.
ErrorDetail Refused(const std::string& text, const YamlLimits& limits = {}) {
  try {
    ParseYaml(text, "test.yml", limits);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalid) << text;
    EXPECT_EQ(error.detail().file, "test.yml");
    EXPECT_TRUE(error.detail().object.starts_with("line ")) << error.what();
    return error.detail();
  }
  ADD_FAILURE() << "accepted: " << text;
  return {};
}

Json Expected(const std::string& name) {
  const std::string path = std::string(LBRX_TEST_DATA) + "/merge/" + name;
  return ParseJson(ReadTestFile(path), path);
}

// A number as the data has it: Python's repr of a float.
double Real(const std::string& text) {
  return std::strtod(text.c_str(), nullptr);
}

// Compares with [kind, value], as tests/data/make_merge.py writes trees.
void ExpectTree(const YamlNode& node, const Json& expected, const std::string& context);

void ExpectChildren(const YamlNode& node, const Json::Array& expected, const std::string& context) {
  ASSERT_EQ(node.size(), expected.size()) << context;
  for (size_t i = 0; i < expected.size(); ++i) {
    if (node.is_sequence()) {
      ExpectTree(node[i], expected[i], context);
      continue;
    }
    // Merged entries come last here and first in PyYAML: found by their keys.
    const std::string& key = expected[i].AsArray()[0].AsArray()[1].AsString();
    const std::optional<YamlNode> value = node.Find(key);
    ASSERT_TRUE(value.has_value()) << context << ": " << key;
    ExpectTree(*value, expected[i].AsArray()[1], context);
  }
}

void ExpectTree(const YamlNode& node, const Json& expected, const std::string& context) {
  const std::string& kind = expected.AsArray()[0].AsString();
  if (kind == "null") {
    EXPECT_TRUE(node.is_null()) << context;
  } else if (kind == "bool") {
    ASSERT_EQ(node.kind(), YamlKind::kBool) << context;
    EXPECT_EQ(node.AsBool(), expected.AsArray()[1].AsBool()) << context;
  } else if (kind == "int" || kind == "float") {
    ASSERT_EQ(node.kind(), kind == "int" ? YamlKind::kInteger : YamlKind::kFloat) << context;
    const double value = Real(expected.AsArray()[1].AsString());
    EXPECT_TRUE(node.AsDouble() == value || (node.AsDouble() != node.AsDouble() && value != value))
        << context << ": " << node.AsDouble() << " and not " << value;
  } else if (kind == "str") {
    ASSERT_EQ(node.kind(), YamlKind::kString) << context;
    EXPECT_EQ(node.text(), expected.AsArray()[1].AsString()) << context;
  } else if (kind == "date") {
    EXPECT_EQ(node.kind(), YamlKind::kDate) << context;
  } else {
    ASSERT_EQ(node.kind(), kind == "seq" ? YamlKind::kSequence : YamlKind::kMapping) << context;
    ExpectChildren(node, expected.AsArray()[1].AsArray(), context);
  }
}

TEST(Yaml, ScalarsAsPyYamlResolvesThem) {
  const Json rows = Expected("yaml_scalars.json");
  EXPECT_GT(rows.AsArray().size(), 1000U);
  for (const Json& row : rows.AsArray()) {
    const std::string& text = row.AsArray()[0].AsString();
    const YamlDocument document = ParseYaml("- " + text, text);
    ASSERT_EQ(document.root().size(), 1U) << text;
    ExpectTree(document.root()[0], row.AsArray()[1], text);
  }
}

TEST(Yaml, DocumentsAsPyYamlLoadsThem) {
  const Json rows = Expected("yaml_documents.json");
  EXPECT_GT(rows.AsArray().size(), 100U);
  for (const Json& row : rows.AsArray()) {
    const std::string& text = row.AsArray()[0].AsString();
    if (row.AsArray()[1].AsArray()[0].AsString() == "refused") {
      Refused(text);
      continue;
    }
    const YamlDocument document = ParseYaml(text, text);
    ExpectTree(document.root(), row.AsArray()[1], text);
  }
}

TEST(Yaml, DecimalsAsPythonReadsThem) {
  EXPECT_EQ(ParseDecimal(" 1e-5\n"), 1e-5);
  EXPECT_EQ(ParseDecimal("-1_000.5"), -1000.5);
  EXPECT_EQ(ParseDecimal(".5"), 0.5);
  EXPECT_EQ(ParseDecimal("1."), 1.0);
  for (const char* text : {"", " ", "1__0", "_1", "1_", "0x10", "1e", "1,5", "--1", "1 2", "."}) {
    EXPECT_EQ(ParseDecimal(text), std::nullopt) << text;
  }
}

TEST(Yaml, NodesKnowWhereTheyStand) {
  const YamlDocument document = ParseYaml("a:\n  - é: \"x\"\n    b: y\n", "test.yml");
  const YamlNode list = *document.root().Find("a");
  EXPECT_EQ(document.root().key(0).position(), (YamlPosition{1, 1}));
  EXPECT_EQ(list.position(), (YamlPosition{2, 3}));
  EXPECT_EQ(list[0].value(0).position(), (YamlPosition{2, 8}));  // columns count characters
  EXPECT_EQ(list[0].key(1).position(), (YamlPosition{3, 5}));
  EXPECT_TRUE(list[0].value(0).quoted());
  EXPECT_FALSE(list[0].value(1).quoted());
  EXPECT_EQ(ToString(list.position()), "line 2, column 3");
}

TEST(Yaml, ErrorsSayWhere) {
  EXPECT_EQ(Refused("a: 1\nb: [1, 2\n").object, "line 3, column 1");
  EXPECT_EQ(Refused("a: 1\nb: \xFF\n").object, "line 2, column 4");
  EXPECT_EQ(Refused("a: *b\n").object, "line 1, column 4");
  EXPECT_NE(Refused("filter: *\n").advice.find("quotes"), std::string::npos);
  EXPECT_EQ(Refused(std::string("a: \0b", 5)).object, "line 1, column 4");
}

TEST(Yaml, KeysTwice) {
  const ErrorDetail twice = Refused("a: 1\nb: 2\na: 3\n");
  EXPECT_EQ(twice.object, "line 3, column 1");
  EXPECT_EQ(twice.found, "the first at line 1, column 1");
  // PyYAML's releases differ in which of these counts.
  Refused("a: {<<: [{p: 1}, {p: 2}]}\n");
  Refused("a: {<<: {p: 1}, <<: {p: 2}}\n");
  // Here it does not matter.
  for (const char* text : {"a: {<<: [{p: 1}, {p: 2}], p: 3}\n", "a: {<<: [{p: 3}, {p: 3}]}\n"}) {
    const YamlDocument document = ParseYaml(text, "test.yml");
    const YamlNode merged = *document.root().Find("a");
    ASSERT_EQ(merged.size(), 1U) << text;
    EXPECT_EQ(merged.value(0).text(), "3") << text;
  }
}

TEST(Yaml, LaterDocumentsAreSeen) {
  EXPECT_EQ(ParseYaml("a: 1\n", "test.yml").next_document(), std::nullopt);
  EXPECT_EQ(ParseYaml("a: 1\n...\n", "test.yml").next_document(), std::nullopt);
  EXPECT_EQ(ParseYaml("a: 1\n---\nb: [\n", "test.yml").next_document(), (YamlPosition{2, 1}));
}

TEST(Yaml, BombsAreRefused) {
  std::string laughs = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char level = 'b'; level <= 'k'; ++level) {
    const std::string inner = std::string("*") + static_cast<char>(level - 1);
    laughs += std::string(1, level) + ": &" + level + " [";
    for (int i = 0; i < 10; ++i) {
      laughs += (i == 0 ? "" : ", ") + inner;
    }
    laughs += "]\n";
  }
  EXPECT_NE(Refused(laughs).what.find("aliases"), std::string::npos);
  // By merge keys: each mapping has the entries of all before.
  std::string merges = "m0: &m0 {k0: 1}\n";
  for (int i = 1; i < 10000; ++i) {
    const std::string before = std::to_string(i - 1);
    const std::string here = std::to_string(i);
    merges += "m" + here + ": &m" + here + " {<<: *m" + before + ", k" + here + ": 1}\n";
  }
  EXPECT_EQ(Refused(merges).what, "too many values");
  // Depth, written out and by aliases.
  EXPECT_EQ(Refused(std::string(100000, '[')).what, "YAML is nested too deep");
  std::string deep = "a0: &a0 [x]\n";
  for (int i = 1; i < 100; ++i) {
    deep += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) +
            "]\n";
  }
  EXPECT_NE(Refused(deep).what.find("nested too deep once aliases"), std::string::npos);
  EXPECT_NE(Refused("a: &a [*a]\n").what.find("inside what it stands for"), std::string::npos);
}

TEST(Yaml, Limits) {
  YamlLimits limits;
  limits.max_bytes = 10;
  EXPECT_EQ(Refused("a: 12345678", limits).expected, "at most 10 bytes");
  limits = {};
  limits.max_nodes = 5;
  EXPECT_EQ(Refused("[1, 2, 3, 4, 5, 6]", limits).expected, "at most 5");
  EXPECT_EQ(ParseYaml("[1, 2, 3, 4]", "test.yml", limits).root().size(), 4U);
  limits = {};
  limits.max_repeated = 3;
  EXPECT_EQ(ParseYaml("[&a [1, 2], *a]", "test.yml", limits).root().size(), 2U);
  Refused("[&a [1, 2], *a, *a]", limits);
  limits = {};
  limits.max_depth = 2;
  Refused("[[[]]]", limits);
  EXPECT_EQ(ParseYaml("[[]]", "test.yml", limits).root().size(), 1U);
}

// Twice the text takes about twice the time; a quadratic parser would take minutes.
TEST(Yaml, LargeTextsTakeLinearTime) {
  std::string flow = "[";
  std::string block;
  std::string keys;
  for (int i = 0; i < 200000; ++i) {
    flow += "{filter: mlp, value: 0.5}, ";
    block += "- {filter: mlp, value: 0.5}\n";
    keys += "key" + std::to_string(i) + ": 1\n";
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(ParseYaml(flow + "]", "test.yml").root().size(), 200000U);
  EXPECT_EQ(ParseYaml(block, "test.yml").root().size(), 200000U);
  EXPECT_EQ(ParseYaml(keys, "test.yml").root().size(), 200000U);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

}  // namespace
}  // namespace lbrx
