// hash --manifest and validate --manifest.
#include <filesystem>

#include "cli/test_verify.h"
#include "support/checkpoints.h"

namespace lbrx {
namespace {

class ManifestTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Must({"convert", kModel, model_, "-q", "4bit", "--shard-size", "1MB", "--no-sync"});
    Must({"hash", model_, "--manifest", manifest_});
  }

  Validated Check(const std::string& path) const {
    return Validated({path, "--manifest", manifest_});
  }

  const TempDir folder_;
  const std::string model_ = folder_ / "model";
  const std::string manifest_ = folder_ / "manifest.json";
};

TEST_F(ManifestTest, FitsWhatItWasMadeOf) {
  const Json json = ParseJson(ReadTestFile(manifest_), manifest_);
  EXPECT_EQ(json.Find("schema")->AsString(), "lbrx.manifest.v1");
  EXPECT_EQ(json.Find("tensors")->AsArray().size(), 57U);
  const Json& first = json.Find("tensors")->AsArray()[0];
  EXPECT_EQ(first.Find("scheme")->AsString(), "4bit/64");
  EXPECT_EQ(WriteJson(*first.Find("shape")), "[2048,256]");
  const Validated run = Check(model_);
  EXPECT_EQ(run.code, 0) << run.Text();
  EXPECT_TRUE(run.Problems().empty()) << run.Text();
  // The same model has the same manifest, byte for byte.
  const std::string before = ReadTestFile(manifest_);
  Must({"hash", model_, "--manifest", manifest_, "--threads", "1"});
  EXPECT_EQ(ReadTestFile(manifest_), before);
}

TEST_F(ManifestTest, NamesTheTensorAndTheFileOfAFlippedBit) {
  const Checkpoint checkpoint = OpenCheckpoint(model_);
  ASSERT_GE(checkpoint.files.size(), 3U);
  const SourceTensor& tensor = *checkpoint.Find("model.layers.4.mlp.up_proj.weight");
  const StoredArray& scales = checkpoint.arrays[tensor.planes[1]];
  const std::string file = checkpoint.files[scales.file].path;
  FlipBit(file, scales.offset + 5);
  const Validated run = Check(model_);
  EXPECT_EQ(run.code, 3);
  const Words errors = run.Of("error");
  ASSERT_EQ(errors.size(), 2U) << run.Text();
  EXPECT_TRUE(errors[0].starts_with(file + "|" + tensor.name + "|has other values")) << errors[0];
  EXPECT_TRUE(errors[1].starts_with(file + "||has other bytes")) << errors[1];
}

TEST_F(ManifestTest, NamesTheTensorInAGgufFile) {
  const std::string gguf = folder_ / "q.gguf";
  const std::string manifest = folder_ / "gguf.json";
  Must({"quantize", kModel, gguf, "Q8_0", "--no-sync"});
  Must({"hash", gguf, "--manifest", manifest});
  const Checkpoint checkpoint = OpenCheckpoint(gguf);
  const SourceTensor& tensor = *checkpoint.Find("blk.3.attn_q.weight");  // its rows are moved
  FlipBit(gguf, checkpoint.arrays[tensor.planes[0]].offset + 100);
  const Validated run({gguf, "--manifest", manifest});
  EXPECT_EQ(run.code, 3);
  EXPECT_TRUE(run.Of("error")[0].starts_with(
      gguf + "|model.layers.3.self_attn.q_proj.weight|has other values"))
      << run.Text();
}

TEST_F(ManifestTest, FollowsTensorsIntoOtherFiles) {
  const std::string whole = folder_ / "whole";
  Must({"convert", model_, whole, "--to", "mlx", "--no-sync"});
  const Validated run = Check(whole);
  EXPECT_EQ(run.code, 0) << run.Text();
  EXPECT_NE(run.Text().find("all 57 tensors have the same values"), std::string::npos);
}

TEST_F(ManifestTest, FollowsARenamedFile) {
  const std::string before = folder_ / "before.safetensors";
  const std::string after = folder_ / "after.safetensors";
  WriteSafetensors(before, TinyLlama().Tensors());
  Must({"hash", before, "--manifest", manifest_});
  std::filesystem::rename(before, after);
  const Validated run = Check(after);
  EXPECT_EQ(run.code, 0) << run.Text();
  EXPECT_NE(run.Text().find("lie in other files"), std::string::npos) << run.Text();
  // Where a tensor is not the same any more, being elsewhere excuses nothing.
  FlipBit(after, std::filesystem::file_size(after) - 3);
  const Validated damaged = Check(after);
  EXPECT_EQ(damaged.code, 3);
  EXPECT_EQ(damaged.Of("error").size(), 2U) << damaged.Text();
}

TEST_F(ManifestTest, FollowsFloatsIntoGguf) {
  const std::string manifest = folder_ / "floats.json";
  Must({"hash", kModel, "--manifest", manifest});
  Must({"convert", kModel, folder_ / "floats.gguf", "--no-sync"});
  const Validated run({folder_ / "floats.gguf", "--manifest", manifest});
  EXPECT_EQ(run.code, 0) << run.Text();
  EXPECT_NE(run.Text().find("13 tensors have the same values, but are stored in another way"),
            std::string::npos)
      << run.Text();
}

