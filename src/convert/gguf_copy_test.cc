// GGUF -> GGUF: nothing changes but what was asked for.

#include "convert/test_gguf.h"
#include "core/tensor/ggml_types.h"
#include "formats/gguf/keys.h"

namespace lbrx {
namespace {

// Files of gguf-py and of ggml itself.
TEST(GgufCopies, AreByteIdentical) {
  const TempDir folder;
  size_t compared = 0;
  for (const auto& entry : std::filesystem::directory_iterator(TestData("gguf"))) {
    const std::string name = entry.path().filename();
    if (!name.ends_with(".gguf") || name.starts_with("set-")) {
      continue;
    }
    SCOPED_TRACE(name);
    try {
      const std::string copy = folder / name;
      Execute(RequestFor(entry.path(), copy), /*threads=*/2, /*allow_nonfinite=*/true);
      EXPECT_TRUE(ReadTestFile(copy) == ReadTestFile(entry.path()));
      ++compared;
    } catch (const Error& error) {
      ADD_FAILURE() << error.what();
    }
  }
  EXPECT_GE(compared, 10U);
}

TEST(GgufCopies, OfOurFilesAreByteIdentical) {
  for (const char* architecture : {"llama", "gemma3_text", "gpt_oss", "deepseek_v3"}) {
    SCOPED_TRACE(architecture);
    const TempDir folder;
    CopyArchitecture(architecture, folder / "hf");
    const std::string made = Made(RequestFor(folder / "hf", folder / "made.gguf"));
    const std::string copy = Made(RequestFor(made, folder / "copy.gguf"));
    EXPECT_TRUE(ReadTestFile(copy) == ReadTestFile(made));
  }
}

TEST(GgufCopies, PartsAndWholeAreTheSame) {
  const TempDir folder;
  CopyArchitecture("llama", folder / "hf");
  const std::string whole = Made(RequestFor(folder / "hf", folder / "whole.gguf"));
  ConvertRequest split = RequestFor(whole, folder / "set.gguf");
  split.shard_size = 200'000;
  Execute(split);
  std::string first;
  size_t parts = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
    const std::string path = entry.path();
    if (path.find("set-0") != std::string::npos && entry.is_regular_file()) {
      first = first.empty() ? path : std::min(first, path);
      ++parts;
    }
  }
  EXPECT_GT(parts, 2U);
  const std::string merged = Made(RequestFor(first, folder / "merged.gguf"));
  EXPECT_TRUE(ReadTestFile(merged) == ReadTestFile(whole));
}

TEST(GgufCopies, DTypeIsForMatricesAlone) {
  const TempDir folder;
  CopyArchitecture("qwen2_moe", folder / "hf");
  const std::string made = Made(RequestFor(folder / "hf", folder / "bf16.gguf"));
  ConvertRequest request = RequestFor(made, folder / "f16.gguf");
  request.dtype = DType::kF16;
  Execute(request);
  ConvertRequest direct = RequestFor(folder / "hf", folder / "direct.gguf");
  direct.dtype = DType::kF16;
  Execute(direct);
  const auto before = ArraysOf(made);
  const auto after = ArraysOf(request.destination);
  size_t matrices = 0;
  size_t others = 0;
  for (const auto& [name, array] : before) {
    const ArrayBytes& now = after.at(name);
    if (array.dtype == DType::kBF16) {
      EXPECT_EQ(now.dtype, DType::kF16) << name;
      ++matrices;
    } else {
      EXPECT_TRUE(now == array) << name;
      ++others;
    }
  }
  EXPECT_GT(matrices, 10U);
  EXPECT_GT(others, 10U);
  ExpectSameArrays(after, ArraysOf(direct.destination));
  EXPECT_EQ(OpenCheckpoint(request.destination).gguf->Uint("general.file_type"), 1U);
}

// A head's keys have rows too short for blocks: they are floats where its values are quantized.
TEST(GgufCopies, HalvesOfTwoTypesAreJoined) {
  const TempDir folder;
  CopyArchitecture("deepseek_v3", folder / "hf");
  ConvertRequest quantize = RequestFor(folder / "hf", folder / "q.gguf");
  quantize.scheme = "Q4_0";
  const auto quantized = ArraysOf(Made(quantize));
  EXPECT_EQ(quantized.at("blk.0.attn_k_b.weight").dtype, DType::kF16);
  EXPECT_EQ(quantized.at("blk.0.attn_v_b.weight").dtype, DType::kU8);
  const std::string name = "model.layers.0.self_attn.kv_b_proj.weight";
  const ArrayBytes before = ArraysOf(folder / "hf").at(name);
  const ArrayBytes after =
      ArraysOf(Made(RequestFor(quantize.destination, folder / "back"))).at(name);
  EXPECT_EQ(after.dtype, DType::kBF16);
  ASSERT_EQ(after.shape, before.shape);
  // 4 heads of 16 rows for keys, which were bf16, and 16 for values; a row is of 32 elements.
  constexpr size_t kHalf = size_t{16} * 32 * 2;
  ASSERT_EQ(before.bytes.size(), 8 * kHalf);
  for (size_t half = 0; half < 8; ++half) {
    const bool same =
        after.bytes.substr(half * kHalf, kHalf) == before.bytes.substr(half * kHalf, kHalf);
    EXPECT_EQ(same, half % 2 == 0) << half;
  }
}

}  // namespace
}  // namespace lbrx
