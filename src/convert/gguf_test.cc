// GGUF files against those of llama.cpp's converter (tests/data/arch), and back.

#include "formats/gguf/gguf.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "convert/convert.h"
#include "core/base/hash.h"
#include "core/io/file.h"
#include "core/tensor/ggml_types.h"
#include "model/architecture.h"
#include "model/open_model.h"
#include "stream/engine.h"
#include "support/checkpoints.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

Json Parse(const std::string& path) {
  return ParseJson(ReadTestFile(path), path);
}

void Carry(const ConvertRequest& request) {
  RunOptions options;
  options.destination = request.destination;
  options.sync = false;
  options.threads = 2;
  RunPlan(PlanConvert(request, std::make_shared<Checkpoint>(OpenModel(request.source))), options);
}

// The bytes of every array by name.
std::map<std::string, std::string> BytesOf(const Checkpoint& checkpoint) {
  std::map<std::string, std::string> out;
  for (const StoredArray& array : checkpoint.arrays) {
    std::string bytes(array.bytes, '\0');
    const auto file = File::OpenRead(checkpoint.files[array.file].path);
    file->ReadAt(array.offset, std::as_writable_bytes(std::span(bytes)));
    out.emplace(array.name, std::move(bytes));
  }
  return out;
}

std::string ShortHash(const std::string& bytes) {
  constexpr size_t kDigits = 16;
  Sha256 hash;
  hash.Update(std::as_bytes(std::span(bytes)));
  return hash.FinishHex().substr(0, kDigits);
}

class GgufArchitectures : public ::testing::TestWithParam<std::string> {
 protected:
  std::string Source() const { return std::string(LBRX_TEST_DATA) + "/arch/" + GetParam(); }

  // The converter itself fails on these, or was not run.
  bool HasGolden() const { return PathExists(Source() + "/expected_gguf.json"); }

  std::string MakeGguf() {
    ConvertRequest request;
    request.source = Source();
    request.destination = folder_ / "model.gguf";
    Carry(request);
    return request.destination;
  }

  TempDir folder_;
};

TEST_P(GgufArchitectures, TensorsAreThoseOfTheConverter) {
  const Checkpoint made = OpenCheckpoint(MakeGguf());
  if (!HasGolden()) {
    EXPECT_TRUE(GetParam() == "gemma2" || GetParam() == "glm4" || GetParam() == "phi3" ||
                GetParam() == "mistral")
        << GetParam();
    return;
  }
  const Json golden = Parse(Source() + "/expected_gguf.json");
  const std::map<std::string, std::string> bytes = BytesOf(made);
  const Json& expected = *golden.Find("tensors");
  EXPECT_EQ(made.tensors.size(), expected.AsObject().size());
  for (const auto& [name, row] : expected.AsObject()) {
    const SourceTensor* tensor = made.Find(name);
    ASSERT_NE(tensor, nullptr) << name;
    ASSERT_EQ(tensor->encoding.scheme, Scheme::kPlain);
    EXPECT_EQ(FindGgmlType(tensor->encoding.dtype)->name, row.AsArray()[0].AsString()) << name;
    std::vector<uint64_t> dims;
    for (const Json& dim : row.AsArray()[1].AsArray()) {
      dims.insert(dims.begin(), dim.AsUint64());
    }
    EXPECT_EQ(tensor->shape, Shape(dims)) << name;
    EXPECT_EQ(ShortHash(bytes.at(name)), row.AsArray()[2].AsString()) << name;
  }
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const Architecture* architecture : Architectures()) {
    if (PathExists(std::string(LBRX_TEST_DATA) + "/arch/" + std::string(architecture->name))) {
      names.emplace_back(architecture->name);
    }
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(Each, GgufArchitectures, ::testing::ValuesIn(Names()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace lbrx
