#include "stream/packed.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "core/base/checked.h"
#include "core/io/file.h"
#include "support/checkpoints.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

const std::string kFolder = std::string(LBRX_TEST_DATA) + "/prequantized";

TEST(PackedValueTest, TakesNoMoreMemoryThanItSays) {
  for (const std::string& kind : ListDirectory(kFolder + "/twins")) {
    const SourceFiles::Checkpoints sources = {
        std::make_shared<Checkpoint>(OpenCheckpoint(kFolder + "/" + kind))};
    SourceFiles files(sources);
    for (const SourceTensor& tensor : sources[0]->tensors) {
      const ValuePtr value = LoadTensor(sources, 0, tensor);
      const uint64_t elements = value->shape().elements();
      for (const uint64_t wanted : {uint64_t{1}, uint64_t{65}, uint64_t{1000}, elements}) {
        const uint64_t run = RoundUp(wanted, value->granule());
        Pool pool;
        ReadContext context{files, pool};
        std::vector<std::byte> out(ElementBytes(value->dtype(), run));
        for (uint64_t first = 0; first < elements; first += run) {
          value->Read(context, first, std::min(run, elements - first), out.data());
        }
        EXPECT_LE(pool.counters().peak_bytes_in_use, value->WorkingBytes(run))
            << kind << " " << tensor.name << " run " << run;
      }
    }
  }
}

TEST(PackedValueTest, ErrorsNameTheTensor) {
  TempDir folder;
  const std::string source = folder / "model";
  std::filesystem::copy(kFolder + "/gptq4_v2_order", source);
  const std::string path = source + "/model.safetensors";
  const Checkpoint before = OpenCheckpoint(source);
  for (const StoredArray& array : before.arrays) {
    if (array.name == "model.layers.0.mlp.gate_proj.g_idx") {
      File::OpenWrite(path)->WriteAt(array.offset + 8, std::string_view("\x63\0\0\0", 4));
    }
  }
  const SourceFiles::Checkpoints sources = {std::make_shared<Checkpoint>(OpenCheckpoint(source))};
  SourceFiles files(sources);
  Pool pool;
  ReadContext context{files, pool};
  const SourceTensor* tensor = sources[0]->Find("model.layers.0.mlp.gate_proj.weight");
  ASSERT_NE(tensor, nullptr);
  std::vector<std::byte> out(2 * 64);
  std::string message = "accepted";
  try {
    LoadTensor(sources, 0, *tensor)->Read(context, 0, 64, out.data());
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalid);
    message = error.what();
  }
  for (const char* word : {"model.safetensors", "gate_proj.weight", "g_idx of column 2", "99"}) {
    EXPECT_NE(message.find(word), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace lbrx
