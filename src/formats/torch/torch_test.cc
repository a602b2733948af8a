// Files that torch wrote (tests/data/make_torch.py). What their values are is tested where they are
// read, in stream/torch_values_test.cc.
#include "formats/torch/torch.h"

#include <gtest/gtest.h>

#include <set>

#include "core/base/error.h"
#include "hostile/raw_torch.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

const std::string kFolder = std::string(LBRX_TEST_DATA) + "/torch/";

std::string Message(const std::string& path) {
  try {
    OpenCheckpoint(path);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalid);
    return error.what();
  }
  return "accepted";
}

void ExpectRefused(const std::string& path, const std::vector<std::string>& words) {
  const std::string message = Message(path);
  for (const std::string& word : words) {
    EXPECT_NE(message.find(word), std::string::npos) << message << "\nwithout " << word;
  }
}

const StoredArray& ArrayOf(const Checkpoint& checkpoint, const std::string& name) {
  return checkpoint.arrays[checkpoint.Find(name)->planes[0]];
}

std::set<std::string> Names(const Checkpoint& checkpoint) {
  std::set<std::string> names;
  for (const SourceTensor& tensor : checkpoint.tensors) {
    names.insert(tensor.name);
  }
  return names;
}

TEST(Torch, BothLayoutsAreToldByContent) {
  const Checkpoint zip = OpenCheckpoint(kFolder + "zip_dtypes.bin");
  EXPECT_EQ(zip.format, "torch");
  EXPECT_EQ(zip.reason, "the file is a ZIP archive of torch");
  EXPECT_TRUE(zip.problems.empty());
  const Checkpoint legacy = OpenCheckpoint(kFolder + "legacy_dtypes.bin");
  EXPECT_EQ(legacy.format, "torch");
  EXPECT_EQ(legacy.reason, "the file is a legacy layout of torch");
  EXPECT_EQ(Names(zip), Names(legacy));
  EXPECT_EQ(zip.tensors.size(), 17U);
}

TEST(Torch, NamesThatLie) {
  TempDir folder;
  const std::string torch = folder / "model.safetensors";
  WriteTestFile(torch, ReadTestFile(kFolder + "zip_dtypes.bin"));
  EXPECT_EQ(OpenCheckpoint(torch).format, "torch");
  const std::string tensors = folder / "pytorch_model.bin";
  WriteTestFile(tensors, ReadTestFile(kFolder + "zip_dtypes.safetensors"));
  EXPECT_EQ(OpenCheckpoint(tensors).format, "safetensors");
  // A safetensors header of 640 bytes begins as a pickle does.
  std::string header = R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
  header.resize(0x280, ' ');
  WriteTestFile(tensors, LittleEndian(header.size(), 8) + header + "x");
  EXPECT_EQ(OpenCheckpoint(tensors).format, "safetensors");
}

TEST(Torch, StridesAreSetOnlyWhereTheyMatter) {
  for (const std::string layout : {"zip", "legacy"}) {
    const Checkpoint checkpoint = OpenCheckpoint(kFolder + layout + "_strided.bin");
    using Strides = std::vector<uint64_t>;
    const auto strides = [&](const char* name) { return ArrayOf(checkpoint, name).strides; };
    EXPECT_EQ(strides("base"), Strides());
    EXPECT_EQ(strides("rows"), Strides());
    EXPECT_EQ(strides("one_row"), Strides());
    EXPECT_EQ(strides("scalar_view"), Strides());
    EXPECT_EQ(strides("empty_inner"), Strides());
    EXPECT_EQ(strides("transposed"), (Strides{1, 10}));
    EXPECT_EQ(strides("diagonal"), Strides{11});
    EXPECT_EQ(strides("permuted"), (Strides{1, 20, 5}));
    EXPECT_EQ(strides("expanded"), (Strides{0, 1}));
    EXPECT_EQ(strides("overlapping"), (Strides{2, 1}));
    const StoredArray& base = ArrayOf(checkpoint, "base");
    EXPECT_EQ(ArrayOf(checkpoint, "rows").offset, base.offset + 2 * 10 * 2);
    EXPECT_EQ(ArrayOf(checkpoint, "scalar_view").offset, base.offset + 59 * 2);
    EXPECT_EQ(ArrayOf(checkpoint, "tied").offset, ArrayOf(checkpoint, "tied_too").offset);
    EXPECT_EQ(ArrayOf(checkpoint, "expanded_scalar").bytes, 16U);
  }
}

