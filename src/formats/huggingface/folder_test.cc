// Folders: shards, index, symbolic links, side files, and what is refused.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "core/base/error.h"
#include "core/parallel/executor.h"
#include "formats/huggingface/folder_listing.h"
#include "formats/huggingface/huggingface.h"
#include "hostile/raw_file.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

namespace fs = std::filesystem;

// A shard with one-byte tensors of these names.
std::string Shard(const std::vector<std::string>& names) {
  std::string json = "{";
  for (size_t i = 0; i < names.size(); ++i) {
    json += (i == 0 ? "" : ",") + RawEntry(names[i], "U8", "[1]", i, i + 1);
  }
  return RawSafetensors(json + "}", names.size());
}

class Folder : public testing::Test {
 protected:
  Folder() { Write("config.json", "{\"model_type\":\"x\"}"); }

  void Write(const std::string& name, const std::string& content) {
    WriteTestFile(folder_ / name, content);
  }

  // Two shards and their index: a and b in the first, c in the second.
  void WriteTwoShards() {
    Write(kFirst, Shard({"a", "b"}));
    Write(kSecond, Shard({"c"}));
    WriteIndex(R"("a":"model-00001-of-00002.safetensors","b":"model-00001-of-00002.safetensors",)"
               R"("c":"model-00002-of-00002.safetensors")");
  }

  void WriteIndex(const std::string& map, const std::string& metadata = R"({"total_size":3})") {
    Write("model.safetensors.index.json",
          "{\"metadata\":" + metadata + ",\"weight_map\":{" + map + "}}");
  }

  Checkpoint Open(bool collect = false, bool strict = false) {
    OpenOptions options;
    options.collect_problems = collect;
    options.strict = strict;
    return OpenCheckpoint(folder_.path(), options);
  }

  void ExpectRefused(std::initializer_list<const char*> words, bool strict = false) {
    std::string message = "accepted";
    try {
      Open(false, strict);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalid) << error.what();
      message = error.what();
    }
    for (const char* word : words) {
      EXPECT_NE(message.find(word), std::string::npos) << "\"" << word << "\" in: " << message;
    }
  }

  // Refused, and listed as an error where problems are collected.
  Checkpoint ExpectProblem(std::initializer_list<const char*> words) {
    ExpectRefused(words);
    Checkpoint checkpoint = Open(true);
    ExpectListed(checkpoint, Severity::kError, words);
    return checkpoint;
  }

  // Accepted with a warning; refused where strict.
  Checkpoint ExpectWarning(std::initializer_list<const char*> words) {
    Checkpoint checkpoint = Open();
    ExpectListed(checkpoint, Severity::kWarning, words);
    ExpectRefused(words, true);
    return checkpoint;
  }

  static void ExpectListed(const Checkpoint& checkpoint, Severity severity,
                           std::initializer_list<const char*> words) {
    std::string all;
    for (const Problem& problem : checkpoint.problems) {
      const std::string message = FormatMessage(problem.detail);
      all += message + "\n";
      const bool matches = std::all_of(words.begin(), words.end(), [&](const char* word) {
        return message.find(word) != std::string::npos;
      });
      if (matches && problem.severity == severity) {
        return;
      }
    }
    ADD_FAILURE() << "no such problem in:\n" << all;
  }

  static std::string Names(const Checkpoint& checkpoint) {
    std::string out;
    for (const SourceTensor& tensor : checkpoint.tensors) {
      out += tensor.name;
    }
    return out;
  }

  static constexpr char kFirst[] = "model-00001-of-00002.safetensors";
  static constexpr char kSecond[] = "model-00002-of-00002.safetensors";
  TempDir folder_;
};

TEST_F(Folder, OneShard) {
  Write("model.safetensors", Shard({"b", "a"}));
  const Checkpoint checkpoint = Open();
  EXPECT_EQ(checkpoint.format, "huggingface");
  EXPECT_EQ(checkpoint.path, folder_.path());
  EXPECT_EQ(checkpoint.folder, folder_.path());
  EXPECT_NE(checkpoint.reason.find("model.safetensors"), std::string::npos);
  EXPECT_EQ(checkpoint.config.Find("model_type")->AsString(), "x");
  EXPECT_EQ(Names(checkpoint), "ab");
  EXPECT_EQ(checkpoint.arrays[0].name, "b");
  EXPECT_TRUE(checkpoint.problems.empty());
  ASSERT_EQ(checkpoint.files.size(), 1U);
  EXPECT_EQ(checkpoint.files[0].path, folder_ / "model.safetensors");
  EXPECT_EQ(checkpoint.files[0].fingerprint,
            File::OpenRead(checkpoint.files[0].path)->GetFingerprint());
}

