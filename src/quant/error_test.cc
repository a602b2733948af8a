// The error of an encoding, against planes that are written, read back and compared by hand.
#include "quant/error.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <vector>

#include "core/base/cpu.h"
#include "core/tensor/convert.h"
#include "core/tensor/ggml_types.h"
#include "quant/test_runs.h"

namespace lbrx {
namespace {

constexpr size_t kColumns = 384;
constexpr size_t kRows = 33;  // several pieces and a part of one

class EncodeErrorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    uint64_t state = 5;
    for (float& value : floats_) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      value = static_cast<float>(static_cast<int64_t>(state) >> 32) * 1e-11F;
    }
    for (size_t i = 0; i < kColumns; ++i) {
      weights_.push_back(0.25F + static_cast<float>(i % 7));
    }
  }

  void TearDown() override { ForceSimdTarget(0); }

  // The values in `dtype`.
  std::vector<std::byte> Values(DType dtype) const {
    std::vector<std::byte> out(floats_.size() * Info(dtype).bits / 8);
    Convert(DType::kF32, reinterpret_cast<const std::byte*>(floats_.data()), dtype, out.data(),
            floats_.size());
    return out;
  }

  // What EncodeError is to give, but for the order of additions.
  static double Plainly(const Encoding& encoding, const std::vector<std::byte>& values,
                        const std::vector<float>& weights) {
    const size_t count = values.size() * 8 / Info(encoding.dtype).bits;
    const Planes planes = EncodeRun(encoding, MlxRule::kMetal, values, true);
    const std::vector<std::byte> decoded = DecodeRun(encoding, DType::kF32, planes, count, true);
    std::vector<std::byte> wanted(count * sizeof(float));
    Convert(encoding.dtype, values.data(), DType::kF32, wanted.data(), count);
    double sum = 0;
    for (size_t i = 0; i < count; ++i) {
      float a = 0;
      float b = 0;
      std::memcpy(&a, &decoded[i * 4], 4);
      std::memcpy(&b, &wanted[i * 4], 4);
      const double off = double{a} - double{b};
      sum += off * off * (weights.empty() ? 1.0 : double{weights[i % weights.size()]});
    }
    return sum;
  }

  static EncodeJob JobOf(const Encoding& encoding, const std::vector<std::byte>& values) {
    EncodeJob job;
    job.encoding = encoding;
    job.values = values.data();
    job.elements = values.size() * 8 / Info(encoding.dtype).bits;
    return job;
  }

  std::vector<float> floats_ = std::vector<float>(kRows * kColumns);
  std::vector<float> weights_;
};

TEST_F(EncodeErrorTest, IsThatOfThePlanesOnEveryTarget) {
  for (const SchemeRow& row : SchemeTable()) {
    for (const DType dtype : {DType::kBF16, DType::kF16, DType::kF32}) {
      Encoding encoding = row.encoding;
      encoding.dtype = dtype;
      const std::vector<std::byte> values = Values(dtype);
      const EncodeJob job = JobOf(encoding, values);
      const ColumnWeights columns{weights_.data(), kColumns, 0};
      const double plain = Plainly(encoding, values, {});
      const double weighted = Plainly(encoding, values, weights_);
      EXPECT_GT(plain, 0);
      EXPECT_NEAR(EncodeErrorReference(job), plain, 1e-6 * plain) << SchemeLabel(encoding);
      EXPECT_NEAR(EncodeErrorReference(job, columns), weighted, 1e-6 * weighted);
      for (const int64_t target : SupportedSimdTargets()) {
        ForceSimdTarget(target);
        EXPECT_EQ(EncodeError(job), EncodeErrorReference(job)) << SchemeLabel(encoding);
        EXPECT_EQ(EncodeError(job, columns), EncodeErrorReference(job, columns))
            << SchemeLabel(encoding) << " " << SimdTargetName(target);
      }
      ForceSimdTarget(0);
    }
  }
}

TEST_F(EncodeErrorTest, WeightsBeginAnewWithEachRow) {
  const Encoding encoding = Affine(4, 64, DType::kBF16);
  const std::vector<std::byte> values = Values(DType::kBF16);
  const EncodeJob whole = JobOf(encoding, values);
  const double error = EncodeError(whole, {weights_.data(), kColumns, 0});
  // The same in two runs that meet within a row.
  EncodeJob first = whole;
  first.elements = 20 * kColumns + 128;
  EncodeJob second = whole;
  second.values += first.elements * 2;
  second.elements -= first.elements;
  const double parts = EncodeError(first, {weights_.data(), kColumns, 0}) +
                       EncodeError(second, {weights_.data(), kColumns, 128});
  EXPECT_NEAR(parts, error, 1e-12 * error);
  EXPECT_NE(EncodeError(second, {weights_.data(), kColumns, 0}),
            EncodeError(second, {weights_.data(), kColumns, 128}));
}

// The search for a block's codes sees whole rows, a run of them at a time.
TEST_F(EncodeErrorTest, BlocksAreSearchedByImportance) {
  const std::vector<std::byte> values = Values(DType::kF32);
  for (const Scheme scheme : {Scheme::kQ40, Scheme::kIq4Nl}) {
    EncodeJob job = JobOf(FindGgmlType(scheme).encoding, values);
    const double unweighted = EncodeError(job, {weights_.data(), kColumns, 0});
    job.importance = weights_.data();
    job.columns = kColumns;
    std::vector<std::byte> blocks(EncodedBytes(job.encoding, Shape({kRows, kColumns})));
    std::vector<std::byte> decoded(values.size());
    const std::array<std::byte*, 1> planes = {blocks.data()};
    const std::array<const std::byte*, 1> written = {blocks.data()};
    EncodeJob whole = job;
    whole.planes = planes;
    FindCodec(scheme)->encode_reference(whole);
    FindCodec(scheme)->decode_reference({.encoding = job.encoding,
                                         .dtype = DType::kF32,
                                         .planes = written,
                                         .elements = job.elements,
                                         .values = decoded.data()});
    double wanted = 0;
    for (size_t i = 0; i < floats_.size(); ++i) {
      float value = 0;
      std::memcpy(&value, &decoded[i * sizeof(float)], sizeof(float));
      const double off = double{value} - double{floats_[i]};
      wanted += off * off * double{weights_[i % kColumns]};
    }
    const double error = EncodeError(job, {weights_.data(), kColumns, 0});
    EXPECT_NEAR(error, wanted, 1e-9 * wanted);
    EXPECT_EQ(error, EncodeErrorReference(job, {weights_.data(), kColumns, 0}));
    EXPECT_LT(error, unweighted) << "the search did not see the weights";
  }
}

TEST_F(EncodeErrorTest, PlainValuesHaveNone) {
  const std::vector<std::byte> values = Values(DType::kF32);
  EXPECT_EQ(EncodeError(JobOf(Plain(DType::kF32), values)), 0);
}

TEST_F(EncodeErrorTest, SearchLowersIt) {
  const std::vector<std::byte> values = Values(DType::kBF16);
  EncodeJob job = JobOf(Affine(3, 64, DType::kBF16), values);
  const double plain = EncodeError(job);
  job.options.search = true;
  EXPECT_LT(EncodeError(job), plain);
  EXPECT_EQ(EncodeError(job), EncodeErrorReference(job));
}

}  // namespace
}  // namespace lbrx
