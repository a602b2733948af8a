// The pattern of simd.h at work: a sum of floats that adds in the order of eight partial sums on
// every target, so that all give the same bits.
#include "core/base/simd.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/base/simd_test.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();

namespace lbrx {
namespace HWY_NAMESPACE {
namespace {
#if LBRX_SIMD

namespace hn = hwy::HWY_NAMESPACE;

// `count` is a multiple of 8. `lanes` gets the eight partial sums.
int64_t SumLanes(const float* data, size_t count, float* lanes) {
  const hn::CappedTag<float, 8> d;
  const size_t step = hn::Lanes(d);
  for (size_t lane = 0; lane < 8; lane += step) {
    auto sum = hn::Zero(d);
    for (size_t i = lane; i < count; i += 8) {
      sum = hn::Add(sum, hn::LoadU(d, data + i));
    }
    hn::StoreU(sum, d, lanes + lane);
  }
  return HWY_TARGET;
}

#endif
}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace lbrx

HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lbrx {
namespace {

int64_t SumLanesReference(const float* data, size_t count, float* lanes) {
  std::fill(lanes, lanes + 8, 0.0F);
  for (size_t i = 0; i < count; ++i) {
    lanes[i % 8] += data[i];
  }
  return 0;
}

// Returns the target whose version ran.
int64_t Sum(const std::vector<float>& data, std::array<float, 8>& lanes) {
  static constexpr auto kTable = LBRX_SIMD_TABLE(SumLanesReference, SumLanes);
  return kTable.Get()(data.data(), data.size(), lanes.data());
}

class SimdTest : public testing::Test {
 protected:
  void TearDown() override { ForceSimdTarget(0); }
};

TEST_F(SimdTest, EveryTargetRunsItsOwnVersionWithTheSameBits) {
  std::vector<float> data(800);
  for (size_t i = 0; i < data.size(); ++i) {
    data[i] = 1.0F / static_cast<float>(i + 1);
  }
  ForceSimdTarget(kForceScalar);
  EXPECT_EQ(SimdTarget(), 0);
  std::array<float, 8> expected{};
  EXPECT_EQ(Sum(data, expected), 0);
  EXPECT_GT(expected[0], 1.0F);
  for (const int64_t target : SupportedSimdTargets()) {
    ForceSimdTarget(target);
    EXPECT_EQ(SimdTarget(), target);
    std::array<float, 8> lanes{};
    EXPECT_EQ(Sum(data, lanes), target) << SimdTargetName(target);
    EXPECT_EQ(lanes, expected) << SimdTargetName(target);
  }
}

TEST_F(SimdTest, KernelWithoutAVersionFallsBack) {
  const SimdTable<int (*)()> table = {[] { return 1; }, nullptr, nullptr, nullptr};
  EXPECT_EQ(table.Get()(), 1);
  for (const int64_t target : SupportedSimdTargets()) {
    ForceSimdTarget(target);
    EXPECT_EQ(table.Get()(), 1);
  }
}

}  // namespace
}  // namespace lbrx
#endif
