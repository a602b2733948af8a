#include "adapt/low_rank.h"

#include <cstring>
#include <limits>

#include "adapt/low_rank_kernel.h"
#include "adapt/test_adapter.h"
#include "core/base/cpu.h"

namespace lbrx {
namespace {

std::vector<float> RandomFloats(const std::string& name, uint64_t count) {
  const TestTensor tensor = RandomTensor(name, DType::kF32, {count});
  std::vector<float> out(count);
  std::memcpy(out.data(), tensor.bytes.data(), tensor.bytes.size());
  return out;
}

TEST(LowRankKernel, IsTheSameOnEveryTarget) {
  for (const size_t columns : {1UL, 7UL, 8UL, 31UL, 64UL, 127UL, 200UL}) {
    for (const size_t rank : {1UL, 3UL, 16UL}) {
      const std::vector<float> left = RandomFloats("left", rank * 2);
      const std::vector<float> right = RandomFloats("right", rank * (columns + 3));
      const LowRankRow row{left.data(), 2, right.data(), columns + 3, rank, 0.37F};
      std::vector<float> expected = RandomFloats("out", columns);
      AddRowReference(row, expected.data(), columns);
      for (const int64_t target : SupportedSimdTargets()) {
        ForceSimdTarget(target);
        std::vector<float> found = RandomFloats("out", columns);
        AddRow(row, found.data(), columns);
        EXPECT_EQ(found, expected) << SimdTargetName(target) << " " << columns << " " << rank;
      }
      ForceSimdTarget(0);
    }
  }
}

// W of three experts, in runs that end within rows and cross experts, with R in several panels.
TEST(LowRank, IsTheSumOfProductsWhateverTheRuns) {
  constexpr uint64_t kExperts = 3, kRows = 5, kColumns = 700, kRank = 300;
  TempDir folder;
  WriteSafetensors(folder / "w.safetensors",
                   {RandomTensor("l", DType::kF32, {kExperts, kRows, kRank}),
                    RandomTensor("r", DType::kF32, {kExperts, kRank, kColumns}),
                    RandomTensor("w", DType::kF32, {kExperts, kRows, kColumns})});
  const SourceFiles::Checkpoints sources = {
      std::make_shared<Checkpoint>(OpenCheckpoint(folder / "w.safetensors"))};
  const auto load = [&](const char* name) {
    return LoadTensor(sources, 0, *sources[0]->Find(name));
  };
  LowRankUpdate update;
  update.left = {load("l"), false};
  update.right = {load("r"), true};
  update.scale = 0.25;
  const ValuePtr sum = AddLowRank(load("w"), update);
  const uint64_t all = sum->shape().elements();
  const std::string whole = ReadInRuns(sources, *sum, all);
  for (const uint64_t run : {uint64_t{33}, uint64_t{699}, uint64_t{1001}, uint64_t{5000}}) {
    EXPECT_EQ(ReadInRuns(sources, *sum, run), whole) << run;
  }
  const std::vector<float> l = RandomFloats("l", kExperts * kRows * kRank);
  const std::vector<float> r = RandomFloats("r", kExperts * kRank * kColumns);
  std::vector<float> w = RandomFloats("w", all);
  for (uint64_t i = 0; i < all; ++i) {
    float product = 0;
    for (uint64_t k = 0; k < kRank; ++k) {
      product += l[i / kColumns * kRank + k] *
                 r[(i / kColumns / kRows * kRank + k) * kColumns + i % kColumns];
    }
    w[i] += 0.25F * product;
  }
  EXPECT_EQ(std::memcmp(w.data(), whole.data(), whole.size()), 0);
}

TEST(LowRank, RefusesFactorsThatDoNotFit) {
  TempDir folder;
  WriteSafetensors(folder / "w.safetensors",
                   {RandomTensor("a", DType::kF32, {2, 8}), RandomTensor("b", DType::kF32, {4, 3}),
                    RandomTensor("w", DType::kF32, {4, 8})});
  const SourceFiles::Checkpoints sources = {
      std::make_shared<Checkpoint>(OpenCheckpoint(folder / "w.safetensors"))};
  const auto load = [&](const char* name) {
    return LoadTensor(sources, 0, *sources[0]->Find(name));
  };
  LowRankUpdate update;
  update.left = {load("b"), false};
  update.right = {load("a"), true};
  EXPECT_EQ(RefusalOf([&] { AddLowRank(load("w"), update); }).code(), ErrorCode::kInternal);
}

// A value of the adapter that is not a number, and a sum that is too large for the model's type.
TEST(LowRank, ResultsThatAreNotFiniteAreFound) {
  TempDir folder;
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), 1e30F}) {
    TestTensor a = RandomTensor("a", DType::kF32, {2, 8});
    std::memcpy(a.bytes.data() + 5 * sizeof(float), &bad, sizeof(bad));
    WriteSafetensors(folder / "w.safetensors", {a, RandomTensor("b", DType::kF32, {4, 2}),
                                                RandomTensor("w", DType::kF16, {4, 8})});
    const SourceFiles::Checkpoints sources = {
        std::make_shared<Checkpoint>(OpenCheckpoint(folder / "w.safetensors"))};
    const auto load = [&](const char* name) {
      return LoadTensor(sources, 0, *sources[0]->Find(name));
    };
    LowRankUpdate update;
    update.left = {load("b"), false};
    update.right = {load("a"), true};
    const ValuePtr sum = AddLowRank(load("w"), update);
    EXPECT_THROW(ReadInRuns(sources, *sum, 32), NonFiniteFound);
  }
}

}  // namespace
}  // namespace lbrx
