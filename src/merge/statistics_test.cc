#include "merge/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/tensor/convert.h"
#include "merge/methods/test_random_inputs.h"
#include "merge/methods/test_value_runs.h"

namespace lbrx::testing {
namespace {

MergeTensor TensorOf(size_t members, double density) {
  MergeTensor tensor;
  tensor.name = "model.layers.0.mlp.up_proj.weight";
  tensor.members.resize(members);
  for (MergeParameters& member : tensor.members) {
    member.Set("weight", 0.5);
    member.Set("density", density);
  }
  tensor.parameters.Set("normalize", 0);
  tensor.parameters.Set("lambda", 1);
  tensor.parameters.Set("rescale", 0);
  tensor.parameters.Set("int8_mask", 0);
  return tensor;
}

MergeParts PartsOf(const std::string& method, double density, const MergeInputs& inputs,
                   DType dtype) {
  MergeParts parts;
  parts.name = "model.layers.0.mlp.up_proj.weight";
  for (size_t m = 0; m < inputs.members.size(); ++m) {
    parts.labels.push_back("m" + std::to_string(m));
    parts.members.push_back(HeldValue::Of(inputs.shape, inputs.members[m]));
  }
  if (!inputs.base.empty()) {
    parts.base = HeldValue::Of(inputs.shape, inputs.base);
  }
  parts.merged =
      ValueOf(FindMergeMethod(method), TensorOf(inputs.members.size(), density), inputs, dtype);
  return parts;
}

std::vector<MergeSums> Measured(const std::vector<MergeParts>& parts, unsigned threads = 2,
                                uint64_t memory = uint64_t{64} << 20) {
  Executor executor(threads);
  CheckOptions options;
  options.executor = &executor;
  options.memory = memory;
  return MeasureMerge(parts, {}, options);
}

// Some elements that members leave alone, and some that they move against each other.
MergeInputs Related(const Shape& shape, size_t members) {
  MergeInputs inputs = RandomInputs(shape, members, /*with_base=*/true);
  for (size_t m = 0; m < members; ++m) {
    for (size_t i = 0; i < inputs.base.size(); i += m + 3) {
      inputs.members[m][i] = inputs.base[i];
    }
  }
  return inputs;
}

// The definitions, element by element in float64, over what the merge gave.
struct Expected {
  std::vector<std::vector<double>> vectors;  // of the members, then of the result
  double squared_reference = 0;
  std::vector<uint64_t> changed;
  std::vector<uint64_t> trimmed;
  uint64_t shared = 0;
  uint64_t agreeing = 0;

  Expected(const MergeInputs& inputs, const Floats& merged, DType dtype)
      : vectors(inputs.members.size() + 1),
        changed(inputs.members.size()),
        trimmed(inputs.members.size()) {
    for (size_t i = 0; i < merged.size(); ++i) {
      Add(inputs, merged[i], dtype, i);
    }
  }

  double Dot(size_t a, size_t b) const {
    double sum = 0;
    for (size_t i = 0; i < vectors[a].size(); ++i) {
      sum += vectors[a][i] * vectors[b][i];
    }
    return sum;
  }

