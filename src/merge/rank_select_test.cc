#include "merge/rank_select.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <thread>

#include "core/base/cpu.h"
#include "merge/method.h"
#include "merge/methods/test_random_inputs.h"

namespace lbrx {
namespace {

using testing::Floats;

uint32_t Bits(float value) {
  return std::bit_cast<uint32_t>(std::fabs(value));
}

// Values of few or many different magnitudes: `steps` of them.
Floats Stepped(size_t count, float steps) {
  testing::Noise noise(count);
  Floats values(count);
  for (float& value : values) {
    value = std::round(noise.Next() * steps) / steps;
  }
  return values;
}

// Indices in the order that is meant, by a sort.
std::vector<size_t> Sorted(const Floats& values, TieOrder order) {
  std::vector<size_t> indices(values.size());
  std::iota(indices.begin(), indices.end(), size_t{0});
  std::stable_sort(indices.begin(), indices.end(), [&](size_t a, size_t b) {
    return order == TieOrder::kAscending ? Bits(values[a]) < Bits(values[b])
                                         : Bits(values[a]) > Bits(values[b]);
  });
  return indices;
}

void RunPasses(RankSelect& select, const Floats& values, const MergePieces& pieces,
               unsigned threads) {
  for (int pass = 0; pass < select.passes(); ++pass) {
    std::vector<std::thread> pool;
    for (unsigned t = 0; t < threads; ++t) {
      pool.emplace_back([&, t] {
        for (size_t piece = t; piece < pieces.count; piece += threads) {
          if (!select.Needs(pass, piece)) {
            continue;
          }
          RankSelect::Watch watch(select, pass, piece);
          const size_t end = std::min<size_t>(values.size(), (piece + 1) * pieces.elements);
          for (size_t first = piece * pieces.elements; first < end; first += 4321) {
            watch.See(first, values.data() + first, std::min<size_t>(4321, end - first));
          }
        }
      });
    }
    for (std::thread& thread : pool) {
      thread.join();
    }
    select.FinishPass(pass);
  }
}

// Elements before the position are exactly those that the found one says.
void ExpectSplits(const Floats& values, const RankQuery& query, const RankedElement& found) {
  const std::vector<size_t> sorted = Sorted(values, query.order);
  EXPECT_EQ(found.bits, Bits(values[sorted[query.position]])) << query.position;
  for (size_t place = 0; place < sorted.size(); ++place) {
    const uint32_t bits = Bits(values[sorted[place]]);
    const bool beyond = query.order == TieOrder::kAscending ? bits > found.bits : bits < found.bits;
    const bool before = bits == found.bits ? sorted[place] < found.index : !beyond;
    ASSERT_EQ(before, place < query.position) << place << " of " << query.position;
  }
}

TEST(RankSelectTest, AgreesWithASort) {
  for (const size_t count : {1U, 2U, 1000U, 600'000U, 1'100'000U}) {
    const MergePieces pieces = CutIntoPieces(count, 1);
    for (const float steps : {0.4F, 3.0F, 1000.0F, 1e9F}) {
      const Floats values = Stepped(count, steps);
      const std::vector<RankQuery> queries = {{0, TieOrder::kAscending},
                                              {count / 2, TieOrder::kAscending},
                                              {count / 3, TieOrder::kDescending},
                                              {count - 1, TieOrder::kDescending}};
      RankSelect select(count, pieces.count);
      select.Ask(queries);
      RunPasses(select, values, pieces, 3);
      for (size_t q = 0; q < queries.size(); ++q) {
        ExpectSplits(values, queries[q], select.found(q));
      }
    }
  }
}

TEST(RankSelectTest, TwoPassesWhereNoTieIsSplit) {
  Floats values(1000);
  std::iota(values.begin(), values.end(), 1.0F);
  RankSelect select(values.size(), 1);
  select.Ask({{500, TieOrder::kDescending}});
  RunPasses(select, values, CutIntoPieces(values.size(), 1), 1);
  EXPECT_EQ(select.passes(), 2);
  EXPECT_EQ(std::bit_cast<float>(select.found(0).bits), 500.0F);
}

TEST(RankSelectTest, EveryTargetFindsTheSame) {
  const Floats values = Stepped(50'000, 200);
  const RankQuery query = {20'000, TieOrder::kAscending};
  for (int64_t target : SupportedSimdTargets()) {
    for (const int64_t forced : {target, kForceScalar}) {
      ForceSimdTarget(forced);
      RankSelect select(values.size(), 1);
      select.Ask({query});
      RunPasses(select, values, CutIntoPieces(values.size(), 1), 1);
      ExpectSplits(values, query, select.found(0));
    }
  }
  ForceSimdTarget(0);
}

}  // namespace
}  // namespace lbrx
