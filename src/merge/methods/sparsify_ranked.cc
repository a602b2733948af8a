// Thinning at random by rank (DELLA's MAGPRUNE): in each row the largest magnitude is kept with
// probability density + epsilon, the smallest with density - epsilon, and those between in equal
// steps of rank.
#include <algorithm>

#include "core/base/error.h"
#include "core/base/format.h"
#include "merge/methods/draws.h"
#include "merge/methods/elementwise.h"
#include "merge/methods/parameters.h"
#include "merge/methods/ranked_rows.h"
#include "merge/methods/sparsify_parts.h"

namespace lbrx {
namespace {

class Ranked final : public Sparsifier {
 public:
  Ranked(Draws draws, std::vector<uint32_t> last_kept)
      : draws_(std::move(draws)), rows_(std::move(last_kept)) {}

  uint64_t granule() const override { return rows_.length(); }

  void Apply(uint64_t first, float* deltas, size_t count) const override {
    RankedRows::Scratch scratch = rows_.MakeScratch();
    for (size_t begin = 0; begin < count; begin += rows_.length()) {
      draws_.Fill(first + begin, rows_.length(), scratch.draws.data());
      rows_.Keep(deltas + begin, scratch);
    }
  }

  uint64_t StateBytes(unsigned threads) const override {
    return draws_.StateBytes() + rows_.StateBytes(threads);
  }

 private:
  const Draws draws_;
  const RankedRows rows_;
};

// As the peer rounds it: ranks from 1 on, taken to [0, 1]. A row of one element has no range.
double PeersProbability(uint64_t rank, uint64_t length, double density, double epsilon,
                        MergeRounding rounding) {
  const auto round = [&](double value) { return RoundOne(rounding, value); };
  const auto place = [&](uint64_t r) { return round(round(static_cast<double>(r)) + 1.0F); };
  const float least = place(0);
  const float range = round(place(length - 1) - least);
  const float norm =
      range == 0 ? 0.5F : std::clamp(round(round(place(rank) - least) / range), 0.0F, 1.0F);
  const float spread = round(round(norm * 2.0F) * static_cast<float>(epsilon));
  return round(static_cast<float>(density - epsilon) + spread);
}

double Probability(uint64_t rank, uint64_t length, double density, double epsilon) {
  const double norm =
      length == 1 ? 0.5 : static_cast<double>(rank) / static_cast<double>(length - 1);
  return density - epsilon + 2 * epsilon * norm;
}

void CheckEpsilon(const MergeTensor& tensor, double density, double epsilon) {
  if (epsilon < 0 || density + epsilon >= 1 || density - epsilon <= 0) {
    RefuseParameter(tensor, "epsilon", epsilon,
                    Format("such that density ({}) +- epsilon lies between 0 and 1", density));
  }
}

}  // namespace

std::unique_ptr<Sparsifier> MakeRankedRandom(const MergeTensor& tensor, size_t member,
                                             double density, MergeRounding rounding,
                                             uint64_t position) {
  const double epsilon = FiniteParameter(tensor, member, "epsilon");
  CheckEpsilon(tensor, density, epsilon);
  if (tensor.compat && tensor.shape.rank() > 2) {
    throw Error(ErrorCode::kInvalid,
                {.file = {},
                 .object = tensor.name,
                 .what = "mergekit ranks along the second dimension, which are not rows here",
                 .expected = "a matrix or a vector",
                 .found = tensor.shape.ToString(),
                 .offset = {},
                 .advice = "merge without --compat mergekit: ranks are those in rows then"});
  }
  const uint64_t length = tensor.shape.back();
  std::vector<uint32_t> last_kept(length);
  for (uint64_t rank = 0; rank < length; ++rank) {
    const double p = tensor.compat ? PeersProbability(rank, length, density, epsilon, rounding)
                                   : Probability(rank, length, density, epsilon);
    last_kept[rank] = Draws::LastKept(p);
  }
  return std::make_unique<Ranked>(Draws(tensor, member, position), std::move(last_kept));
}

}  // namespace lbrx
