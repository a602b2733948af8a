// validate --against: outputs of every kind are what their source gives, and every change is found.
#include <filesystem>

#include "cli/test_verify.h"
#include "core/tensor/convert.h"
#include "merge/test_merges.h"

namespace lbrx {
namespace {

// An output and what it is verified with.
struct Conversion {
  const char* name;
  std::string source;
  std::string destination;  // in the test's folder
  Words options;            // that made it
  Words told;               // what `validate` is told of them
};

class VerifyConversion : public ::testing::TestWithParam<Conversion> {};

TEST_P(VerifyConversion, IsWhatTheSourceGives) {
  const Conversion& made = GetParam();
  const TempDir folder;
  const std::string path = folder / made.destination;
  Must(Words{"convert", made.source, path, "--no-sync"} + made.options);
  const Validated run(Words{path, "--against", made.source, "--all"} + made.told);
  EXPECT_EQ(run.code, 0) << run.Text();
  EXPECT_EQ(run.Against("tensors_compared"), run.Against("tensors"));
  EXPECT_EQ(run.Against("tensors_compared"), run.At("tensors"));
  uint64_t bytes = 0;
  for (const StoredArray& array : OpenCheckpoint(path).arrays) {
    bytes += array.bytes;
  }
  EXPECT_EQ(run.Against("bytes_compared").AsUint64(), bytes);
  for (const std::string& warning : run.Of("warning")) {
    EXPECT_EQ(warning.find("conversion"), std::string::npos) << warning;
  }
}

const std::string kImatrix = LBRX_TEST_DATA "/imatrix/imatrix.gguf";

INSTANTIATE_TEST_SUITE_P(
    All, VerifyConversion,
    ::testing::Values(
        Conversion{"floats", kSmallModel, "out", {}, {}},
        Conversion{"sharded", kSmallModel, "out", {"--shard-size", "300kB"}, {}},
        Conversion{"half", kSmallModel, "out", {"--dtype", "f16"}, {}},
        Conversion{"bare", kSmallModel, "out.safetensors", {"-q", "4bit"}, {}},
        Conversion{"mlx4", kModel, "out", {"-q", "4bit"}, {}},
        Conversion{"mlx4sharded", kSmallModel, "out", {"-q", "4bit", "--shard-size", "100kB"}, {}},
        Conversion{"mlx3half", kSmallModel, "out", {"-q", "3bit", "--dtype", "f16"}, {}},
        Conversion{"mixed", kSmallModel, "out", {"-q", "mixed_3_6"}, {}},
        Conversion{"mxfp4", kSmallModel, "out", {"-q", "mxfp4", "--dtype", "bf16"}, {}},
        Conversion{"nvfp4", kSmallModel, "out", {"-q", "nvfp4"}, {}},
        Conversion{"target", kSmallModel, "out", {"-q", "4bit", "--target-bpw", "6"}, {}},
        Conversion{"rules",
                   kSmallModel,
                   "out",
                   {"-q", "4bit", "--override", "down_proj=8bit/32", "--keep", "lm_head"},
                   {}},
        Conversion{"rulesGiven",
                   kSmallModel,
                   "out",
                   {"-q", "4bit", "--override", "down_proj=8bit/32", "--keep", "lm_head"},
                   {"-q", "4bit", "--override", "down_proj=8bit/32", "--keep", "lm_head"}},
        Conversion{
            "cpu", kSmallModel, "out", {"-q", "4bit", "--mlx-rule", "cpu"}, {"--mlx-rule", "cpu"}},
        Conversion{"search", kSmallModel, "out", {"-q", "2bit", "--search"}, {"--search"}},
        Conversion{"gguf", kModel, "out.gguf", {}, {}},
        Conversion{"ggufHalf", kModel, "out.gguf", {"--dtype", "f16"}, {}},
        Conversion{"ggufEmbedded", kModel, "out.gguf", {"--embed-hf"}, {"--embed-hf"}}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Verify, GgufQuantizations) {
  const TempDir folder;
  const std::string plain = folder / "q4.gguf";
  const std::string weighted = folder / "iq.gguf";
  Must({"quantize", kModel, plain, "Q4_K_M", "--no-sync"});
  EXPECT_EQ(Validated({plain, "--against", kModel, "--all", "--strict"}).code, 0);
  EXPECT_EQ(Validated({plain, "--against", kModel, "--all", "--strict", "-q", "Q4_K_M"}).code, 0);
  const Validated other({plain, "--against", kModel, "--all", "-q", "Q8_0"});
  EXPECT_EQ(other.code, 3);
  EXPECT_EQ(other.Against("tensors_compared").AsInt64(), 13) << "the norms";
  EXPECT_EQ(other.Of("error").size(), 44U) << other.Text();

  Must({"quantize", kModel, weighted, "IQ3_S", "--imatrix", kImatrix, "--no-sync"});
  EXPECT_EQ(Validated({weighted, "--against", kModel, "--imatrix", kImatrix, "--strict"}).code, 0);
  const Validated without({weighted, "--against", kModel});
  EXPECT_EQ(without.code, 3);
  EXPECT_NE(without.Against("hint").AsString().find("--imatrix"), std::string::npos);
  EXPECT_NE(without.Text().find("quantize.imatrix.file"), std::string::npos);
}

TEST(Verify, GgufInParts) {
  const TempDir folder;
  Must({"quantize", kModel, folder / "out.gguf", "Q8_0", "--shard-size", "3MB", "--no-sync"});
  const Validated run({folder / "out-00001-of-00002.gguf", "--against", kModel, "--strict"});
  EXPECT_EQ(run.code, 0) << run.Text();
  EXPECT_EQ(run.Against("tensors").AsInt64(), 57);
}

TEST(Verify, FromQuantizedSources) {
  const TempDir folder;
  const std::string mlx = folder / "mlx";
  const std::string gguf = folder / "q.gguf";
  Must({"convert", kModel, mlx, "-q", "4bit", "--group-size", "32", "--no-sync"});
  Must({"quantize", kModel, gguf, "Q4_K_M", "--pure", "--no-sync"});
  const auto check = [&](const std::string& source, const std::string& destination,
                         const Words& options, const Words& told) {
    const std::string path = folder / destination;
    Must(Words{"convert", source, path, "--no-sync"} + options);
    const Validated run(Words{path, "--against", source, "--all"} + told);
    EXPECT_EQ(run.code, 0) << destination << run.Text();
    return run;
  };
  check(mlx, "mlx-hf", {"--dequantize"}, {});
  check(mlx, "mlx-copy", {}, {});
  check(mlx, "mlx.gguf", {}, {});
  check(gguf, "gguf-hf", {}, {});
  check(gguf, "gguf-mlx", {"--to", "mlx"}, {});
  check(gguf, "gguf-anew", {"-q", "4bit", "--group-size", "32"},
        {"-q", "4bit", "--group-size", "32"});
  check(gguf, "small.gguf", {"-q", "Q2_K"}, {});
  // Without being told, codes are thought to be carried over; trying the other way explains it.
  const Validated untold({folder / "gguf-anew", "--against", gguf});
  EXPECT_EQ(untold.code, 3);
  EXPECT_NE(untold.Against("hint").AsString().find("-q 4bit/32"), std::string::npos)
      << untold.Text();
}

TEST(Verify, Merges) {
  const TempDir folder;
  const std::string config = folder / "merge.yml";
  WriteTestFile(config, ConfigOf("dare_ties"));
  const auto check = [&](const std::string& destination, const Words& options, const Words& told,
                         int code) {
    const std::string path = folder / destination;
    Must(Words{"merge", config, path, "--no-sync"} + options);
    const Validated run(Words{path, "--against", config, "--all"} + told);
    EXPECT_EQ(run.code, code) << destination << run.Text();
    return run;
  };
  check("merged", {}, {}, 0);
  check("half", {"--dtype", "bf16"}, {}, 0);
  check("mlx", {"-q", "4bit"}, {}, 0);
  check("seeded", {"--random-seed", "7"}, {"--random-seed", "7"}, 0);
  EXPECT_FALSE(check("unseeded", {"--random-seed", "7"}, {}, 3).Differences().empty());
  check("peer", {"--compat", "mergekit"}, {"--compat", "mergekit"}, 0);
  const Validated untold = check("untold", {"--compat", "mergekit"}, {}, 3);
  EXPECT_NE(untold.Against("hint").AsString().find("--compat mergekit"), std::string::npos)
      << untold.Text();
}

TEST(Verify, NamesTheOptionThatWasForgotten) {
  const TempDir folder;
  for (const Words& option : {Words{"--mlx-rule", "cpu"}, Words{"--search"}}) {
    const std::string path = folder / option[0];
    Must(Words{"convert", kSmallModel, path, "-q", "4bit", "--no-sync"} + option);
    const Validated run({path, "--against", kSmallModel});
    EXPECT_EQ(run.code, 3);
    EXPECT_TRUE(run.Against("hint").AsString().starts_with(option[0])) << run.Text();
  }
}

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

TEST(Verify, FindsAFlippedBitInEveryPlane) {
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

TEST(Verify, FindsAFlippedBitInCarriedCodes) {
  const TempDir folder;
  const std::string source = folder / "source";
  const std::string copy = folder / "copy";
  Must({"convert", kSmallModel, source, "-q", "3bit", "--no-sync"});
  Must({"convert", source, copy, "--no-sync"});
  for (const std::string& plane : {"weight", "scales", "biases"}) {
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
TEST(Verify, MeasuresTheDifference) {
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

TEST(Verify, FindsSwappedTensors) {
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

TEST(Verify, FindsTheWrongSource) {
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

TEST(Verify, FindsMissingExtraAndRetypedTensors) {
  const TempDir folder;
  const std::string path = folder / "out.safetensors";
  Must({"convert", kSmallModel, path, "--no-sync"});
  std::vector<TestTensor> tensors;
  const Checkpoint checkpoint = OpenCheckpoint(path);
  for (const auto& [name, bytes] : ReadSafetensors(path)) {
    tensors.push_back({name, DType::kF32, checkpoint.Find(name)->shape, bytes});
  }
  std::erase_if(tensors, [](const TestTensor& each) { return each.name == "lm_head.weight"; });
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

TEST(Verify, WarnsOfWhatStandsBesideTheTensors) {
  const TempDir folder;
  const std::string path = folder / "out";
  Must({"convert", kModel, path, "-q", "4bit", "--no-sync"});
  EXPECT_EQ(Validated({path, "--against", kModel, "--strict"}).code, 0);
  std::string config = ReadTestFile(path + "/config.json");
  const std::string layers = R"("max_position_embeddings": 1024)";
  ASSERT_NE(config.find(layers), std::string::npos) << config;
  config.replace(config.find(layers), layers.size(), R"("max_position_embeddings": 2048)");
  WriteTestFile(path + "/config.json", config);
  WriteTestFile(path + "/chat_template.jinja", "changed");
  std::filesystem::remove(path + "/generation_config.json");
  const Validated run({path, "--against", kModel});
  EXPECT_EQ(run.code, 0) << run.Text();
  const Words warnings = run.Of("warning");
  ASSERT_EQ(warnings.size(), 3U) << run.Text();
  EXPECT_EQ(warnings[0], path + "/chat_template.jinja||is not what the conversion writes");
  EXPECT_EQ(warnings[1], path + "/generation_config.json||is missing");
  EXPECT_EQ(warnings[2], path +
                             "/config.json|max_position_embeddings|is not what the conversion "
                             "writes, expected 1024, found 2048");
  EXPECT_EQ(Validated({path, "--against", kModel, "--strict"}).code, 3);
}

TEST(Verify, IsTheSameForAnyThreadsAndLittleMemory) {
  const TempDir folder;
  const std::string path = folder / "out";
  Must({"convert", kSmallModel, path, "-q", "4bit", "--no-sync"});
  FlipBit(path + "/model.safetensors", std::filesystem::file_size(path + "/model.safetensors") - 9);
  const Words args = {path, "--against", kSmallModel, "--all"};
  const Validated one(args + Words{"--threads", "1", "--memory", "16MiB"});
  const Validated many(args + Words{"--threads", "7"});
  EXPECT_EQ(one.code, 3);
  EXPECT_TRUE(one.json == many.json) << one.Text() << many.Text();
}

TEST(Verify, RefusesWhatMakesNoSense) {
  const TempDir folder;
  EXPECT_EQ(Validated({kSmallModel, "--all"}).code, 2);
  EXPECT_EQ(Validated({kSmallModel, "--imatrix", kImatrix}).code, 2);
  EXPECT_EQ(Validated({kSmallModel, "--against", folder / "nothing"}).code, 5);
  EXPECT_EQ(Validated({kSmallModel, "--against", kSmallModel, "--imatrix", kImatrix}).code, 2);
}

}  // namespace
}  // namespace lbrx
