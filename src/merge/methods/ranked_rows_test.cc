#include "merge/methods/ranked_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "core/base/cpu.h"
#include "core/base/random.h"
#include "merge/methods/test_random_inputs.h"

namespace lbrx {
namespace {

using testing::Floats;

// Probabilities from 0.3 to 0.7.
std::vector<uint32_t> Steps(size_t length) {
  std::vector<uint32_t> last_kept(length);
  for (size_t rank = 0; rank < length; ++rank) {
    const double place = static_cast<double>(rank) / static_cast<double>(length);
    last_kept[rank] = static_cast<uint32_t>((0.3 + 0.4 * place) * 0x1p32);
  }
  return last_kept;
}

// By a stable sort.
Floats Expected(const Floats& row, const std::vector<uint32_t>& draws) {
  std::vector<size_t> sorted(row.size());
  std::iota(sorted.begin(), sorted.end(), size_t{0});
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](size_t a, size_t b) { return std::fabs(row[a]) < std::fabs(row[b]); });
  const std::vector<uint32_t> last_kept = Steps(row.size());
  Floats out(row.size());
  for (size_t rank = 0; rank < row.size(); ++rank) {
    const size_t i = sorted[rank];
    out[i] = draws[i] <= last_kept[rank] ? row[i] : 0.0F;
  }
  return out;
}

class RankedRowsTest : public ::testing::TestWithParam<size_t> {
 protected:
  ~RankedRowsTest() override { ForceSimdTarget(0); }
};

// `steps`: how many different magnitudes, so that few or many elements share a bucket; 0: one.
TEST_P(RankedRowsTest, KeepsWhatASortSays) {
  const size_t length = GetParam();
  const RankedRows rows(Steps(length));
  RankedRows::Scratch scratch = rows.MakeScratch();
  testing::Noise noise(length);
  for (const float steps : {0.0F, 2.0F, 30.0F, 1000.0F, 1e9F}) {
    Floats row(length);
    for (float& value : row) {
      value = steps == 0 ? 0.5F : std::round(noise.Next() * steps) / steps;
    }
    const CounterRandom random(7, "row", static_cast<uint32_t>(steps));
    random.Fill(0, length, scratch.draws.data());
    const Floats expected = Expected(row, scratch.draws);
    std::vector<int64_t> targets = SupportedSimdTargets();
    targets.push_back(kForceScalar);
    for (const int64_t target : targets) {
      ForceSimdTarget(target);
      random.Fill(0, length, scratch.draws.data());
      Floats kept = row;
      rows.Keep(kept.data(), scratch);
      EXPECT_EQ(kept, expected) << steps << " " << SimdTargetName(target);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Lengths, RankedRowsTest, ::testing::Values(1, 7, 8, 100, 1001, 20'000));

}  // namespace
}  // namespace lbrx