TEST_F(Folder, ShardsByIndexInOrder) {
  WriteTwoShards();
  Executor executor(4);
  OpenOptions options;
  options.executor = &executor;
  for (int i = 0; i < 20; ++i) {
    const Checkpoint checkpoint = OpenCheckpoint(folder_.path(), options);
    EXPECT_TRUE(checkpoint.problems.empty());
    ASSERT_EQ(checkpoint.arrays.size(), 3U);
    EXPECT_EQ(checkpoint.arrays[0].file, 0U);
    EXPECT_EQ(checkpoint.arrays[2].name, "c");
    EXPECT_EQ(checkpoint.arrays[2].file, 1U);
    EXPECT_EQ(checkpoint.files[1].path, folder_ / kSecond);
  }
}

TEST_F(Folder, FirstErrorIsThatOfTheFirstShard) {
  WriteTwoShards();
  Write(kFirst, "short");
  Write(kSecond, "short");
  Executor executor(4);
  OpenOptions options;
  options.executor = &executor;
  for (int i = 0; i < 20; ++i) {
    try {
      OpenCheckpoint(folder_.path(), options);
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.detail().file, folder_ / kFirst);
    }
  }
}

TEST_F(Folder, ABareFileInAFolderIsOnlyThatFile) {
  WriteTwoShards();
  const Checkpoint checkpoint = OpenCheckpoint(folder_ / kFirst);
  EXPECT_EQ(checkpoint.format, "safetensors");
  EXPECT_EQ(checkpoint.folder, "");
  EXPECT_TRUE(checkpoint.config.is_null());
  EXPECT_TRUE(checkpoint.side_files.empty());
  EXPECT_EQ(Names(checkpoint), "ab");
}

// --- row 27: names in the index ------------------------------------------------------------------

