// Every file type of llama-quantize from tests/data/bard-base, against its bytes
// (tests/data/make_gguf_types.py).

#include <sstream>

#include "convert/test_gguf.h"
#include "core/base/format.h"
#include "core/tensor/ggml_types.h"
#include "formats/gguf/keys.h"

namespace lbrx {
namespace {

std::vector<std::string> Words(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

const Json& Golden() {
  static const Json golden = ReadJson(TestData("gguf_types.json"));
  return golden;
}

// "Q4_K_M/imatrix" as a request.
ConvertRequest RequestOf(const std::string& file, const std::string& destination) {
  ConvertRequest request = RequestFor(TestData("bard-base"), destination);
  const size_t slash = file.find('/');
  request.scheme = file.substr(0, slash);
  const std::string mode = file.substr(slash + 1);
  request.gguf.pure = mode == "pure";
  if (mode == "imatrix") {
    request.gguf.imatrix = TestData("imatrix/imatrix.gguf");
  }
  return request;
}

// Compares what was made with the golden row.
void ExpectFile(const std::string& path, const Json& row) {
  const Checkpoint made = OpenCheckpoint(path);
  EXPECT_EQ(made.gguf->Uint("general.file_type"), row.Find("file_type")->AsUint64());
  const std::vector<std::string> names = Words(Golden().Find("tensors")->AsString());
  const std::vector<std::string> types = Words(row.Find("types")->AsString());
  const std::vector<std::string> hashes = Words(row.Find("hashes")->AsString());
  ASSERT_EQ(made.tensors.size(), names.size());
  std::string lines;
  for (size_t i = 0; i < names.size(); ++i) {
    const SourceTensor* tensor = made.Find(names[i]);
    ASSERT_NE(tensor, nullptr) << names[i];
    const GgmlType& type = IsBlock(tensor->encoding.scheme) ? FindGgmlType(tensor->encoding.scheme)
                                                            : *FindGgmlType(tensor->encoding.dtype);
    const std::string hash = ShortHash(BytesOf(made, made.arrays[tensor->planes[0]]));
    EXPECT_EQ(type.name, types[i]) << names[i];
    EXPECT_EQ(hash.substr(0, hashes[i].size()), hashes[i]) << names[i] << " " << type.name;
    lines += Format("{} {} {}\n", names[i], type.name, hash);
  }
  EXPECT_EQ(ShortHash(lines), row.Find("all")->AsString());
}

class GgufFileTypes : public ::testing::TestWithParam<std::string> {
 protected:
  TempDir folder_;
};

TEST_P(GgufFileTypes, AreThoseOfLlamaQuantize) {
  const Json& row = *Golden().Find("files")->Find(GetParam());
  const ConvertRequest request = RequestOf(GetParam(), folder_ / "model.gguf");
  if (!row.is_null()) {
    Execute(request, /*threads=*/7);
    ExpectFile(request.destination, row);
    return;
  }
  try {
    Execute(request);
    ADD_FAILURE() << "llama-quantize refuses it";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_NE(std::string(error.what()).find("--imatrix"), std::string::npos) << error.what();
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

std::vector<std::string> Files() {
  std::vector<std::string> files;
  for (const auto& [file, row] : Golden().Find("files")->AsObject()) {
    files.push_back(file);
  }
  return files;
}

INSTANTIATE_TEST_SUITE_P(Each, GgufFileTypes, ::testing::ValuesIn(Files()), [](const auto& info) {
  std::string name = info.param;
  name[name.find('/')] = '_';
  return name;
});

TEST(GgufFileTypes1, ThreadsChangeNothing) {
  for (const char* file : {"Q4_K_M/plain", "IQ2_XS/imatrix", "Q5_0/pure", "TQ1_0/plain"}) {
    SCOPED_TRACE(file);
    const TempDir folder;
    const ConvertRequest request = RequestOf(file, folder / "model.gguf");
    Execute(request, /*threads=*/1);
    ExpectFile(request.destination, *Golden().Find("files")->Find(file));
  }
}

TEST(GgufFileTypes1, OldImportanceFilesGiveTheSameBytes) {
  for (const char* file : {"Q4_K_M/imatrix", "IQ1_S/imatrix"}) {
    SCOPED_TRACE(file);
    const TempDir folder;
    ConvertRequest request = RequestOf(file, folder / "model.gguf");
    request.gguf.imatrix = TestData("imatrix/imatrix.dat");
    Execute(request);
    ExpectFile(request.destination, *Golden().Find("files")->Find(file));
  }
}

TEST(GgufFileTypes1, ImportanceOfAnotherModelIsTold) {
  const TempDir folder;
  ConvertRequest request = RequestOf("Q4_K_M/imatrix", folder / "model.gguf");
  EXPECT_EQ(Execute(request).find("another model's"), std::string::npos);
  request.destination = folder / "other.gguf";
  request.gguf.imatrix = TestData("imatrix/experts.gguf");
  EXPECT_NE(Execute(request).find("experts.gguf has no weights for any tensor of this model"),
            std::string::npos);
}

TEST(GgufFileTypes1, WhatIsQuantizedAlreadyIsTold) {
  const TempDir folder;
  ConvertRequest request =
      RequestFor(Made(RequestOf("Q8_0/plain", folder / "a.gguf")), folder / "b.gguf");
  request.scheme = "Q4_K_M";
  EXPECT_NE(Execute(request).find("tensors are quantized already"), std::string::npos);
  request.destination = folder / "c.gguf";
  request.gguf.allow_requantize = true;
  EXPECT_EQ(Execute(request).find("quantized already"), std::string::npos);
}

// One step from a Hugging Face folder is the two steps that llama.cpp takes.
TEST(GgufFileTypes1, OneStepIsTheTwo) {
  const TempDir folder;
  const std::string floats = Made(RequestFor(TestData("bard-base"), folder / "bf16.gguf"));
  ConvertRequest request = RequestOf("Q4_K_M/plain", folder / "model.gguf");
  request.source = floats;
  Execute(request);
  ExpectFile(request.destination, *Golden().Find("files")->Find("Q4_K_M/plain"));
}

}  // namespace
}  // namespace lbrx
