// A folder that tests fill, open and complain about.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "formats/checkpoint.h"
#include "hostile/raw_file.h"
#include "support/temp_dir.h"

namespace lbrx {

// A shard with one-byte tensors of these names.
inline std::string Shard(const std::vector<std::string>& names) {
  std::string json = "{";
  for (size_t i = 0; i < names.size(); ++i) {
    json += (i == 0 ? "" : ",") + RawEntry(names[i], "U8", "[1]", i, i + 1);
  }
  return RawSafetensors(json + "}", names.size());
}

class FolderFixture : public testing::Test {
 protected:
  FolderFixture() { Write("config.json", "{\"model_type\":\"x\"}"); }

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

}  // namespace lbrx