TEST_F(Folder, RefusesUnsafeNamesInTheIndex) {
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

TEST_F(Folder, RefusesAnIndexOfAnotherForm) {
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

TEST_F(Folder, RefusesMissingShardsAndNamesThem) {
  Write(kFirst, Shard({"a"}));
  WriteIndex(R"("a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors",)"
             R"("c":"other.safetensors")");
  const Checkpoint checkpoint = ExpectProblem(
      {"2 of 3 shards are missing: model-00002-of-00002.safetensors, other.safetensors",
       "download"});
  EXPECT_EQ(Names(checkpoint), "a");
}

TEST_F(Folder, RefusesTensorsThatAreNotWhereTheIndexSays) {
  WriteTwoShards();
  Write(kSecond, Shard({"d"}));
  ExpectProblem({"index.json: c: the tensor is not in the shard", "model-00002", "in no shard"});
  Write(kSecond, Shard({"c"}));
  WriteIndex(R"("a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors",)"
             R"("c":"model-00002-of-00002.safetensors")");
  ExpectProblem({"b: the tensor is not in the shard", "expected it in model-00002",
                 "found it in model-00001"});
}

TEST_F(Folder, TensorsThatTheIndexDoesNotNameAreAWarning) {
  WriteTwoShards();
  Write(kSecond, Shard({"c", "d"}));
  WriteIndex(R"("a":"model-00001-of-00002.safetensors","b":"model-00001-of-00002.safetensors",)"
             R"("c":"model-00002-of-00002.safetensors")",
             R"({"total_size":4})");
  const Checkpoint checkpoint =
      ExpectWarning({"model-00002-of-00002.safetensors: d: the tensor is in the shard but not in"});
  EXPECT_EQ(Names(checkpoint), "abcd");
}

TEST_F(Folder, RefusesATensorInTwoShards) {
  WriteTwoShards();
  Write(kSecond, Shard({"c", "a"}));
  const Checkpoint checkpoint =
      ExpectProblem({"model-00002-of-00002.safetensors: a: the same tensor is in two shards",
                     "model-00001-of-00002.safetensors"});
  EXPECT_EQ(checkpoint.arrays.size(), 4U);
  fs::remove(folder_ / "model.safetensors.index.json");
  ExpectProblem({"a: the same tensor is in two shards"});
}

TEST_F(Folder, WrongTotalSizeIsAWarning) {
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

TEST_F(Folder, SeveralShardsWithoutAnIndexAreAWarning) {
  WriteTwoShards();
  fs::remove(folder_ / "model.safetensors.index.json");
  EXPECT_EQ(Names(ExpectWarning({"2 shards without an index"})), "abc");
}

TEST_F(Folder, RefusesAnIncompleteSet) {
  Write("model-00002-of-00005.safetensors", Shard({"a"}));
  Write("model-00005-of-00005.safetensors", Shard({"b"}));
  ExpectProblem({"model-NNNNN-of-00005 is incomplete", "numbers 1 to 5", "no number 1, 3, 4"});
  fs::remove(folder_ / "model-00002-of-00005.safetensors");
  fs::remove(folder_ / "model-00005-of-00005.safetensors");
  Write("model-00001-of-99999.safetensors", Shard({"c"}));
  ExpectProblem(
      {"of-99999 is incomplete", "no number 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 99988 more"});
}

TEST_F(Folder, RefusesANumberBeyondTheSet) {
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
                           "model-1-of-2.safetensors", "model-00001-of-00002.bin",
                           "model-0000x-of-00002.safetensors", "of-00001-of-.safetensors",
                           "model-00001-of-99999999999.safetensors", "-of-00001.safetensors"}) {
    EXPECT_FALSE(ParseShardName(name).has_value()) << name;
  }
}

// --- what else lies in the folder ----------------------------------------------------------------

TEST_F(Folder, StaleShardsAreAWarning) {
  WriteTwoShards();
  Write("model.safetensors", Shard({"stale"}));
  const Checkpoint checkpoint =
      ExpectWarning({"not in the index and are passed over", "model.safetensors"});
  EXPECT_EQ(Names(checkpoint), "abc");
}

TEST_F(Folder, OtherCopiesOfTheWeightsArePassedOver) {
  Write("model.safetensors", Shard({"a"}));
  Write("consolidated.safetensors", Shard({"tok_embeddings.weight"}));
  Write("adapter_model.safetensors", Shard({"lora"}));
  Write("pytorch_model.bin", "PK");
  const Checkpoint checkpoint = Open(false, true);
  EXPECT_EQ(Names(checkpoint), "a");
  EXPECT_TRUE(checkpoint.problems.empty());
  EXPECT_TRUE(checkpoint.side_files.empty());
}

TEST_F(Folder, OtherFileNamesAreUsedWhereThereIsNoModel) {
  Write("weights.safetensors", Shard({"a"}));
  Write("consolidated.safetensors", Shard({"b"}));
  EXPECT_EQ(Names(Open()), "a");
  fs::remove(folder_ / "weights.safetensors");
  EXPECT_EQ(Names(Open()), "b");
}

TEST_F(Folder, AnIndexOfAnotherNameIsUsedWhereItIsTheOnlyOne) {
  Write("model.fp16-00001-of-00001.safetensors", Shard({"a"}));
  Write("model.fp16.safetensors.index.json",
        R"({"weight_map":{"a":"model.fp16-00001-of-00001.safetensors"}})");
  const Checkpoint checkpoint = Open(false, true);
  EXPECT_EQ(Names(checkpoint), "a");
  EXPECT_NE(checkpoint.reason.find("model.fp16.safetensors.index.json"), std::string::npos);
}

TEST_F(Folder, SideFiles) {
  Write("model.safetensors", Shard({"a"}));
  WriteIndex("\"a\":\"model.safetensors\"", "{}");
  for (const char* name :
       {"tokenizer.json", "LICENSE", "README.md", ".gitattributes", "x.bin", "x.pt", "x.pth",
        "x.gguf", "pytorch_model.bin.index.json", "modeling.py", "tf.h5"}) {
    Write(name, std::string(name).substr(0, 5));
  }
  fs::create_directory(folder_ / "onnx");
  WriteTestFile(folder_ / "onnx/inside.json", "{}");
  fs::create_symlink("tokenizer.json", folder_ / "linked.json");
  fs::create_symlink("nowhere", folder_ / "dangling.json");
  ASSERT_EQ(mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  std::string names;
  for (const SideFile& file : Open().side_files) {
    names += file.name + " ";
    EXPECT_EQ(file.path, folder_ / file.name);
    EXPECT_EQ(file.bytes, ReadTestFile(file.path).size());
  }
  EXPECT_EQ(names, "LICENSE linked.json modeling.py tokenizer.json ");
}

TEST_F(Folder, RefusesFoldersWithoutWeights) {
  ExpectRefused({"not a checkpoint", "no .safetensors files"});
  fs::create_directory(folder_ / "snapshots");
  ExpectRefused({"Hugging Face cache", "snapshots/"});
  Write("pytorch_model.bin", "PK");
  ExpectRefused({"PyTorch weights", "safetensors version"});
  Write("model.gguf", "GGUF");
  ExpectRefused({"GGUF files only"});
  Write("adapter_model.safetensors", Shard({"lora"}));
  ExpectRefused({"an adapter (LoRA), not a model", "base model"});
  fs::rename(folder_ / "adapter_model.safetensors", folder_ / "adapters.safetensors");
  ExpectRefused({"an adapter (LoRA), not a model"});
}

// --- row 36: config.json -------------------------------------------------------------------------

TEST_F(Folder, ConfigAbsentIsAWarning) {
  Write("model.safetensors", Shard({"a"}));
  fs::remove(folder_ / "config.json");
  EXPECT_TRUE(ExpectWarning({"no config.json"}).config.is_null());
}

TEST_F(Folder, RefusesAnInvalidConfig) {
  Write("model.safetensors", Shard({"a"}));
  for (const std::string text : {"", "{", "[]", "{\"a\":1,\"a\":1}", "{\"a\":NaN}", "\xFF"}) {
    Write("config.json", text);
    const Checkpoint checkpoint = ExpectProblem({"config.json"});
    EXPECT_TRUE(checkpoint.config.is_null());
    EXPECT_EQ(Names(checkpoint), "a");
  }
}

// --- rows 33 and 34: links and special files -----------------------------------------------------

TEST_F(Folder, ShardsOfTheHubCacheAreLinks) {
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

TEST_F(Folder, LinksInsideTheFolderAreFineOthersAWarning) {
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

TEST_F(Folder, RefusesLoopsAndBrokenLinks) {
  fs::create_symlink("model.safetensors", folder_ / "model.safetensors");
  ExpectProblem({"model.safetensors: the symbolic link leads in a circle"});
  fs::remove(folder_ / "model.safetensors");
  fs::create_symlink("../../blobs/absent", folder_ / "model.safetensors");
  ExpectProblem({"the symbolic link is broken", "blobs/absent", "hf download"});
}

TEST_F(Folder, RefusesShardsThatAreNoRegularFiles) {
  ASSERT_EQ(mkfifo((folder_ / "model.safetensors").c_str(), 0600), 0);
  ExpectProblem({"model.safetensors", "a regular file", "FIFO"});
  fs::remove(folder_ / "model.safetensors");
  fs::create_directory(folder_ / "model.safetensors");
  ExpectProblem({"model.safetensors", "a regular file", "directory"});
  fs::remove(folder_ / "model.safetensors");
  fs::create_symlink("/dev/zero", folder_ / "model.safetensors");
  ExpectRefused({"model.safetensors", "a regular file"});
}

TEST_F(Folder, RefusesPointersInPlaceOfShards) {
  WriteTwoShards();
  Write(kSecond, "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
  const Checkpoint checkpoint = ExpectProblem({kSecond, "Git LFS pointer", "git lfs pull"});
  // What the broken shard should hold is not reported once more.
  EXPECT_EQ(Names(checkpoint), "ab");
  EXPECT_EQ(std::count_if(checkpoint.problems.begin(), checkpoint.problems.end(),
                          [](const Problem& p) { return p.severity == Severity::kError; }),
            1);
}

TEST_F(Folder, OpensThousandsOfTensorsInHundredsOfShards) {
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
