#include "check/test_model.h"

namespace lbrx {
namespace {

TEST(Summarize, CountsParametersBytesAndSchemes) {
  const TempDir folder;
  TestModel model;
  model.Quantize("model.embed_tokens.weight", std::vector<float>(128, 0.25F));
  model.config.Set("quantization", ParseJson(R"({"group_size": 64, "bits": 4})", ""));
  model.Write(folder);
  const Summary summary = Summarize(OpenForCheck(folder.path()));

  // lm_head and embedding 128 x 64; a layer has 2 norms, 64+32+32+64 rows of 64, 3 x 96 x 64.
  constexpr uint64_t kRow = 64;
  const uint64_t layer = (2 + 192 + 288) * kRow;
  const uint64_t plain = (128 + 1) * kRow + 2 * layer;
  const uint64_t quantized = 128 * kRow;
  EXPECT_EQ(summary.architecture, "llama");
  EXPECT_EQ(summary.parameters, plain + quantized);
  const uint64_t packed =
      quantized / 2 + uint64_t{128} * 2 * 2;  // 4-bit codes, a bf16 scale and bias each
  EXPECT_EQ(summary.bytes, 2 * plain + packed);
  EXPECT_DOUBLE_EQ(summary.bits_per_weight, static_cast<double>(summary.bytes) * 8 /
                                                static_cast<double>(summary.parameters));
  ASSERT_EQ(summary.schemes.size(), 2U);
  EXPECT_EQ(summary.schemes[0].label, "bf16");
  EXPECT_EQ(summary.schemes[0].tensors, 20U);
  EXPECT_EQ(summary.schemes[1].label, "4bit/64");
  EXPECT_EQ(summary.schemes[1].tensors, 1U);
  EXPECT_EQ(summary.schemes[1].parameters, quantized);
  EXPECT_EQ(summary.schemes[1].bytes, packed);
}

TEST(Summarize, NamesAnUnknownArchitectureAsTheConfigDoes) {
  const TempDir folder;
  TestModel model;
  model.config.Set("model_type", "mamba");
  model.Write(folder);
  EXPECT_EQ(Summarize(OpenForCheck(folder.path())).architecture, "mamba");
  WriteTensors(folder / "bare.safetensors", {});
  const Summary bare = Summarize(OpenForCheck(folder / "bare.safetensors"));
  EXPECT_EQ(bare.architecture, "");
  EXPECT_EQ(bare.parameters, 0U);
  EXPECT_EQ(bare.bits_per_weight, 0);
}

}  // namespace
}  // namespace lbrx
