// What tests of GGUF conversions share.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "convert/convert.h"
#include "core/base/hash.h"
#include "core/io/file.h"
#include "model/architecture.h"
#include "model/open_model.h"
#include "stream/engine.h"
#include "support/checkpoints.h"
#include "support/temp_dir.h"

namespace lbrx {

inline std::string TestData(const std::string& name) {
  return std::string(LBRX_TEST_DATA) + "/" + name;
}

inline Json ReadJson(const std::string& path) {
  return ParseJson(ReadTestFile(path), path);
}

inline ConvertRequest RequestFor(const std::string& source, const std::string& destination) {
  ConvertRequest request;
  request.source = source;
  request.destination = destination;
  request.card = false;
  return request;
}

// Plans and runs; returns the notices, one a line.
inline std::string Execute(const ConvertRequest& request, unsigned threads = 2,
                           bool allow_nonfinite = false) {
  RunOptions options;
  options.destination = request.destination;
  options.sync = false;
  options.threads = threads;
  options.allow_nonfinite = allow_nonfinite;
  const Plan plan = PlanConvert(request, std::make_shared<Checkpoint>(OpenModel(request.source)));
  RunPlan(plan, options);
  std::string notices;
  for (const std::string& notice : plan.notices) {
    notices += notice + "\n";
  }
  return notices;
}

// A conversion's destination.
inline std::string Made(const ConvertRequest& request) {
  Execute(request);
  return request.destination;
}

inline std::string BytesOf(const Checkpoint& checkpoint, const StoredArray& array) {
  std::string bytes(array.bytes, '\0');
  const auto file = File::OpenRead(checkpoint.files[array.file].path);
  file->ReadAt(array.offset, std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

// An array as stored.
struct ArrayBytes {
  DType dtype = DType::kF32;
  Shape shape;
  std::string bytes;

  bool operator==(const ArrayBytes&) const = default;
};

inline std::map<std::string, ArrayBytes> ArraysOf(const std::string& path) {
  const Checkpoint checkpoint = OpenCheckpoint(path);
  std::map<std::string, ArrayBytes> out;
  for (const StoredArray& array : checkpoint.arrays) {
    out.emplace(array.name, ArrayBytes{array.dtype, array.shape, BytesOf(checkpoint, array)});
  }
  return out;
}

// Like EXPECT_EQ, but names what differs instead of printing it.
inline void ExpectSameArrays(const std::map<std::string, ArrayBytes>& a,
                             const std::map<std::string, ArrayBytes>& b) {
  EXPECT_EQ(a.size(), b.size());
  for (const auto& [name, array] : a) {
    const auto other = b.find(name);
    ASSERT_NE(other, b.end()) << name;
    EXPECT_EQ(array.dtype, other->second.dtype) << name;
    EXPECT_EQ(array.shape, other->second.shape) << name;
    EXPECT_TRUE(array.bytes == other->second.bytes) << name;
  }
}

// The first 16 digits of the SHA-256.
inline std::string ShortHash(const std::string& bytes) {
  constexpr size_t kDigits = 16;
  Sha256 hash;
  hash.Update(std::as_bytes(std::span(bytes)));
  return hash.FinishHex().substr(0, kDigits);
}

// Copies tests/data/arch/NAME to `folder`, with the tokenizer that all models there had.
inline void CopyArchitecture(const std::string& name, const std::string& folder) {
  std::filesystem::create_directories(folder);
  for (const char* file : {"config.json", "model.safetensors"}) {
    std::filesystem::copy_file(TestData("arch/" + name) + "/" + file, folder + "/" + file);
  }
  for (const char* file : {"tokenizer.json", "tokenizer_config.json", "chat_template.jinja"}) {
    std::filesystem::copy_file(TestData("bard-base") + "/" + file, folder + "/" + file);
  }
}

inline std::vector<std::string> ArchitectureNames() {
  std::vector<std::string> names;
  for (const Architecture* architecture : Architectures()) {
    names.emplace_back(architecture->name);
  }
  return names;
}

}  // namespace lbrx
