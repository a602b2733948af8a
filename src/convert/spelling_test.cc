// Models whose names Hugging Face spells in more ways than one: each gives the same in MLX, and
// comes back.

#include <gtest/gtest.h>

#include <filesystem>

#include "convert/convert.h"
#include "core/io/file.h"
#include "model/naming.h"
#include "stream/engine.h"
#include "support/checkpoints.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

std::string Convert(const std::string& source, const std::string& destination, TargetKind kind) {
  ConvertRequest request;
  request.source = source;
  request.destination = destination;
  request.target = kind;
  RunOptions options;
  options.destination = destination;
  options.sync = false;
  options.threads = 2;
  RunPlan(PlanConvert(request, std::make_shared<Checkpoint>(OpenCheckpoint(source))), options);
  return destination;
}

auto Tensors(const std::string& folder) {
  return ReadSafetensors(folder + "/model.safetensors");
}

// `source` under another spelling.
void WriteSpelled(const std::string& source, const Spelling* spelling, const std::string& folder) {
  const Checkpoint checkpoint = OpenCheckpoint(source);
  const Naming usual = NamingOf(checkpoint);
  Naming other = usual;
  other.hugging_face = spelling;
  std::vector<TestTensor> tensors;
  for (const auto& [name, bytes] : Tensors(source)) {
    const SourceTensor* tensor = checkpoint.Find(name);
    tensors.push_back({other.Translate(usual, name), tensor->encoding.dtype, tensor->shape, bytes});
  }
  std::filesystem::create_directory(folder);
  WriteSafetensors(folder + "/model.safetensors", tensors);
  std::filesystem::copy(source + "/config.json", folder + "/config.json");
}

class SpellingTest : public ::testing::TestWithParam<std::string> {
 protected:
  std::string source_ = std::string(LBRX_TEST_DATA) + "/" + GetParam();
  TempDir folder_;
};

TEST_P(SpellingTest, EachGivesTheSameInMlxAndComesBack) {
  const Naming naming = NamingOf(OpenCheckpoint(source_));
  EXPECT_EQ(naming.hugging_face, naming.spellings()[0]);
  const auto expected = Tensors(Convert(source_, folder_ / "usual", TargetKind::kMlx));
  for (const Spelling* spelling : naming.spellings().subspan(1)) {
    const std::string name(spelling->name);
    const std::string source = folder_ / name;
    WriteSpelled(source_, spelling, source);
    EXPECT_EQ(NamingOf(OpenCheckpoint(source)).hugging_face, spelling);
    EXPECT_TRUE(Tensors(source) != Tensors(source_));
    const std::string mlx = Convert(source, folder_ / ("mlx-" + name), TargetKind::kMlx);
    EXPECT_TRUE(Tensors(mlx) == expected) << name;
    const std::string back = folder_ / ("back-" + name);
    EXPECT_TRUE(Tensors(Convert(mlx, back, TargetKind::kHuggingFace)) == Tensors(source)) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, SpellingTest,
                         ::testing::Values("arch/gpt2", "multimodal/gemma3", "multimodal/llava",
                                           "multimodal/mistral3", "multimodal/qwen2_5_vl",
                                           "multimodal/qwen2_vl"),
                         [](const auto& info) {
                           return info.param.substr(info.param.find('/') + 1);
                         });

}  // namespace
}  // namespace lbrx
