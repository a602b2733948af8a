// GGUF files against those of llama.cpp's converter (tests/data/arch).

#include <set>

#include "convert/test_gguf.h"
#include "core/base/format.h"
#include "core/tensor/ggml_types.h"
#include "formats/gguf/keys.h"

namespace lbrx {
namespace {

class GgufArchitectures : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    CopyArchitecture(GetParam(), folder_ / "hf");
    Execute(RequestFor(folder_ / "hf", folder_ / "model.gguf"));
    made_ = OpenCheckpoint(folder_ / "model.gguf");
  }

  // The converter itself fails on some.
  std::optional<Json> Golden() const {
    const std::string path = TestData("arch/" + GetParam() + "/expected_gguf.json");
    if (PathExists(path)) {
      return ReadJson(path);
    }
    static const std::set<std::string> failing = {"gemma2", "glm4", "phi3", "qwen2"};
    EXPECT_TRUE(failing.contains(GetParam())) << GetParam();
    return std::nullopt;
  }

  TempDir folder_;
  Checkpoint made_;
};

TEST_P(GgufArchitectures, TensorsAreThoseOfTheConverter) {
  const std::optional<Json> golden = Golden();
  if (!golden) {  // gguf_round_trip_test.cc has them
    EXPECT_GT(made_.tensors.size(), 10U);
    return;
  }
  const Json& expected = *golden->Find("tensors");
  EXPECT_EQ(made_.tensors.size(), expected.AsObject().size());
  for (const auto& [name, row] : expected.AsObject()) {
    const SourceTensor* tensor = made_.Find(name);
    ASSERT_NE(tensor, nullptr) << name;
    ASSERT_EQ(tensor->encoding.scheme, Scheme::kPlain);
    EXPECT_EQ(FindGgmlType(tensor->encoding.dtype)->name, row.AsArray()[0].AsString()) << name;
    std::vector<uint64_t> dims;
    for (const Json& dim : row.AsArray()[1].AsArray()) {
      dims.insert(dims.begin(), dim.AsUint64());
    }
    EXPECT_EQ(tensor->shape, Shape(dims)) << name;
    EXPECT_EQ(ShortHash(BytesOf(made_, made_.arrays[tensor->planes[0]])),
              row.AsArray()[2].AsString())
        << name;
  }
}

// What only names the model or the run.
bool IsTitle(std::string_view key) {
  for (const std::string_view start :
       {"general.name", "general.basename", "general.size_label", "general.finetune",
        "general.version", "general.organization", "general.tags", "general.license",
        "general.base_model", "general.repo_url", "general.sampling", "general.uuid",
        "general.quantization_version"}) {
    if (key.starts_with(start)) {
      return true;
    }
  }
  return false;
}

// As gguf-py has them.
std::string TypeName(const GgufValue& value) {
  static const std::map<GgufType, std::string> names = {
      {GgufType::kU32, "UINT32"}, {GgufType::kI32, "INT32"},     {GgufType::kF32, "FLOAT32"},
      {GgufType::kBool, "BOOL"},  {GgufType::kString, "STRING"},
  };
  const auto found = names.find(value.type());
  const std::string name = found == names.end() ? "other" : found->second;
  return value.is_array() ? "ARRAY/" + name : name;
}

Json ArrayOf(const GgufValue& value) {
  Json out = Json::MakeArray();
  if (const std::vector<std::string>* texts = value.AsStrings()) {
    for (const std::string& text : *texts) {
      out.Append(text);
    }
  } else if (const auto integers = value.AsInts()) {
    for (const int64_t integer : *integers) {
      out.Append(integer);
    }
  } else {
    for (const double number : value.AsNumbers().value_or(std::vector<double>{})) {
      out.Append(number);
    }
  }
  return out;
}

// Python's json.dumps puts a space behind commas.
std::string PythonJson(const Json& array) {
  std::string out = "[";
  for (const Json& item : array.AsArray()) {
    out += (out.size() == 1 ? "" : ", ") + WriteJson(item, {.ascii = true});
  }
  return out + "]";
}

void ExpectValue(const GgufValue& value, const Json& expected, const std::string& key) {
  SCOPED_TRACE(key);
  if (value.is_array()) {
    const Json array = ArrayOf(value);
    if (expected.is_object()) {
      EXPECT_EQ(value.size(), expected.Find("len")->AsUint64());
      EXPECT_EQ(ShortHash(PythonJson(array)), expected.Find("sha256")->AsString());
    } else {
      EXPECT_EQ(array, expected);
    }
  } else if (value.is_string()) {
    EXPECT_EQ(*value.AsString(), expected.AsString());
  } else if (value.type() == GgufType::kBool) {
    EXPECT_EQ(value.AsBool(), expected.AsBool());
  } else {
    EXPECT_EQ(value.AsNumber(), expected.AsDouble());
  }
}

TEST_P(GgufArchitectures, KeysAreThoseOfTheConverter) {
  const std::optional<Json> golden = Golden();
  const GgufKeys& keys = *made_.gguf;
  if (!golden) {
    EXPECT_EQ(keys.Uint("tokenizer.ggml.bos_token_id"), 2044U);
    return;
  }
  std::set<std::string> expected;
  for (const auto& [key, row] : golden->Find("kv")->AsObject()) {
    if (IsTitle(key)) {
      continue;
    }
    expected.insert(key);
    const GgufValue* value = keys.Find(key);
    if (value == nullptr) {
      ADD_FAILURE() << "no " << key;
      continue;
    }
    EXPECT_EQ(TypeName(*value), row.AsArray()[0].AsString()) << key;
    ExpectValue(*value, row.AsArray()[1], key);
  }
  for (const auto& [key, value] : keys.entries()) {
    EXPECT_TRUE(IsTitle(key) || expected.contains(key)) << "beyond the converter's: " << key;
  }
}

INSTANTIATE_TEST_SUITE_P(Each, GgufArchitectures, ::testing::ValuesIn(ArchitectureNames()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace lbrx