TEST(Torch, TheStateDictOfATrainingCheckpoint) {
  for (const std::string layout : {"zip", "legacy"}) {
    const Checkpoint checkpoint = OpenCheckpoint(kFolder + layout + "_nested.bin");
    EXPECT_EQ(Names(checkpoint),
              (std::set<std::string>{"layer.weight", "layer.bias", "norm.weight"}));
    ASSERT_EQ(checkpoint.problems.size(), 1U);
    EXPECT_EQ(checkpoint.problems[0].severity, Severity::kWarning);
    const std::string message = FormatMessage(checkpoint.problems[0].detail);
    EXPECT_NE(message.find("11 values beside the model's tensors"), std::string::npos) << message;
    EXPECT_NE(message.find("epoch, step, device"), std::string::npos) << message;
  }
}

TEST(Torch, Shards) {
  const Checkpoint checkpoint = OpenCheckpoint(kFolder + "sharded");
  EXPECT_EQ(checkpoint.format, "torch");
  EXPECT_EQ(checkpoint.reason, "the folder holds config.json and pytorch_model.bin.index.json");
  EXPECT_EQ(checkpoint.files.size(), 2U);
  EXPECT_EQ(checkpoint.tensors.size(), 11U);
  EXPECT_TRUE(checkpoint.problems.empty());
  EXPECT_TRUE(checkpoint.side_files.empty());
}

class TorchFolder : public ::testing::Test {
 protected:
  void Copy(const std::string& name, const std::string& as = "") {
    WriteTestFile(folder_ / (as.empty() ? name : as), ReadTestFile(kFolder + "sharded/" + name));
  }

  TempDir folder_;
};

TEST_F(TorchFolder, MissingAndWrongShards) {
  Copy("pytorch_model-00001-of-00002.bin");
  Copy("config.json");
  ExpectRefused(folder_.path(), {"set of shards pytorch_model-NNNNN-of-00002 is incomplete"});
  Copy("pytorch_model.bin.index.json");
  ExpectRefused(folder_.path(), {"1 of 2 shards are missing", "pytorch_model-00002-of-00002.bin"});
  Copy("pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin");
  ExpectRefused(folder_.path(), {"the same tensor is in two shards"});
  Copy("pytorch_model-00002-of-00002.bin", "pytorch_model-00001-of-00002.bin");
  Copy("pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin");
  ExpectRefused(folder_.path(), {"not in the shard that the index names"});
  Copy("pytorch_model-00001-of-00002.bin");
  Copy("pytorch_model-00002-of-00002.bin");
  Copy("pytorch_model-00001-of-00002.bin", "pytorch_model-00003-of-00003.bin");
  const Checkpoint checkpoint = OpenCheckpoint(folder_.path());
  ASSERT_EQ(checkpoint.problems.size(), 1U);
  EXPECT_NE(checkpoint.problems[0].detail.what.find("not in the index"), std::string::npos);
}

TEST_F(TorchFolder, SafetensorsWin) {
  Copy("pytorch_model-00001-of-00002.bin", "pytorch_model.bin");
  Copy("config.json");
  EXPECT_EQ(OpenCheckpoint(folder_.path()).reason,
            "the folder holds config.json and pytorch_model.bin");
  WriteTestFile(folder_ / "model.safetensors", ReadTestFile(kFolder + "zip_nested.safetensors"));
  const Checkpoint checkpoint = OpenCheckpoint(folder_.path());
  EXPECT_EQ(checkpoint.format, "huggingface");
  EXPECT_EQ(checkpoint.reason,
            "the folder holds config.json and model.safetensors; its pytorch_model.bin is passed "
            "over");
  EXPECT_EQ(checkpoint.tensors.size(), 3U);
}

