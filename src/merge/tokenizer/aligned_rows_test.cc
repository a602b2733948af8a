#include "merge/tokenizer/aligned_rows.h"

#include <gtest/gtest.h>

#include <limits>
#include <thread>

#include "core/base/error.h"
#include "core/tensor/convert.h"
#include "merge/tokenizer/test_tokenizers.h"

namespace lbrx {
namespace {

// Three models and a vocabulary of five tokens, a gap, and two rows of padding:
//   0  all have it    1  the second alone    2  the first and the third    3  nobody    5  all
std::shared_ptr<OutputVocabulary> SmallVocabulary() {
  auto vocabulary = std::make_shared<OutputVocabulary>();
  vocabulary->tokens = 5;
  vocabulary->rows = 8;
  vocabulary->is_token = {true, true, true, true, false, true};
  vocabulary->ids = {{0, -1, 1, -1, -1, 2}, {3, 2, -1, -1, -1, 0}, {1, -1, 2, -1, -1, 3}};
  vocabulary->names = {"first", "second", "third"};
  return vocabulary;
}

std::vector<ValuePtr> SmallMatrices(DType dtype = DType::kF32, uint64_t columns = 4) {
  return {TestMatrix(0, 4, dtype, columns), TestMatrix(1, 4, dtype, columns),
          TestMatrix(2, 4, dtype, columns)};
}

std::vector<float> Row(uint32_t model, uint64_t row, uint64_t columns = 4) {
  std::vector<float> out;
  for (uint64_t c = 0; c < columns; ++c) {
    out.push_back(TestElement(model, row, c));
  }
  return out;
}

std::vector<float> RowOf(const std::vector<float>& values, uint64_t row, uint64_t columns = 4) {
  const auto first = values.begin() + static_cast<std::ptrdiff_t>(row * columns);
  return {first, first + static_cast<std::ptrdiff_t>(columns)};
}

ErrorCode CodeOf(const std::shared_ptr<OutputVocabulary>& vocabulary,
                 std::vector<ValuePtr> matrices) {
  try {
    AlignRows(vocabulary, std::move(matrices), std::nullopt);
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::kFindings;
}

TEST(AlignRows, TakesOwnRowsThenThoseOfOthers) {
  const auto aligned = AlignRows(SmallVocabulary(), SmallMatrices(), std::nullopt);
  const std::vector<float> second = ReadAll(aligned[1]);
  EXPECT_EQ(RowOf(second, 0), Row(1, 3));
  EXPECT_EQ(RowOf(second, 5), Row(1, 0));
  EXPECT_EQ(RowOf(second, 3), std::vector<float>(4, 0));
  EXPECT_EQ(RowOf(ReadAll(aligned[0]), 1), Row(1, 2));  // of the only model that has it
  for (uint64_t c = 0; c < 4; ++c) {
    const float mean = (TestElement(0, 1, c) + TestElement(2, 2, c)) / 2;
    EXPECT_EQ(RowOf(second, 2)[c], mean);
  }
}

TEST(AlignRows, TakesTheBaseRatherThanAMean) {
  const auto aligned = AlignRows(SmallVocabulary(), SmallMatrices(), 2);
  EXPECT_EQ(RowOf(ReadAll(aligned[1]), 2), Row(2, 2));
  const auto without = AlignRows(SmallVocabulary(), SmallMatrices(), 1);  // does not have it
  EXPECT_NE(RowOf(ReadAll(without[1]), 2), Row(2, 2));
}

TEST(AlignRows, CountsModelsWithTheTensorOnly) {
  std::vector<ValuePtr> matrices = SmallMatrices();
  matrices[2] = nullptr;
  const auto aligned = AlignRows(SmallVocabulary(), matrices, 2);
  EXPECT_EQ(aligned[2], nullptr);
  EXPECT_EQ(RowOf(ReadAll(aligned[1]), 2), Row(0, 1));
}

TEST(AlignRows, FillsGapsAndTheEndWithTheMeanOfTokens) {
  const auto aligned = AlignRows(SmallVocabulary(), SmallMatrices(), std::nullopt);
  const std::vector<float> values = ReadAll(aligned[0]);
  std::vector<float> mean;
  for (uint64_t c = 0; c < 4; ++c) {
    double sum = 0;
    for (const uint64_t row : {0, 1, 2, 3, 5}) {
      sum += values[row * 4 + c];
    }
    mean.push_back(static_cast<float>(sum / 5));
  }
  for (const uint64_t row : {4, 6, 7}) {
    EXPECT_EQ(RowOf(values, row), mean) << row;
  }
}

// Rounded once: the float32 sum of three rows has more bits than bfloat16.
TEST(AlignRows, RoundsMeansOnce) {
  auto vocabulary = SmallVocabulary();
  vocabulary->ids.push_back({-1, -1, -1, -1, -1, -1});
  vocabulary->ids[1][2] = 1;
  vocabulary->names.emplace_back("fourth");
  std::vector<ValuePtr> matrices = SmallMatrices(DType::kBF16);
  matrices.push_back(TestMatrix(3, 4, DType::kBF16, 4));
  const auto aligned = AlignRows(vocabulary, matrices, std::nullopt);
  std::vector<float> exact;
  for (uint64_t c = 0; c < 4; ++c) {
    exact.push_back((TestElement(0, 1, c) + TestElement(1, 1, c) + TestElement(2, 2, c)) / 3);
  }
  EXPECT_EQ(RowOf(ReadAll(aligned[3]), 2), ReadAll(CastTo(ConstantOf(exact), DType::kBF16)));
}

TEST(AlignRows, ExplicitSources) {
  auto vocabulary = SmallVocabulary();
  TokenSource zero{.kind = TokenSource::Kind::kZero, .force = true};
  TokenSource row{.kind = TokenSource::Kind::kId, .model = 1, .id = 1};
  vocabulary->sources = {{0, zero}, {2, row}};
  const auto aligned = AlignRows(vocabulary, SmallMatrices(), 0);
  EXPECT_EQ(RowOf(ReadAll(aligned[0]), 0), std::vector<float>(4, 0));  // forced
  EXPECT_EQ(RowOf(ReadAll(aligned[0]), 2), Row(0, 1));                 // its own
  EXPECT_EQ(RowOf(ReadAll(aligned[1]), 2), Row(1, 1));
}

TEST(AlignRows, VectorsToo) {
  std::vector<ValuePtr> vectors;
  for (uint32_t i = 0; i < 3; ++i) {
    vectors.push_back(Reshape(TestMatrix(i, 4, DType::kF32, 1), Shape{4}));
  }
  const auto aligned = AlignRows(SmallVocabulary(), vectors, std::nullopt);
  EXPECT_EQ(aligned[0]->shape(), Shape{8});
  EXPECT_EQ(RowOf(ReadAll(aligned[0]), 1, 1), Row(1, 2, 1));
}

TEST(AlignRows, LeavesAloneWhatIsAligned) {
  auto vocabulary = std::make_shared<OutputVocabulary>();
  vocabulary->tokens = vocabulary->rows = 4;
  vocabulary->is_token.assign(4, true);
  vocabulary->ids.assign(3, {0, 1, 2, 3});
  vocabulary->ids[2][3] = -1;
  vocabulary->names = {"first", "second", "third"};
  const std::vector<ValuePtr> matrices = SmallMatrices();
  const auto aligned = AlignRows(vocabulary, matrices, std::nullopt);
  EXPECT_EQ(aligned[0], matrices[0]);
  EXPECT_NE(aligned[2], matrices[2]);
}

// A value that is read in pairs of elements only.
class Paired final : public Value {
 public:
  explicit Paired(const ValuePtr& value) : Value(value->dtype(), value->shape()), value_(value) {}

  uint64_t granule() const override { return 2; }

  uint64_t WorkingBytes(uint64_t /*count*/) const override { return 0; }

  uint64_t SourceBytes() const override { return value_->shape().elements() * 4; }

  void Read(ReadContext& context, uint64_t first, uint64_t count, std::byte* out) const override {
    EXPECT_EQ(first % 2, 0U);
    EXPECT_EQ(count % 2, 0U);
    value_->Read(context, first, count, out);
  }

  void WillNeed(SourceFiles& /*files*/, uint64_t /*first*/, uint64_t /*count*/) const override {}

  std::string Describe() const override { return "paired"; }

 private:
  ValuePtr value_;
};

TEST(AlignRows, ReadsRowsThatEndInsideAGranule) {
  std::vector<ValuePtr> matrices = SmallMatrices(DType::kF32, 3);
  const auto plain = AlignRows(SmallVocabulary(), matrices, std::nullopt);
  for (ValuePtr& matrix : matrices) {
    matrix = std::make_shared<Paired>(matrix);
  }
  const auto paired = AlignRows(SmallVocabulary(), matrices, std::nullopt);
  for (size_t i = 0; i < matrices.size(); ++i) {
    EXPECT_EQ(ReadAll(paired[i]), ReadAll(plain[i]));
  }
}

TEST(AlignRows, ReadsAnyRunInTheMemoryThatItNames) {
  const std::vector<float> all =
      ReadAll(AlignRows(SmallVocabulary(), SmallMatrices(DType::kBF16), std::nullopt)[2]);
  SourceFiles files(SourceFiles::Checkpoints{});
  for (uint64_t first = 0; first < 8; ++first) {
    for (uint64_t count = 1; first + count <= 8; ++count) {
      Pool pool;
      ReadContext context{files, pool, NonFinitePolicy::kReject, nullptr};
      // Values of their own, whose mean is not known yet.
      const ValuePtr fresh =
          AlignRows(SmallVocabulary(), SmallMatrices(DType::kBF16), std::nullopt)[2];
      std::vector<uint16_t> run(count * 4);
      fresh->Read(context, first * 4, count * 4, reinterpret_cast<std::byte*>(run.data()));
      for (uint64_t i = 0; i < run.size(); ++i) {
        EXPECT_EQ(BF16ToFloat(run[i]), all[first * 4 + i]) << first << " " << count;
      }
      EXPECT_LE(pool.counters().peak_bytes_in_use, fresh->WorkingBytes(count * 4));
    }
  }
}

TEST(AlignRows, ThreadsShareTheMean) {
  const ValuePtr value = AlignRows(SmallVocabulary(), SmallMatrices(), std::nullopt)[0];
  const std::vector<float> expected = ReadAll(value);
  const ValuePtr fresh = AlignRows(SmallVocabulary(), SmallMatrices(), std::nullopt)[0];
  std::vector<std::vector<float>> results(8);
  std::vector<std::thread> threads;
  threads.reserve(results.size());
  for (std::vector<float>& result : results) {
    threads.emplace_back([&result, &fresh] { result = ReadAll(fresh); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const std::vector<float>& result : results) {
    EXPECT_EQ(result, expected);
  }
}

// NaN is counted once, where it is, and not again in the mean.
TEST(AlignRows, CountsWhatIsNotFiniteOnce) {
  std::vector<float> values(16, 1);
  values[9] = std::numeric_limits<float>::quiet_NaN();
  std::vector<ValuePtr> matrices = SmallMatrices(DType::kBF16);
  matrices[2] = CastTo(Reshape(ConstantOf(values), Shape{4, 4}), DType::kBF16);
  const ValuePtr value = AlignRows(SmallVocabulary(), matrices, std::nullopt)[2];
  SourceFiles files(SourceFiles::Checkpoints{});
  Pool pool;
  NonFiniteTally tally;
  ReadContext context{files, pool, NonFinitePolicy::kReject, &tally};
  std::vector<uint16_t> out(32);
  value->Read(context, 0, 32, reinterpret_cast<std::byte*>(out.data()));
  EXPECT_EQ(tally.count, 1U);
}

TEST(AlignRows, DescribesItsRows) {
  auto vocabulary = SmallVocabulary();
  const std::string before = AlignRows(vocabulary, SmallMatrices(), std::nullopt)[0]->Describe();
  EXPECT_EQ(AlignRows(SmallVocabulary(), SmallMatrices(), std::nullopt)[0]->Describe(), before);
  auto changed = SmallVocabulary();
  changed->ids[2][2] = 3;
  EXPECT_NE(AlignRows(changed, SmallMatrices(), std::nullopt)[1]->Describe(),
            AlignRows(vocabulary, SmallMatrices(), std::nullopt)[1]->Describe());
}

TEST(AlignRows, RefusesWhatDoesNotFit) {
  auto beyond = SmallVocabulary();
  beyond->ids[1][0] = 4;
  EXPECT_EQ(CodeOf(beyond, SmallMatrices()), ErrorCode::kInvalid);

  auto missing = SmallVocabulary();
  missing->sources = {{0, {.kind = TokenSource::Kind::kId, .model = 1, .id = 4}}};
  EXPECT_EQ(CodeOf(missing, SmallMatrices()), ErrorCode::kInvalid);
  missing->sources[0].source.id = 0;
  EXPECT_EQ(CodeOf(missing, SmallMatrices()), ErrorCode::kFindings);
  std::vector<ValuePtr> matrices = SmallMatrices();
  matrices[1] = nullptr;
  EXPECT_EQ(CodeOf(missing, matrices), ErrorCode::kInvalid);

  matrices = SmallMatrices();
  matrices[2] = TestMatrix(2, 4, DType::kF32, 5);
  EXPECT_EQ(CodeOf(SmallVocabulary(), matrices), ErrorCode::kInvalid);
}

}  // namespace
}  // namespace lbrx