 private:
  void Add(const MergeInputs& inputs, float merged, DType dtype, size_t i) {
    const size_t members = inputs.members.size();
    double reference = 0;
    for (const Floats& member : inputs.members) {
      reference += member[i] / static_cast<double>(members);
    }
    float kept = NAN;
    if (!inputs.base.empty()) {
      reference = inputs.base[i];
      kept = dtype == DType::kBF16 ? BF16ToFloat(FloatToBF16(inputs.base[i])) : inputs.base[i];
    }
    squared_reference += reference * reference;
    size_t up = 0;
    size_t down = 0;
    for (size_t m = 0; m < members; ++m) {
      const double delta = inputs.members[m][i] - reference;
      vectors[m].push_back(delta);
      up += delta > 0 ? 1 : 0;
      down += delta < 0 ? 1 : 0;
      if (!inputs.base.empty() && delta != 0) {
        ++changed[m];
        trimmed[m] += merged == kept ? 1 : 0;
      }
    }
    vectors[members].push_back(merged - reference);
    if (up + down > 1) {
      ++shared;
      agreeing += up == 0 || down == 0 ? 1 : 0;
    }
  }
};

Floats Read(const ValuePtr& value) {
  return AsFloats(ReadWhole(CastTo(value, DType::kF32)));
}

void ExpectSame(const MergeSums& found, const Expected& expected) {
  const size_t members = found.models.size();
  for (size_t a = 0; a <= members; ++a) {
    for (size_t b = 0; b <= members; ++b) {
      const double scale = std::sqrt(expected.Dot(a, a) * expected.Dot(b, b));
      EXPECT_NEAR(found.products.at(a, b), expected.Dot(a, b), scale * 1e-6) << a << " " << b;
    }
  }
  EXPECT_NEAR(found.squared_reference, expected.squared_reference,
              expected.squared_reference * 1e-6);
  EXPECT_EQ(found.changed, expected.changed);
  EXPECT_EQ(found.trimmed, expected.trimmed);
  EXPECT_EQ(found.shared, expected.shared);
  EXPECT_EQ(found.agreeing, expected.agreeing);
}

TEST(MeasureMerge, FollowsTheDefinitions) {
  const Shape shape{700, 801};  // three bands, the last one short; rows across tiles
  for (const DType dtype : {DType::kF32, DType::kBF16}) {
    for (const size_t members : {1, 2, 3}) {
      const MergeInputs inputs = Related(shape, members);
      const MergeParts parts = PartsOf("ties", 0.4, inputs, dtype);
      const MergeSums found = Measured({parts})[0];
      const Expected expected(inputs, Read(parts.merged), dtype);
      ExpectSame(found, expected);
      EXPECT_EQ(found.models, parts.labels);
      EXPECT_EQ(found.elements, shape.elements());
      EXPECT_GT(found.TrimmedShare(0), 0.1) << members;
    }
  }
}

TEST(MeasureMerge, TakesTheMeanWhereThereIsNoBase) {
  MergeInputs inputs = Related({90, 70}, 3);
  inputs.base.clear();
  const MergeParts parts = PartsOf("linear", 1, inputs, DType::kF32);
  const MergeSums found = Measured({parts})[0];
  ExpectSame(found, Expected(inputs, Read(parts.merged), DType::kF32));
  EXPECT_FALSE(found.has_base);
  EXPECT_TRUE(std::isnan(found.TrimmedShare()));
  // Two models lie on opposite sides of their mean.
  inputs.members.pop_back();
  const MergeSums two = Measured({PartsOf("linear", 1, inputs, DType::kF32)})[0];
  EXPECT_NEAR(two.Cosine(0, 1), -1, 1e-9);
  EXPECT_EQ(two.agreeing, 0U);
}

TEST(MeasureMerge, TellsFiguresOfASmallTensor) {
  const MergeInputs inputs{{1, 4}, {{2, 1, 1, 4}, {3, 1, 0, 2}}, {1, 1, 1, 3}};
  // Task vectors (1, 0, 0, 1) and (2, 0, -1, -1); the result is half their sum: (1.5, 0, -0.5, 0).
  const MergeSums sums = Measured({PartsOf("task_arithmetic", 1, inputs, DType::kF32)})[0];
  EXPECT_DOUBLE_EQ(sums.Norm(0), std::sqrt(2.0));
  EXPECT_DOUBLE_EQ(sums.Norm(1), std::sqrt(6.0));
  EXPECT_DOUBLE_EQ(sums.Norm(sums.result()), std::sqrt(2.5));
  EXPECT_DOUBLE_EQ(sums.RelativeNorm(0), std::sqrt(2.0 / 12));
  EXPECT_DOUBLE_EQ(sums.Cosine(0, 1), 1 / std::sqrt(12.0));
  EXPECT_DOUBLE_EQ(sums.Cosine(1, 0), sums.MeanCosine());
  EXPECT_DOUBLE_EQ(sums.Cosine(0, sums.result()), 1.5 / std::sqrt(2 * 2.5));
  EXPECT_DOUBLE_EQ(sums.SignAgreement(), 0.5);      // both moved the first and the last
  EXPECT_DOUBLE_EQ(sums.TrimmedShare(0), 0.5);      // the last of two
  EXPECT_DOUBLE_EQ(sums.TrimmedShare(1), 1.0 / 3);  // the last of three
  EXPECT_DOUBLE_EQ(sums.TrimmedShare(), 2.0 / 5);
}

TEST(MeasureMerge, IsTheSameForAnyThreadsAndMemory) {
  std::vector<MergeParts> parts;
  for (const uint64_t rows : {1, 300, 1100}) {
    parts.push_back(PartsOf("dare_ties", 0.5, Related({rows, 900}, 3), DType::kBF16));
  }
  const std::vector<MergeSums> once = Measured(parts, 1);
  for (const unsigned threads : {2, 7}) {
    const std::vector<MergeSums> again =
        Measured(parts, threads, StatisticsMemory(parts) * threads);
    for (size_t i = 0; i < parts.size(); ++i) {
      for (size_t a = 0; a <= 3; ++a) {
        for (size_t b = 0; b <= a; ++b) {
          EXPECT_EQ(once[i].products.at(a, b), again[i].products.at(a, b));
        }
      }
      EXPECT_EQ(once[i].squared_reference, again[i].squared_reference);
      EXPECT_EQ(once[i].trimmed, again[i].trimmed);
      EXPECT_EQ(once[i].agreeing, again[i].agreeing);
    }
  }
}

TEST(MeasureMerge, AddsUpTensors) {
  const MergeInputs inputs = Related({8, 64}, 2);
  const MergeParts parts = PartsOf("ties", 0.5, inputs, DType::kF32);
  std::vector<MergeSums> sums = Measured({parts, parts});
  ASSERT_TRUE(sums[0].SameModels(sums[1]));
  const MergeSums one = sums[1];
  sums[0].Add(sums[1]);
  EXPECT_EQ(sums[0].tensors, 2U);
  EXPECT_EQ(sums[0].elements, 2 * one.elements);
  EXPECT_NEAR(sums[0].Norm(0), std::sqrt(2.0) * one.Norm(0), 1e-12);
  EXPECT_DOUBLE_EQ(sums[0].Cosine(0, 1), one.Cosine(0, 1));
  EXPECT_DOUBLE_EQ(sums[0].TrimmedShare(1), one.TrimmedShare(1));
  sums[1].models[0] = "another";
  EXPECT_FALSE(sums[0].SameModels(sums[1]));
}

TEST(MeasureMerge, ReportsWhatItReadsAndRefusesTooLittleMemory) {
  const std::vector<MergeParts> parts = {PartsOf("ties", 0.5, Related({400, 900}, 2), DType::kF32)};
  Executor executor(2);
  CheckOptions options;
  options.executor = &executor;
  std::atomic<uint64_t> done{0};
  options.advance = [&](uint64_t bytes) { done += bytes; };
  MeasureMerge(parts, {}, options);
  EXPECT_EQ(done, StatisticsBytes(parts));
  EXPECT_EQ(done, 3U * 400 * 900 * sizeof(float));
  options.memory = StatisticsMemory(parts) - 1;
  EXPECT_THROW(MeasureMerge(parts, {}, options), Error);
  options.memory = StatisticsMemory(parts);
  CancelToken cancel;
  cancel.Cancel();
  options.cancel = &cancel;
  EXPECT_THROW(MeasureMerge(parts, {}, options), Error);
}

}  // namespace
}  // namespace lbrx::testing