TEST_F(ManifestTest, SmallFilesCountToo) {
  WriteTestFile(model_ + "/config.json", ReadTestFile(model_ + "/config.json") + "\n");
  std::filesystem::remove(model_ + "/generation_config.json");
  WriteTestFile(model_ + "/more.json", "{}");
  const Validated run = Check(model_);
  EXPECT_EQ(run.code, 3);
  const Words errors = run.Of("error");
  ASSERT_EQ(errors.size(), 2U) << run.Text();
  EXPECT_TRUE(errors[0].starts_with(model_ + "/config.json||has another size")) << errors[0];
  EXPECT_TRUE(errors[1].starts_with(model_ + "/generation_config.json||is missing")) << errors[1];
  EXPECT_EQ(run.Of("warning"), Words{model_ + "/more.json||the manifest has no such file"});
}

TEST_F(ManifestTest, MissingAndExtraTensors) {
  const std::string path = folder_ / "bare.safetensors";
  std::vector<TestTensor> tensors = TinyLlama().Tensors();
  WriteSafetensors(path, tensors);
  Must({"hash", path, "--manifest", manifest_});
  tensors.back() = RandomTensor("another.weight", DType::kBF16, {8, 64});
  tensors.front() = RandomTensor(tensors.front().name, DType::kBF16, {2, 2});
  WriteSafetensors(path, tensors);
  const Validated run = Check(path);
  EXPECT_EQ(run.code, 3);
  for (const char* words :
       {"the manifest has no such tensor", "is missing, expected bf16", "has another shape"}) {
    EXPECT_NE(run.Text().find(words), std::string::npos) << words << run.Text();
  }
}

TEST_F(ManifestTest, TellsOfAMissingShardAndACutOne) {
  const std::string shard = OpenCheckpoint(model_).files[1].path;
  const std::string content = ReadTestFile(shard);
  std::filesystem::remove(shard);
  const Validated missing = Check(model_);
  EXPECT_EQ(missing.code, 3);
  EXPECT_NE(
      missing.Text().find(shard + "\",\"object\":null,\"offset\":null,\"message\":\"is missing"),
      std::string::npos)
      << missing.Text();
  WriteTestFile(shard, content.substr(0, 6));  // no header any more
  const Validated cut = Check(model_);
  EXPECT_EQ(cut.code, 3);
  EXPECT_NE(cut.Text().find("has another size"), std::string::npos) << cut.Text();
}

TEST_F(ManifestTest, ADamagedManifestIsSaidToBe) {
  const std::string good = ReadTestFile(manifest_);
  const size_t digit = good.find("\"xxh3_128\": \"") + 20;
  std::string bad = good;
  bad[digit] = bad[digit] == '0' ? '1' : '0';
  WriteTestFile(manifest_, bad);
  for (const std::string& content : {bad, good.substr(0, good.size() / 2), std::string("{}")}) {
    WriteTestFile(manifest_, content);
    const Validated run = Check(model_);
    EXPECT_EQ(run.code, 3);
    const Words errors = run.Of("error");
    ASSERT_EQ(errors.size(), 1U) << run.Text();
    EXPECT_TRUE(errors[0].starts_with(manifest_ + "||the manifest itself is damaged")) << errors[0];
  }
  EXPECT_EQ(Validated({model_, "--manifest", folder_ / "nothing.json"}).code, 5);
}

TEST_F(ManifestTest, AllChecksGoTogether) {
  const Words args = {"validate", model_,  "--deep", "--manifest", manifest_,    "--against",
                      kModel,     "--all", "--json", "--strict",   "--progress", "json"};
  const AppRun run = RunForTest(args);
  EXPECT_EQ(run.code, 0) << run.out;
  // Each of the three tells when it is done.
  size_t done = 0;
  for (size_t at = run.err.find("\"done\""); at != std::string::npos;
       at = run.err.find("\"done\"", at + 1)) {
    ++done;
  }
  EXPECT_EQ(done, 3U) << run.err;
}

TEST_F(ManifestTest, MayLieInTheFolder) {
  const std::string inside = model_ + "/manifest.json";
  for (int i = 0; i < 2; ++i) {
    Must({"hash", model_, "--manifest", inside});
    const Validated run({model_, "--manifest", inside});
    EXPECT_EQ(run.code, 0) << run.Text();
    EXPECT_TRUE(run.Problems().empty()) << run.Text();
  }
}

TEST_F(ManifestTest, WritesOverNothingElse) {
  const std::string other = folder_ / "other.json";
  WriteTestFile(other, "{\"mine\": 1}");
  const AppRun run = RunForTest({"hash", model_, "--manifest", other});
  EXPECT_EQ(run.code, 5);
  EXPECT_EQ(ReadTestFile(other), "{\"mine\": 1}");
}

}  // namespace
}  // namespace lbrx
