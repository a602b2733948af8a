// Folders: what is opened, config, side files, and what is refused.
#include <sys/stat.h>

#include <filesystem>

#include "core/parallel/executor.h"
#include "formats/huggingface/test_folder.h"

namespace lbrx {
namespace {

namespace fs = std::filesystem;

class Folder : public FolderFixture {};

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
  ExpectRefused({"not a checkpoint", "no .safetensors or .bin files"});
  fs::create_directory(folder_ / "snapshots");
  ExpectRefused({"Hugging Face cache", "snapshots/"});
  Write("optimizer.pt", "PK");
  ExpectRefused({"PyTorch files of a training run only"});
  Write("model-00002-of-00002.gguf", "GGUF");  // without part 1
  ExpectRefused({"GGUF files only"});
  Write("model.gguf", "GGUF");
  ExpectRefused({"model.gguf", "the file ends"});
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

}  // namespace
}  // namespace lbrx
