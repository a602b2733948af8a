// Multimodal checkpoints (tests/data/multimodal): text as mlx-lm has it, the rest carried, and
// back.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "convert/convert.h"
#include "core/base/hash.h"
#include "core/io/file.h"
#include "model/naming.h"
#include "stream/engine.h"
#include "support/checkpoints.h"
#include "support/temp_dir.h"

namespace lbrx {
namespace {

class Multimodal : public ::testing::TestWithParam<std::string> {
 protected:
  using Tensors = decltype(ReadSafetensors(""));

  std::string Source() const { return std::string(LBRX_TEST_DATA) + "/multimodal/" + GetParam(); }

  static Json Parse(const std::string& path) { return ParseJson(ReadTestFile(path), path); }

  ConvertRequest Request(const std::string& source, const std::string& name, TargetKind kind) {
    ConvertRequest request;
    request.source = source;
    request.destination = folder_ / name;
    request.target = kind;
    return request;
  }

  static std::string Run(const ConvertRequest& request) {
    RunOptions options;
    options.destination = request.destination;
    options.sync = false;
    options.threads = 2;
    RunPlan(PlanConvert(request, std::make_shared<Checkpoint>(OpenCheckpoint(request.source))),
            options);
    return request.destination;
  }

  static Tensors Read(const std::string& folder) {
    return ReadSafetensors(folder + "/model.safetensors");
  }

  static Naming Names(const std::string& folder) { return NamingOf(OpenCheckpoint(folder)); }

  static std::string Hash(const std::string& bytes) {
    Sha256 hash;
    hash.Update(std::as_bytes(std::span(bytes)));
    return hash.FinishHex().substr(0, 16);
  }

  // mlx-lm's text tensors, and beside them those of the source that are not text, as they were.
  void ExpectMlx(const std::string& folder, const std::string& golden) const {
    const Tensors tensors = Read(folder);
    const Tensors source = Read(Source());
    const Json expected = Parse(Source() + "/" + golden);
    const Naming from = Names(Source());
    size_t others = 0;
    for (const auto& [name, bytes] : source) {
      if (from.IsOther(name)) {
        ++others;
        const std::string there = from.InMlx().Translate(from, name);
        ASSERT_TRUE(tensors.contains(there)) << there;
        EXPECT_TRUE(tensors.at(there) == bytes) << there;
      }
    }
    EXPECT_GT(others, 5U);
    const Json::Object& text = expected.Find("tensors")->AsObject();
    EXPECT_EQ(tensors.size(), text.size() + others);
    for (const auto& [name, row] : text) {
      ASSERT_TRUE(tensors.contains(std::string(name))) << name;
      EXPECT_EQ(Hash(tensors.at(std::string(name))), row.AsArray()[2].AsString()) << name;
    }
  }

  TempDir folder_;
};

TEST_P(Multimodal, TextIsThatOfMlxLmAndTheRestIsCarried) {
  ExpectMlx(Run(Request(Source(), "mlx", TargetKind::kMlx)), "expected_mlx.json");
}

TEST_P(Multimodal, FourBitTextIsThatOfMlxLm) {
  ConvertRequest request = Request(Source(), "q4", TargetKind::kMlx);
  request.scheme = "4bit";
  request.group_size = 32;
  request.rule = MlxRule::kCpu;
  const std::string folder = Run(request);
  ExpectMlx(folder, "expected_mlx_q4.json");
  const Json config = Parse(folder + "/config.json");
  EXPECT_EQ(config.Find("quantization")->Find("bits")->AsUint64(), 4U);
}

TEST_P(Multimodal, ComesBackFromMlxByteForByte) {
  const std::string mlx = Run(Request(Source(), "mlx", TargetKind::kMlx));
  EXPECT_TRUE(Read(Run(Request(mlx, "hf", TargetKind::kHuggingFace))) == Read(Source()));
}

TEST_P(Multimodal, TextOnlyIsATextModel) {
  for (const TargetKind kind : {TargetKind::kHuggingFace, TargetKind::kMlx}) {
    ConvertRequest request = Request(Source(), kind == TargetKind::kMlx ? "m" : "h", kind);
    request.text_only = true;
    request.strict = true;
    const std::string folder = Run(request);
    const Checkpoint text = OpenCheckpoint(folder);
    const Naming names = NamingOf(text);
    ASSERT_NE(names.architecture, nullptr);
    EXPECT_EQ(names.wrapper, nullptr);
    EXPECT_EQ(text.config.Find("vision_config"), nullptr);
    EXPECT_EQ(text.config.Find("text_config"), nullptr);
    for (const SourceTensor& tensor : text.tensors) {
      EXPECT_NE(names.Resolve(tensor.name).rule, nullptr) << tensor.name;
    }
    // It holds together: the same checks as for any other source.
    Run(Request(folder, folder.back() + std::string("again"), TargetKind::kMlx));
  }
}

std::vector<std::string> WrapperNames() {
  std::vector<std::string> names;
  for (const Wrapper* wrapper : Wrappers()) {
    names.emplace_back(wrapper->name);
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(All, Multimodal, ::testing::ValuesIn(WrapperNames()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace lbrx
