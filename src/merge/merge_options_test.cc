// What a merge is asked for beside its models: types, seeds, adapters, tokenizers.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "core/tensor/convert.h"
#include "formats/gguf/keys.h"
#include "merge/test_merges.h"
#include "support/checkpoints.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

std::string Data(const std::string& name) {
  return std::string(LBRX_TEST_DATA) + "/" + name;
}

Json ReadJson(const std::string& path) {
  return ParseJson(ReadWholeFile(path), path);
}

TEST(MergeOptions, TheSeedDecidesWhatIsDrawn) {
  const TempDir dir;
  MergeRequest merge = RequestOf(ConfigOf("dare_ties"));
  for (const uint64_t seed : {1, 2}) {
    merge.seed = seed;
    Execute(merge, dir / std::to_string(seed));
  }
  const auto one = ReadSafetensors(dir / "1/model.safetensors");
  const auto two = ReadSafetensors(dir / "2/model.safetensors");
  ASSERT_EQ(one.size(), two.size());
  for (const auto& [name, bytes] : one) {
    EXPECT_NE(bytes, two.at(name)) << name;
  }
}

// --dtype rounds the float32 result once: it is not rounded to the models' type before.
TEST(MergeOptions, TheTypeAskedForIsTheOnlyRounding) {
  const TempDir dir;
  MergeRequest merge = RequestOf(ConfigOf("slerp"));
  Execute(merge, dir / "wide");
  merge.dtype = DType::kBF16;
  Execute(merge, dir / "narrow");
  const auto wide = TensorsOf(dir / "wide");
  for (const auto& [name, tensor] : TensorsOf(dir / "narrow")) {
    EXPECT_EQ(tensor.dtype, DType::kBF16) << name;
    for (size_t i = 0; i < tensor.values.size(); ++i) {
      ASSERT_EQ(tensor.values[i], BF16ToFloat(FloatToBF16(wide.at(name).values[i]))) << name;
    }
  }
}

TEST(MergeOptions, TypesThatCannotHoldTheArithmeticAreRefused) {
  for (const char* line : {"out_dtype: int64\n", "out_dtype: float64\n"}) {
    try {
      PlanMerge(RequestOf(std::regex_replace(ConfigOf("linear"), std::regex("dtype: float32"),
                                             std::string(line))),
                {});
      FAIL() << line;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalid);
      EXPECT_EQ(error.detail().object, "out_dtype");
    }
  }
}

// Against what PEFT makes of the same model and adapter (tests/data/adapters).
TEST(MergeOptions, AModelMayHaveAnAdapter) {
  const TempDir dir;
  const Json expected = ReadJson(Data("adapters/lora/expected.json"));
  const std::string base = Data("arch/" + expected.Find("model")->AsString());
  Execute(RequestOf("models: [{model: " + base + "+" + Data("adapters/lora") +
                    "}]\nmerge_method: passthrough\ndtype: float32\n"),
          dir / "out");
  const auto tensors = TensorsOf(dir / "out");
  for (const auto& [name, golden] : expected.Find("tensors")->AsObject()) {
    ASSERT_TRUE(tensors.contains(name)) << name;
    const std::vector<float>& values = tensors.at(name).values;
    const Json::Array& samples = golden.Find("values")->AsArray();
    ASSERT_FALSE(samples.empty());
    const double norm = golden.Find("norm")->AsDouble();
    for (size_t i = 0; i < samples.size(); ++i) {
      // The model is stored in bf16 and loaded as that, so the sum is rounded to it.
      EXPECT_NEAR(values[(i * 7919 + 13) % values.size()], samples[i].AsDouble(), norm / 256)
          << name;
    }
  }
}

