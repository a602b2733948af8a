// The IQ types on vectors against their scalar definitions.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/base/cpu.h"
#include "core/base/error.h"
#include "core/tensor/ggml_types.h"
#include "quant/codec.h"
#include "quant/schemes/ggml/iq_codecs.h"
#include "quant/schemes/ggml/iq_inputs.h"
#include "quant/test_runs.h"

namespace lbrx {
namespace {

class IqVectors : public ::testing::Test {
 protected:
  void TearDown() override { ForceSimdTarget(0); }
};

TEST_F(IqVectors, DecodeAsScalars) {
  for (const Codec& codec : IqCodecs()) {
    const GgmlType& type = FindGgmlType(codec.scheme);
    const Planes planes = {testing::IqRandomBlocks(type)};
    const uint64_t elements = testing::kIqRandomBlocks * type.block;
    for (const DType dtype : {DType::kF32, DType::kBF16, DType::kF16}) {
      const auto expected = DecodeRun(type.encoding, dtype, planes, elements, true);
      for (const int64_t target : SupportedSimdTargets()) {
        ForceSimdTarget(target);
        EXPECT_TRUE(DecodeRun(type.encoding, dtype, planes, elements, false) == expected)
            << type.name << " to " << Name(dtype) << ", " << SimdTargetName(target);
      }
    }
  }
}

TEST_F(IqVectors, EncodeAsScalars) {
  const std::vector<float> importance = testing::IqImportance();
  for (const Codec& codec : IqCodecs()) {
    const GgmlType& type = FindGgmlType(codec.scheme);
    for (size_t i = 0; i < testing::IqInputs().size(); ++i) {
      const std::vector<float> values = testing::IqRow(i);
      for (const float* weights : {static_cast<const float*>(nullptr), importance.data()}) {
        if (weights == nullptr && NeedsImportance(codec.scheme)) {
          continue;
        }
        const auto expected = testing::EncodeIqRows(type, values, weights, true);
        for (const int64_t target : SupportedSimdTargets()) {
          ForceSimdTarget(target);
          EXPECT_TRUE(testing::EncodeIqRows(type, values, weights, false) == expected)
              << type.name << ", " << testing::IqInputs()[i].name << ", " << SimdTargetName(target)
              << (weights == nullptr ? "" : ", weighted");
        }
      }
    }
  }
}

TEST_F(IqVectors, AnyNumberOfBlocks) {
  const std::vector<float> importance = testing::IqImportance();
  const std::vector<float> values = testing::IqRow(0);
  for (const Codec& codec : IqCodecs()) {
    const GgmlType& type = FindGgmlType(codec.scheme);
    const auto expected = testing::EncodeIqRows(type, values, importance.data(), true);
    for (const size_t blocks : {1, 2, 3, 9, 11}) {
      const std::vector<float> some(values.begin(), values.begin() + blocks * type.block);
      const auto bytes = testing::EncodeIqRows(type, some, importance.data(), false);
      EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), expected.begin()))
          << type.name << ", " << blocks;
    }
  }
}

TEST_F(IqVectors, RefusedWithoutImportance) {
  size_t refusing = 0;
  for (const Codec& codec : IqCodecs()) {
    const GgmlType& type = FindGgmlType(codec.scheme);
    for (const bool reference : {true, false}) {
      if (NeedsImportance(codec.scheme)) {
        ++refusing;
        EXPECT_THROW(testing::EncodeIqRows(type, testing::IqRow(0), nullptr, reference), Error)
            << type.name;
      }
    }
  }
  EXPECT_EQ(refusing, 6U);  // IQ1_S, IQ2_XXS and IQ2_XS
}

}  // namespace
}  // namespace lbrx
