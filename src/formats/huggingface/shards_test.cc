// Shards: index, sets, symbolic links, special files.
#include <sys/stat.h>

#include <chrono>
#include <filesystem>

#include "formats/huggingface/folder_listing.h"
#include "formats/huggingface/huggingface.h"
#include "formats/huggingface/test_folder.h"

namespace lbrx {
namespace {

namespace fs = std::filesystem;

class Shards : public FolderFixture {};

// --- row 27: names in the index ------------------------------------------------------------------

TEST_F(Shards, RefusesUnsafeNamesInTheIndex) {
  for (const char* name :
       {"../x.safetensors", "/etc/passwd", "a/../../b", "a/b.safetensors", "C:\\\\x", "c:x",
        "\\\\\\\\server\\\\share", "..", ".", "", "x\\u0000.safetensors", "nul", "COM1.safetensors",
        "x.safetensors ", "x.", "a\\nb", "x:stream"}) {
    WriteIndex("\"a\":\"" + std::string(name) + "\"");
    ExpectRefused({"model.safetensors.index.json: a: unsafe file name"});
  }
}

TEST(IsSafeShardName, Table) {
  for (const char* name :
       {"model.safetensors", "model-00001-of-00002.safetensors", "a b.safetensors",
        "com.safetensors", "console", "nulls.safetensors", "\xC3\xA9.safetensors"}) {
    EXPECT_TRUE(IsSafeShardName(name)) << name;
  }
  EXPECT_FALSE(IsSafeShardName(std::string(256, 'x')));
  EXPECT_FALSE(IsSafeShardName("LPT9.tar.gz"));
  EXPECT_FALSE(IsSafeShardName("Aux"));
  EXPECT_FALSE(IsSafeShardName("a\\b"));
}

TEST_F(Shards, RefusesAnIndexOfAnotherForm) {
  WriteTwoShards();
  const std::string index = "model.safetensors.index.json";
  for (const std::string text :
       {"{}", "[]", "{\"weight_map\":[]}", "{\"weight_map\":{\"a\":1}}", "{\"weight_map\":{",
        "{\"weight_map\":{\"a\":\"x\",\"a\":\"x\"}}", ""}) {
    Write(index, text);
    ExpectRefused({"model.safetensors.index.json"});
    // Collected, the headers alone tell what there is.
    EXPECT_EQ(Names(Open(true)), "abc") << text;
  }
}

// --- rows 28 to 32 -------------------------------------------------------------------------------

TEST_F(Shards, RefusesMissingShardsAndNamesThem) {
  Write(kFirst, Shard({"a"}));
  WriteIndex(R"("a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors",)"
             R"("c":"other.safetensors")");
  const Checkpoint checkpoint = ExpectProblem(
      {"2 of 3 shards are missing: model-00002-of-00002.safetensors, other.safetensors",
       "download"});
  EXPECT_EQ(Names(checkpoint), "a");
}

TEST_F(Shards, RefusesTensorsThatAreNotWhereTheIndexSays) {
  WriteTwoShards();
  Write(kSecond, Shard({"d"}));
  ExpectProblem({"index.json: c: the tensor is not in the shard", "model-00002", "in no shard"});
  Write(kSecond, Shard({"c"}));
  WriteIndex(R"("a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors",)"
             R"("c":"model-00002-of-00002.safetensors")");
  ExpectProblem({"b: the tensor is not in the shard", "expected it in model-00002",
                 "found it in model-00001"});
}

TEST_F(Shards, TensorsThatTheIndexDoesNotNameAreAWarning) {
  WriteTwoShards();
  Write(kSecond, Shard({"c", "d"}));
  WriteIndex(R"("a":"model-00001-of-00002.safetensors","b":"model-00001-of-00002.safetensors",)"
             R"("c":"model-00002-of-00002.safetensors")",
             R"({"total_size":4})");
  const Checkpoint checkpoint =
      ExpectWarning({"model-00002-of-00002.safetensors: d: the tensor is in the shard but not in"});
  EXPECT_EQ(Names(checkpoint), "abcd");
}

TEST_F(Shards, RefusesATensorInTwoShards) {
  WriteTwoShards();
  Write(kSecond, Shard({"c", "a"}));
  const Checkpoint checkpoint =
      ExpectProblem({"model-00002-of-00002.safetensors: a: the same tensor is in two shards",
                     "model-00001-of-00002.safetensors"});
  EXPECT_EQ(checkpoint.arrays.size(), 4U);
  fs::remove(folder_ / "model.safetensors.index.json");
  ExpectProblem({"a: the same tensor is in two shards"});
}

TEST_F(Shards, WrongTotalSizeIsAWarning) {
  WriteTwoShards();
  const std::string map =
      R"("a":"model-00001-of-00002.safetensors","b":"model-00001-of-00002.safetensors",)"
      R"("c":"model-00002-of-00002.safetensors")";
  WriteIndex(map, R"({"total_size":4})");
  ExpectWarning({"metadata.total_size", "expected 3, found 4"});
  // Right, right as a float, absent.
  for (const char* metadata : {R"({"total_size":3})", R"({"total_size":3.0})", "{}", "null"}) {
    WriteIndex(map, metadata);
    EXPECT_TRUE(Open(false, true).problems.empty()) << metadata;
  }
}

TEST_F(Shards, SeveralShardsWithoutAnIndexAreAWarning) {
  WriteTwoShards();
  fs::remove(folder_ / "model.safetensors.index.json");
  EXPECT_EQ(Names(ExpectWarning({"2 shards without an index"})), "abc");
}

TEST_F(Shards, RefusesAnIncompleteSet) {
  Write("model-00002-of-00005.safetensors", Shard({"a"}));
  Write("model-00005-of-00005.safetensors", Shard({"b"}));
  ExpectProblem({"model-NNNNN-of-00005 is incomplete", "numbers 1 to 5", "no number 1, 3, 4"});
  fs::remove(folder_ / "model-00002-of-00005.safetensors");
  fs::remove(folder_ / "model-00005-of-00005.safetensors");
  Write("model-00001-of-99999.safetensors", Shard({"c"}));
  ExpectProblem(
      {"of-99999 is incomplete", "no number 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 99988 more"});
}

TEST_F(Shards, RefusesANumberBeyondTheSet) {
  Write("model-00001-of-00001.safetensors", Shard({"a"}));
  EXPECT_EQ(Names(Open()), "a");
  Write("model-00002-of-00001.safetensors", Shard({"b"}));
  ExpectProblem({"of-00001 is incomplete", "a number beyond"});
}

TEST(ParseShardName, Table) {
  const auto number = ParseShardName("model-00002-of-000163.safetensors");
  ASSERT_TRUE(number.has_value());
  EXPECT_EQ(number->stem, "model");
  EXPECT_EQ(number->number, 2U);
  EXPECT_EQ(number->count, 163U);
  EXPECT_EQ(ParseShardName("my-model-00001-of-00002.safetensors")->stem, "my-model");
  for (const char* name : {"model.safetensors", "-of-.safetensors", "a-of-00002.safetensors",
                           "model-1-of-2.safetensors", "model-00001-of-00002.gguf",
                           "model-0000x-of-00002.safetensors", "of-00001-of-.safetensors",
                           "model-00001-of-99999999999.safetensors", "-of-00001.safetensors"}) {
    EXPECT_FALSE(ParseShardName(name).has_value()) << name;
  }
}

// --- rows 33 and 34: links and special files -----------------------------------------------------

TEST_F(Shards, ShardsOfTheHubCacheAreLinks) {
  fs::create_directories(folder_ / "models--o--n/blobs");
  fs::create_directories(folder_ / "models--o--n/snapshots/abc");
  WriteTestFile(folder_ / "models--o--n/blobs/0123", Shard({"a"}));
  WriteTestFile(folder_ / "models--o--n/blobs/4567", "{}");
  const std::string snapshot = folder_ / "models--o--n/snapshots/abc/";
  fs::create_symlink("../../blobs/0123", snapshot + "model.safetensors");
  fs::create_symlink("../../blobs/4567", snapshot + "config.json");
  fs::create_symlink("../../blobs/4567", snapshot + "tokenizer.json");
  OpenOptions options;
  options.strict = true;
  const Checkpoint checkpoint = OpenCheckpoint(snapshot, options);
  EXPECT_EQ(Names(checkpoint), "a");
  EXPECT_EQ(checkpoint.side_files.size(), 1U);
}

TEST_F(Shards, LinksInsideTheFolderAreFineOthersAWarning) {
  Write("data", Shard({"a"}));
  fs::create_symlink("data", folder_ / "model.safetensors");
  EXPECT_TRUE(Open(false, true).problems.empty());
  TempDir elsewhere;
  WriteTestFile(elsewhere / "x", Shard({"b"}));
  fs::remove(folder_ / "model.safetensors");
  fs::create_symlink(elsewhere / "x", folder_ / "model.safetensors");
  EXPECT_EQ(Names(ExpectWarning({"symbolic link out of the folder", elsewhere.path().c_str()})),
            "b");
}

TEST_F(Shards, RefusesLoopsAndBrokenLinks) {
  fs::create_symlink("model.safetensors", folder_ / "model.safetensors");
  ExpectProblem({"model.safetensors: the symbolic link leads in a circle"});
  fs::remove(folder_ / "model.safetensors");
  fs::create_symlink("../../blobs/absent", folder_ / "model.safetensors");
  ExpectProblem({"the symbolic link is broken", "blobs/absent", "hf download"});
}

TEST_F(Shards, RefusesShardsThatAreNoRegularFiles) {
  ASSERT_EQ(mkfifo((folder_ / "model.safetensors").c_str(), 0600), 0);
  ExpectProblem({"model.safetensors", "a regular file", "FIFO"});
  fs::remove(folder_ / "model.safetensors");
  fs::create_directory(folder_ / "model.safetensors");
  ExpectProblem({"model.safetensors", "a regular file", "directory"});
  fs::remove(folder_ / "model.safetensors");
  fs::create_symlink("/dev/zero", folder_ / "model.safetensors");
  ExpectRefused({"model.safetensors", "a regular file"});
}

TEST_F(Shards, RefusesPointersInPlaceOfShards) {
  WriteTwoShards();
  Write(kSecond, "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
  const Checkpoint checkpoint = ExpectProblem({kSecond, "Git LFS pointer", "git lfs pull"});
  // What the broken shard should hold is not reported once more.
  EXPECT_EQ(Names(checkpoint), "ab");
  EXPECT_EQ(std::count_if(checkpoint.problems.begin(), checkpoint.problems.end(),
                          [](const Problem& p) { return p.severity == Severity::kError; }),
            1);
}

TEST_F(Shards, OpensThousandsOfTensorsInHundredsOfShards) {
  constexpr int kShards = 163;
  constexpr int kEach = 565;  // 92,095 in all, as in the largest checkpoints of 2025
  std::string map;
  for (int s = 0; s < kShards; ++s) {
    const std::string file = "model-" +
                             std::string(s < 9    ? "0000"
                                         : s < 99 ? "000"
                                                  : "00") +
                             std::to_string(s + 1) + "-of-00163.safetensors";
    std::vector<std::string> names;
    for (int i = 0; i < kEach; ++i) {
      names.push_back("model.layers." + std::to_string(s) + ".mlp.experts." + std::to_string(i) +
                      ".down_proj.weight");
      map += (map.empty() ? "\"" : ",\"") + names.back() + "\":\"" + file + "\"";
    }
    Write(file, Shard(names));
  }
  WriteIndex(map, "{\"total_size\":92095}");
  const auto start = std::chrono::steady_clock::now();
  const Checkpoint checkpoint = Open(false, true);
  // 0.4 s optimised on one core.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  EXPECT_EQ(checkpoint.tensors.size(), 92'095U);
  EXPECT_EQ(checkpoint.tensors[565 * 2 + 10].name,
            "model.layers.2.mlp.experts.10.down_proj.weight");
}

}  // namespace
}  // namespace lbrx
