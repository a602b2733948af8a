// validate --against: outputs of every kind are what their source gives, and every change is found.
#include <filesystem>

#include "cli/test_verify.h"
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
            "cpu", kModel, "out", {"-q", "4bit", "--mlx-rule", "cpu"}, {"--mlx-rule", "cpu"}},
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
  const std::string first = ListDirectory(folder.path()).at(0);
  ASSERT_TRUE(first.starts_with("out-00001-of-0000")) << first;
  const Validated run({folder / first, "--against", kModel, "--strict"});
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
    Validated run(Words{path, "--against", config, "--all"} + told);
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
    Must(Words{"convert", kModel, path, "-q", "4bit", "--no-sync"} + option);
    const Validated run({path, "--against", kModel});
    EXPECT_EQ(run.code, 3);
    EXPECT_TRUE(run.Against("hint").AsString().starts_with(option[0])) << run.Text();
  }
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

TEST(Verify, CanBeStopped) {
  const AppRun run =
      RunForTest({"validate", kSmallModel, "--against", kSmallModel}, {.cancelled = true});
  EXPECT_EQ(run.code, 130) << run.err;
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
