// validate --against finds and names whatever is not as the source gives it.
#include <algorithm>
#include <cstring>

#include "cli/test_verify.h"
#include "support/checkpoints.h"

namespace lbrx {
namespace {

// A stored array of the output, by name.
StoredArray ArrayOf(const Checkpoint& checkpoint, const std::string& name) {
  for (const StoredArray& array : checkpoint.arrays) {
    if (array.name == name) {
      return array;
    }
  }
  ADD_FAILURE() << name;
  return {};
}

TEST(VerifyDamage, FindsAFlippedBitInEveryPlane) {
  const TempDir folder;
  const std::string mlx = folder / "mlx";
  const std::string gguf = folder / "q.gguf";
  Must({"convert", kSmallModel, mlx, "-q", "4bit", "--no-sync"});
  Must({"quantize", kModel, gguf, "Q4_K_M", "--no-sync"});
  const auto check = [&](const std::string& path, const std::string& source,
                         const std::string& array_name, const std::string& tensor,
                         const std::string& plane) {
    const Checkpoint checkpoint = OpenCheckpoint(path);
    const StoredArray array = ArrayOf(checkpoint, array_name);
    const uint64_t offset = array.offset + array.bytes / 2 + 1;
    const std::string file = checkpoint.files[array.file].path;
    FlipBit(file, offset);
    const Validated run({path, "--against", source, "--all"});
    EXPECT_EQ(run.code, 3);
    ASSERT_EQ(run.Differences().size(), 1U) << run.Text();
    const Json& row = run.Differences()[0];
    EXPECT_EQ(row.Find("tensor")->AsString(), tensor);
    EXPECT_EQ(row.Find("plane")->AsString(), plane);
    EXPECT_EQ(row.Find("file")->AsString(), file);
    EXPECT_EQ(row.Find("offset")->AsUint64(), offset);
    EXPECT_EQ(row.Find("bytes")->AsUint64(), 1U);
    EXPECT_EQ(row.Find("of")->AsUint64(), array.bytes);
    EXPECT_GT(row.Find("max_difference")->AsDouble(), 0);
    const Words errors = run.Of("error");
    ASSERT_EQ(errors.size(), 1U) << run.Text();
    EXPECT_TRUE(errors[0].starts_with(file + "|" + tensor + "|")) << errors[0];
    EXPECT_TRUE(run.Against("hint").is_null());
    FlipBit(file, offset);
    EXPECT_EQ(Validated({path, "--against", source, "--all"}).code, 0);
  };
  const std::string q = "model.layers.1.self_attn.q_proj.";
  check(mlx, kSmallModel, q + "weight", q + "weight", "weight");
  check(mlx, kSmallModel, q + "scales", q + "weight", "scales");
  check(mlx, kSmallModel, q + "biases", q + "weight", "biases");
  check(mlx, kSmallModel, "model.norm.weight", "model.norm.weight", "data");
  check(gguf, kModel, "blk.2.ffn_down.weight", "blk.2.ffn_down.weight", "data");
}

TEST(VerifyDamage, FindsAFlippedBitInCarriedCodes) {
  const TempDir folder;
  const std::string source = folder / "source";
  const std::string copy = folder / "copy";
  Must({"convert", kSmallModel, source, "-q", "3bit", "--no-sync"});
  Must({"convert", source, copy, "--to", "mlx", "--no-sync"});
  for (const std::string plane : {"weight", "scales", "biases"}) {
    const std::string q = "model.layers.3.mlp.down_proj.";
    const StoredArray array = ArrayOf(OpenCheckpoint(copy), q + plane);
    FlipBit(copy + "/model.safetensors", array.offset + array.bytes - 3);
    const Validated run({copy, "--against", source, "--all"});
    EXPECT_EQ(run.code, 3);
    ASSERT_EQ(run.Differences().size(), 1U) << run.Text();
    EXPECT_EQ(run.Differences()[0].Find("plane")->AsString(), plane);
    EXPECT_GT(run.Differences()[0].Find("max_difference")->AsDouble(), 0) << plane;
    FlipBit(copy + "/model.safetensors", array.offset + array.bytes - 3);
  }
}

// The largest difference is that of the stored numbers.
TEST(VerifyDamage, MeasuresTheDifference) {
  const TempDir folder;
  const std::string path = folder / "out.safetensors";
  Must({"convert", kSmallModel, path, "--no-sync"});
  const StoredArray array = ArrayOf(OpenCheckpoint(path), "model.norm.weight");
  std::string content = ReadTestFile(path);
  float value = 0;
  std::memcpy(&value, content.data() + array.offset + 20, sizeof(value));
  value += 0.75F;
  std::memcpy(content.data() + array.offset + 20, &value, sizeof(value));
  WriteTestFile(path, content);
  const Validated run({path, "--against", kSmallModel, "--all"});
  ASSERT_EQ(run.Differences().size(), 1U) << run.Text();
  EXPECT_NEAR(run.Differences()[0].Find("max_difference")->AsDouble(), 0.75, 1e-6);
  EXPECT_GE(run.Differences()[0].Find("offset")->AsUint64(), array.offset + 20);
  EXPECT_LT(run.Differences()[0].Find("offset")->AsUint64(), array.offset + 24);
}

TEST(VerifyDamage, FindsSwappedTensors) {
  const TempDir folder;
  const std::string path = folder / "out.safetensors";
  Must({"convert", kSmallModel, path, "-q", "8bit", "--no-sync"});
  const Checkpoint checkpoint = OpenCheckpoint(path);
  const StoredArray a = ArrayOf(checkpoint, "model.layers.0.mlp.up_proj.weight");
  const StoredArray b = ArrayOf(checkpoint, "model.layers.2.mlp.up_proj.weight");
  std::string content = ReadTestFile(path);
  std::swap_ranges(content.begin() + static_cast<ptrdiff_t>(a.offset),
                   content.begin() + static_cast<ptrdiff_t>(a.offset + a.bytes),
                   content.begin() + static_cast<ptrdiff_t>(b.offset));
  WriteTestFile(path, content);
  const Validated run({path, "--against", kSmallModel, "--all"});
  EXPECT_EQ(run.code, 3);
  ASSERT_EQ(run.Differences().size(), 2U) << run.Text();
  EXPECT_EQ(run.Differences()[0].Find("tensor")->AsString(), a.name);
  EXPECT_EQ(run.Differences()[1].Find("tensor")->AsString(), b.name);
}

TEST(VerifyDamage, FindsTheWrongSource) {
  const TempDir folder;
  const std::string data = LBRX_TEST_DATA "/merge/";
  Must({"convert", data + "a", folder / "out", "-q", "4bit", "--no-sync"});
  const Validated sister({folder / "out", "--against", data + "b", "--all"});
  EXPECT_EQ(sister.code, 3);
  EXPECT_GT(sister.Differences().size(), 30U);
  const Validated stranger({folder / "out", "--against", kModel, "--all"});
  EXPECT_EQ(stranger.code, 3);
  EXPECT_EQ(stranger.Against("tensors_compared").AsInt64(), 0);
  EXPECT_NE(stranger.Text().find("has another shape"), std::string::npos);
  EXPECT_NE(stranger.Text().find("is missing"), std::string::npos);
}

TEST(VerifyDamage, FindsMissingExtraAndRetypedTensors) {
  const TempDir folder;
  const std::string path = folder / "out.safetensors";
  Must({"convert", kSmallModel, path, "--no-sync"});
  std::vector<TestTensor> tensors;
  const Checkpoint checkpoint = OpenCheckpoint(path);
  for (const auto& [name, bytes] : ReadSafetensors(path)) {
    tensors.push_back({name, DType::kF32, checkpoint.Find(name)->shape, bytes});
  }
  std::erase_if(tensors, [](const TestTensor& each) {
    return each.name == "model.layers.1.mlp.up_proj.weight";
  });
  tensors.push_back(RandomTensor("more.weight", DType::kF32, {4, 4}));
  for (TestTensor& each : tensors) {
    if (each.name == "model.norm.weight") {
      each = RandomTensor(each.name, DType::kF16, each.shape);
    } else if (each.name == "model.layers.0.input_layernorm.weight") {
      each = RandomTensor(each.name, DType::kBF16, each.shape);
    }
  }
  WriteSafetensors(path, tensors);
  const Validated run({path, "--against", kSmallModel, "--all"});
  EXPECT_EQ(run.code, 3);
  EXPECT_TRUE(run.Differences().empty());
  EXPECT_EQ(run.Against("tensors_compared").AsUint64(), tensors.size() - 3);
  const std::string text = run.Text();
  for (const char* words : {"the source gives no such tensor", "is missing",
                            "is stored in another way, expected f32, found f16"}) {
    EXPECT_NE(text.find(words), std::string::npos) << words << " in " << text;
  }
  EXPECT_EQ(run.Of("error").size(), 4U) << text;
}

}  // namespace
}  // namespace lbrx