TEST_F(TorchFolder, FilesOfATrainingRunAreNoWeights) {
  for (const char* name :
       {"training_args.bin", "optimizer.pt", "scheduler.pt", "rng_state_0.pth"}) {
    Copy("pytorch_model-00001-of-00002.bin", name);
  }
  ExpectRefused(folder_.path(), {"PyTorch files of a training run only"});
  Copy("pytorch_model-00002-of-00002.bin", "weights.pth");
  EXPECT_EQ(OpenCheckpoint(folder_.path()).tensors.size(), 6U);
}

TEST(Torch, WhatTorchWritesAndLbrxDoesNotRead) {
  ExpectRefused(kFolder + "complex128_refused.bin",
                {"w: a dtype that no other format has", "ComplexDoubleStorage"});
  ExpectRefused(kFolder + "quantized_refused.bin", {"w: a tensor that torch quantized"});
  ExpectRefused(kFolder + "sparse_refused.bin", {"w: a sparse tensor"});
  ExpectRefused(kFolder + "conjugate_refused.bin", {"w: a conjugate or negated view"});
  ExpectRefused(kFolder + "meta_refused.bin", {"w: a tensor on \"meta\""});
  ExpectRefused(kFolder + "list_refused.bin", {"holds no state dict", "a list"});
  ExpectRefused(kFolder + "module_refused.bin",
                {"names the global \"torch.nn.modules.linear.Linear\"", "nothing was executed"});
  ExpectRefused(kFolder + "script_refused.bin", {"TorchScript archive", "torch.jit.load"});
}

TEST(Torch, TarOfTheFirstVersions) {
  TempDir folder;
  std::string tar = "sys_info";
  tar.resize(1024);
  tar.replace(257, 5, "ustar");
  WriteTestFile(folder / "old.bin", tar);
  ExpectRefused(folder / "old.bin", {"tar layout of before 0.1.10"});
}

TEST(Torch, CollectingLeavesOutTheTensorThatIsWrong) {
  TempDir folder;
  const RawTensor good{.elements = 4, .shape = {2, 2}, .strides = {2, 1}};
  const RawTensor bad{.elements = 4, .shape = {2, 3}, .strides = {3, 1}};
  WriteTestFile(folder / "a.bin", RawTorchZip(RawPickle(PickleDict({{"good", PickleTensorOp(good)},
                                                                    {"bad", PickleTensorOp(bad)}})),
                                              {std::string(16, 'x')}));
  OpenOptions options;
  options.collect_problems = true;
  const Checkpoint checkpoint = OpenCheckpoint(folder / "a.bin", options);
  EXPECT_EQ(Names(checkpoint), std::set<std::string>{"good"});
  ASSERT_EQ(checkpoint.problems.size(), 1U);
  EXPECT_EQ(checkpoint.problems[0].detail.object, "bad");
}

// Views of storages and the first way to write a tensor, as torch 0.2 had them.
TEST(Torch, EarlyLegacyFiles) {
  const std::string storage = "(" + PickleText("storage") +
                              PickleGlobalOp("torch.cuda", "FloatStorage") + PickleText("0") +
                              PickleText("cuda:0") + PickleInt(10) + "(" + PickleText("v") +
                              PickleInt(4) + PickleInt(6) + "ttQ";
  const std::string tensor = PickleGlobalOp("torch._utils", "_rebuild_tensor") + "(" + storage +
                             PickleInt(1) + PickleTuple({2, 2}) + PickleTuple({2, 1}) + "tR";
  TempDir folder;
  WriteTestFile(folder / "a.pth",
                RawTorchLegacy(RawPickle(PickleGlobalOp("collections", "OrderedDict") +
                                         "(](](U\x01"
                                         "a" +
                                         tensor + "eetR"),
                               LittleEndian(10, 8) + std::string(40, 'x')));
  const Checkpoint checkpoint = OpenCheckpoint(folder / "a.pth");
  ASSERT_EQ(checkpoint.arrays.size(), 1U);
  EXPECT_EQ(checkpoint.arrays[0].name, "a");
  EXPECT_EQ(checkpoint.arrays[0].offset, ReadTestFile(folder / "a.pth").size() - 40 + (4 + 1) * 4);
}

}  // namespace
}  // namespace lbrx
