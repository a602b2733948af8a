#include "core/base/hash.h"

#include <atomic>

#include "check/scan.h"
#include "check/test_model.h"

namespace lbrx {
namespace {

std::map<std::string, std::string> HashesOf(const std::string& path, unsigned threads = 2) {
  TestOptions test(threads);
  std::map<std::string, std::string> out;
  for (const TensorHash& hash : HashTensors(OpenForCheck(path), test.options)) {
    out[hash.name] = hash.xxh3_128;
  }
  return out;
}

// Made with Python: xxhash.xxh3_128((numpy bf16 bits as u4 << 16).tobytes()).hexdigest().
TEST(HashTensors, EqualsTheHashOfTheValuesAsF32) {
  const auto hashes = HashesOf(LBRX_TEST_DATA "/bard-base");
  ASSERT_EQ(hashes.size(), 57U);
  EXPECT_EQ(hashes.at("lm_head.weight"), "e65cd3d2a99f25edc002e4d070c45021");
  EXPECT_EQ(hashes.at("model.embed_tokens.weight"), "0f4a1c6542d42fbbf2f901fd9a82d8f0");
  EXPECT_EQ(hashes.at("model.layers.0.input_layernorm.weight"), "baf69b0003a09cf3a7703c5a587c322a");
  EXPECT_EQ(hashes.at("model.layers.5.mlp.down_proj.weight"), "3df69a6031303a1a6ad86391c2362c70");
  EXPECT_EQ(hashes.at("model.norm.weight"), "bdb867ae4463e52b745563d9684931d5");
  EXPECT_EQ(hashes, HashesOf(LBRX_TEST_DATA "/bard-base", 1));
}

// Made with Python: xxhash.xxh3_128(array.astype("<f4").tobytes()).hexdigest().
TEST(HashTensors, DecodesEveryTypeThatHasValues) {
  const TempDir folder;
  const TestTensors tensors = {
      {"c64", {DType::kC64, {2}, BytesOf<float>({1, 2, 3.5F, -4})}},
      {"empty", {DType::kF32, {0, 4}, ""}},
      {"f16", {DType::kF16, {5}, BytesOf<uint16_t>({0x3E00, 0xB400, 0x7BFF, 0x0001, 0})}},
      {"f64", {DType::kF64, {3}, BytesOf<double>({0.1, 1e300, -2.5})}},
      {"i64", {DType::kI64, {2}, BytesOf<int64_t>({16777217, -3})}},
      {"i8", {DType::kI8, {4}, BytesOf<int8_t>({-128, -1, 0, 127})}},
  };
  WriteTensors(folder / "types.safetensors", tensors);
  const std::map<std::string, std::string> expected = {
      {"c64", "7758c30df5dcdc34f8a823c5d42584d4"},  // as stored
      {"empty", "99aa06d3014798d86001c324468d497f"}, {"f16", "94d68c089d031f1b40df19e18e999f66"},
      {"f64", "be382d6ad43e974914667528350a358f"},   {"i64", "d99301ac9c702e7e735fc832e4c27355"},
      {"i8", "a6f35720507e9ff6366779990a472ebb"},
  };
  EXPECT_EQ(HashesOf(folder / "types.safetensors"), expected);
}

TEST(HashTensors, DoesNotDependOnTheContainer) {
  const TempDir quantized;
  const TempDir plain;
  TestModel model;
  std::vector<float> scales = TestValues(128, 7);
  model.Quantize("model.embed_tokens.weight", scales);
  model.config.Set("quantization", ParseJson(R"({"group_size": 64, "bits": 4})", ""));
  model.Write(quantized);

  // The same values decoded by hand: scale * 3 + bias in bf16, rounded after each operation.
  std::vector<float> values;
  for (const float scale : scales) {
    const float product = BF16ToFloat(FloatToBF16(BF16ToFloat(FloatToBF16(scale)) * 3));
    values.insert(values.end(), 64, BF16ToFloat(FloatToBF16(product - 0.5F)));
  }
  TestModel decoded;
  decoded.tensors["model.embed_tokens.weight"] = F32Tensor({128, 64}, values);
  decoded.Write(plain);
  EXPECT_EQ(HashesOf(quantized.path()), HashesOf(plain.path()));
}

TEST(HashTensors, ReportsAllBytes) {
  const Checkpoint checkpoint = OpenForCheck(LBRX_TEST_DATA "/bard-base");
  std::atomic<uint64_t> bytes = 0;
  TestOptions test;
  test.options.advance = [&](uint64_t more) { bytes += more; };
  HashTensors(checkpoint, test.options);
  EXPECT_EQ(bytes, Summarize(checkpoint).bytes);
}

// What hashing bard-base throws.
Error ErrorOf(const CheckOptions& options) {
  try {
    HashTensors(OpenForCheck(LBRX_TEST_DATA "/bard-base"), options);
  } catch (const Error& error) {
    return error;
  }
  return {ErrorCode::kInternal, "nothing was thrown"};
}

TEST(HashTensors, ObeysCancellation) {
  CancelToken cancel;
  TestOptions test;
  test.options.cancel = &cancel;
  test.options.advance = [&](uint64_t) { cancel.Cancel(); };
  EXPECT_EQ(ErrorOf(test.options).code(), ErrorCode::kCancelled);
}

TEST(HashTensors, RefusesTooLittleMemoryWithBothFigures) {
  TestOptions test;
  test.options.memory = 100'000;
  const Error error = ErrorOf(test.options);
  EXPECT_EQ(error.code(), ErrorCode::kLimit);
  EXPECT_EQ(error.detail().found, "100000 bytes");
}

TEST(HashTensors, WorksInMemoryForASingleBand) {
  TestOptions test(8);
  test.options.memory = uint64_t{4} << 20;
  EXPECT_EQ(HashTensors(OpenForCheck(LBRX_TEST_DATA "/bard-base"), test.options).size(), 57U);
}

TEST(HashTensors, NoticesAFileThatChanged) {
  const TempDir folder;
  TestModel().Write(folder);
  const Checkpoint checkpoint = OpenForCheck(folder.path());
  TestModel other;
  other.AddLayer(2);
  other.Write(folder);
  TestOptions test;
  EXPECT_THROW(HashTensors(checkpoint, test.options), Error);
}

// Made with sha256sum.
TEST(Sha256File, EqualsSha256Sum) {
  std::atomic<uint64_t> bytes = 0;
  TestOptions test;
  test.options.advance = [&](uint64_t more) { bytes += more; };
  EXPECT_EQ(Sha256File(LBRX_TEST_DATA "/bard-base/model.safetensors", test.options),
            "a24a955273dac010666a0938ff7fb9cb65841a79544e931b0b38f583d76e00e8");
  EXPECT_EQ(bytes, 11547128U);
  const TempDir folder;
  WriteTestFile(folder / "empty", "");
  EXPECT_EQ(Sha256File(folder / "empty", test.options),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_THROW(Sha256File(folder / "none", test.options), Error);
}

}  // namespace
}  // namespace lbrx
