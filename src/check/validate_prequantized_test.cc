// Models that other libraries quantized, under validate.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "check/test_problems.h"
#include "core/io/file.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

const std::string kFolder = std::string(LBRX_TEST_DATA) + "/prequantized";

// Problems about a tensor that is there (the models lack some on purpose).
std::vector<Problem> ProblemsOfTensors(const Checkpoint& checkpoint) {
  TestOptions test;
  std::vector<Problem> problems = Validate(checkpoint, true, test.options);
  std::erase_if(problems, [&](const Problem& problem) {
    const std::string& object = problem.detail.object;
    const bool array =
        std::any_of(checkpoint.arrays.begin(), checkpoint.arrays.end(),
                    [&](const StoredArray& stored) { return stored.name == object; });
    return !array && checkpoint.Find(object) == nullptr;
  });
  return problems;
}

TEST(ValidatePrequantized, FindsNothingInSoundTensors) {
  for (const std::string& kind : ListDirectory(kFolder + "/twins")) {
    EXPECT_EQ(Text(ProblemsOfTensors(OpenForCheck(kFolder + "/" + kind))), "") << kind;
  }
}

TEST(ValidatePrequantized, FindsScalesThatAreNoNumbers) {
  TempDir folder;
  const std::string source = folder / "model";
  std::filesystem::copy(kFolder + "/gptq4_v1", source);
  const std::string name = "model.layers.0.mlp.gate_proj.scales";
  for (const StoredArray& array : OpenForCheck(source).arrays) {
    if (array.name == name) {
      File::OpenWrite(source + "/model.safetensors")
          ->WriteAt(array.offset + 4, std::string_view("\0\x7C", 2));  // infinite
    }
  }
  const std::vector<Problem> problems = ProblemsOfTensors(OpenForCheck(source));
  ASSERT_EQ(problems.size(), 1U) << Text(problems);
  EXPECT_EQ(problems[0].detail.object, name);
  EXPECT_NE(problems[0].detail.what.find("scales that are NaN or infinite"), std::string::npos);
}

}  // namespace
}  // namespace lbrx
