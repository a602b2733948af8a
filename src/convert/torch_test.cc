// torch files as sources: the bytes that their safetensors twin gives.
#include <gtest/gtest.h>

#include "convert/convert.h"
#include "core/io/file.h"
#include "hostile/raw_torch.h"
#include "stream/engine.h"
#include "support/checkpoints.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

// The bytes of a matrix of 2-byte elements with rows and columns swapped.
std::string Transposed(const TestTensor& tensor) {
  const uint64_t rows = tensor.shape[0];
  const uint64_t columns = tensor.shape[1];
  std::string out(tensor.bytes.size(), '\0');
  for (uint64_t r = 0; r < rows; ++r) {
    for (uint64_t c = 0; c < columns; ++c) {
      tensor.bytes.copy(out.data() + 2 * (c * rows + r), 2, 2 * (r * columns + c));
    }
  }
  return out;
}

struct TorchShard {
  std::vector<PickleItem> items;
  std::vector<std::string> storages;

  // Adds a bf16 tensor; `transposed`: as a view of a storage that holds it turned.
  void Add(const TestTensor& tensor, bool transposed) {
    RawTensor raw;
    raw.storage_class = "BFloat16Storage";
    raw.key = std::to_string(storages.size());
    raw.elements = static_cast<int64_t>(tensor.shape.elements());
    int64_t stride = 1;
    for (size_t i = tensor.shape.rank(); i-- > 0;) {
      raw.shape.insert(raw.shape.begin(), static_cast<int64_t>(tensor.shape[i]));
      raw.strides.insert(raw.strides.begin(), stride);
      stride *= raw.shape.front();
    }
    if (transposed) {
      raw.strides = {1, raw.shape[0]};
    }
    items.push_back({tensor.name, PickleTensorOp(raw)});
    storages.push_back(transposed ? Transposed(tensor) : tensor.bytes);
  }

  // Another name for the tensor added last.
  void Share(const std::string& name) { items.push_back({name, items.back().value}); }

  std::string Bytes() const { return RawTorchZip(RawPickle(PickleDict(items)), storages); }
};

class ConvertTorchTest : public ::testing::Test {
 protected:
  // `model` in safetensors at "twin", in two torch shards with an index at "torch".
  void Write(const TinyLlama& model, bool transposed) {
    model.Write(folder_ / "twin");
    model.Write(folder_ / "torch");
    RemoveTree(folder_ / "torch/model.safetensors");
    std::vector<TorchShard> shards(2);
    std::string map;
    for (const TestTensor& tensor : model.Tensors()) {
      const size_t number = tensor.name.find("layers.1") == std::string::npos ? 0 : 1;
      shards[number].Add(tensor, transposed && tensor.shape.rank() == 2);
      map += (map.empty() ? "\"" : ", \"") + tensor.name + "\": \"" + ShardName(number) + "\"";
    }
    WriteTestFile(folder_ / ("torch/" + ShardName(0)), shards[0].Bytes());
    WriteTestFile(folder_ / ("torch/" + ShardName(1)), shards[1].Bytes());
    WriteTestFile(folder_ / "torch/pytorch_model.bin.index.json",
                  "{\"weight_map\": {" + map + "}}");
  }

  static std::string ShardName(size_t number) {
    return "pytorch_model-0000" + std::to_string(number + 1) + "-of-00002.bin";
  }

  std::map<std::string, std::string> Convert(const std::string& source, const std::string& scheme) {
    ConvertRequest request;
    request.source = folder_ / source;
    request.destination = folder_ / (source + "-out" + scheme);
    if (!scheme.empty()) {
      request.scheme = scheme;
    }
    RunOptions options;
    options.destination = request.destination;
    options.sync = false;
    options.threads = 2;
    RunPlan(PlanConvert(request, std::make_shared<Checkpoint>(OpenCheckpoint(request.source))),
            options);
    std::map<std::string, std::string> files = ReadTree(request.destination);
    files.erase("README.md");  // names its source
    return files;
  }

  TempDir folder_;
};

TEST_F(ConvertTorchTest, GivesTheBytesOfTheSafetensorsTwin) {
  Write(TinyLlama(), /*transposed=*/false);
  EXPECT_EQ(OpenCheckpoint(folder_ / "torch").format, "torch");
  EXPECT_EQ(Convert("torch", ""), Convert("twin", ""));
  EXPECT_EQ(Convert("torch", "4bit"), Convert("twin", "4bit"));
  EXPECT_EQ(Convert("torch", "mxfp4"), Convert("twin", "mxfp4"));
}

TEST_F(ConvertTorchTest, TransposedStoragesAreTurned) {
  Write(TinyLlama(), /*transposed=*/true);
  const Checkpoint checkpoint = OpenCheckpoint(folder_ / "torch");
  EXPECT_FALSE(checkpoint.arrays[checkpoint.Find("lm_head.weight")->planes[0]].strides.empty());
  EXPECT_EQ(Convert("torch", ""), Convert("twin", ""));
  EXPECT_EQ(Convert("torch", "4bit"), Convert("twin", "4bit"));
}

TEST_F(ConvertTorchTest, TensorsThatShareAStorage) {
  TinyLlama model;
  model.tied = true;
  model.Write(folder_ / "twin");
  model.Write(folder_ / "torch");
  RemoveTree(folder_ / "torch/model.safetensors");
  TorchShard shard;
  std::vector<TestTensor> twin = model.Tensors();
  for (const TestTensor& tensor : model.Tensors()) {
    shard.Add(tensor, false);
    if (tensor.name == "model.embed_tokens.weight") {
      shard.Share("lm_head.weight");
      twin.push_back(tensor);
      twin.back().name = "lm_head.weight";
    }
  }
  WriteSafetensors(folder_ / "twin/model.safetensors", twin);
  WriteTestFile(folder_ / "torch/pytorch_model.bin", shard.Bytes());
  const auto files = Convert("torch", "");
  EXPECT_EQ(files, Convert("twin", ""));
  EXPECT_EQ(Convert("torch", "4bit"), Convert("twin", "4bit"));
}

}  // namespace
}  // namespace lbrx