// Two tiny Llamas with tokenizers of their own.
class MergeTokenizerTest : public ::testing::Test {
 protected:
  MergeTokenizerTest() {
    ptrdiff_t by = 0;
    for (const char* name : {"base", "chat"}) {
      const TinyLlama llama{.layers = 2, .dtype = DType::kF32};
      llama.Write(dir_ / name);
      for (const char* file : {"tokenizer.json", "tokenizer_config.json"}) {
        std::filesystem::copy_file(Data(std::string("merge_tokenizer/") + name + "/" + file),
                                   dir_ / (std::string(name) + "/" + file),
                                   std::filesystem::copy_options::overwrite_existing);
      }
      std::vector<TestTensor> tensors = llama.Tensors();
      for (TestTensor& tensor : tensors) {
        tensor = RandomTensor(tensor.name, tensor.dtype, tensor.shape);
        std::rotate(tensor.bytes.begin(), tensor.bytes.begin() + 4 * by, tensor.bytes.end());
      }
      WriteSafetensors(dir_ / (std::string(name) + "/model.safetensors"), tensors);
      const std::string config = dir_ / (std::string(name) + "/config.json");
      WriteTestFile(config, std::regex_replace(ReadTestFile(config), std::regex("\\{"),
                                               "{\"max_position_embeddings\": 64, ",
                                               std::regex_constants::format_first_only));
      ++by;
    }
    merge_ = RequestOf("models: [{model: " + dir_.path() + "/base}, {model: " + dir_.path() +
                       "/chat}]\nparameters: {weight: 0.5}\nmerge_method: linear\n"
                       "tokenizer: {source: union, pad_to_multiple_of: 16}\n");
  }

  // Of a token that is not in model.vocab.
  static uint64_t IdOf(const std::string& folder, const std::string& token) {
    const Json tokenizer = ReadJson(folder + "/tokenizer.json");
    for (const Json& entry : tokenizer.Find("added_tokens")->AsArray()) {
      if (entry.Find("content")->AsString() == token) {
        return entry.Find("id")->AsUint64();
      }
    }
    ADD_FAILURE() << token << " is not in " << folder;
    return 0;
  }

  void Run(const std::string& destination, ConvertRequest request, ModelSource source) const {
    request.destination = destination;
    request.gguf.pre = "gpt-2";
    RunOptions options;
    options.destination = destination;
    options.sync = false;
    RunPlan(PlanConvert(request, std::move(source)), options);
  }

  TempDir dir_;
  MergeRequest merge_;
};

TEST_F(MergeTokenizerTest, RowsFollowTheTokens) {
  Execute(merge_, dir_ / "out");
  const std::string lone = "<|im_end|>";  // of the second model alone
  const uint64_t own = IdOf(dir_ / "chat", lone);
  const uint64_t row = IdOf(dir_ / "out", lone);
  // Of both, at different places.
  const uint64_t first = IdOf(dir_ / "base", "<s>");
  const uint64_t second = IdOf(dir_ / "chat", "<s>");
  ASSERT_NE(first, second);
  ASSERT_EQ(IdOf(dir_ / "out", "<s>"), first);
  const auto base = TensorsOf(dir_ / "base");
  const auto out = TensorsOf(dir_ / "out");
  const auto chat = TensorsOf(dir_ / "chat");
  for (const char* name : {"model.embed_tokens.weight", "lm_head.weight"}) {
    const ReadTensor& merged = out.at(name);
    EXPECT_EQ(merged.shape[0] % 16, 0U);
    EXPECT_EQ(merged.shape[0], ReadJson(dir_ / "out/config.json").Find("vocab_size")->AsUint64());
    const uint64_t columns = merged.shape[1];
    for (uint64_t i = 0; i < columns; ++i) {
      const std::vector<float>& theirs = chat.at(name).values;
      ASSERT_EQ(merged.values[row * columns + i], theirs[own * columns + i]) << name;
      ASSERT_NEAR(merged.values[first * columns + i],
                  (base.at(name).values[first * columns + i] + theirs[second * columns + i]) / 2,
                  1e-6)
          << name;
    }
  }
}

// In one pass a GGUF file gets the tokenizer that it gets by way of the folder.
TEST_F(MergeTokenizerTest, GgufFilesHaveItToo) {
  ConvertRequest request;
  request.command = "merge";
  request.merge = merge_.ToJson();
  Run(dir_ / "out", request, PlanMerge(merge_, {}).source);
  Run(dir_ / "one.gguf", request, PlanMerge(merge_, {}).source);
  Run(dir_ / "two.gguf", ConvertRequest{},
      SourceOf(std::make_shared<Checkpoint>(OpenModel(dir_ / "out"))));
  const Checkpoint one = OpenModel(dir_ / "one.gguf");
  const Checkpoint two = OpenModel(dir_ / "two.gguf");
  size_t keys = 0;
  for (const auto& [key, value] : one.gguf->entries()) {
    if (key.starts_with("tokenizer.")) {
      ASSERT_NE(two.gguf->Find(key), nullptr) << key;
      EXPECT_TRUE(*two.gguf->Find(key) == value) << key;
      ++keys;
    }
  }
  EXPECT_GE(keys, 5U);
}

}  // namespace
}  // namespace lbrx
