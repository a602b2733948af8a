// Thinning at random: each element is kept with probability `density`.
#include <algorithm>
#include <array>

#include "merge/methods/delta_ops.h"
#include "merge/methods/draws.h"
#include "merge/methods/elementwise.h"
#include "merge/methods/sparsify_parts.h"

namespace lbrx {
namespace {

class AtRandom final : public Sparsifier {
 public:
  AtRandom(Draws draws, uint32_t last_kept) : draws_(std::move(draws)), last_kept_(last_kept) {}

  void Apply(uint64_t first, float* deltas, size_t count) const override {
    std::array<uint32_t, 1024> drawn;
    for (size_t begin = 0; begin < count; begin += drawn.size()) {
      const size_t n = std::min(drawn.size(), count - begin);
      draws_.Fill(first + begin, n, drawn.data());
      FastDeltaOps().keep_drawn(drawn.data(), last_kept_, deltas + begin, n);
    }
  }

  uint64_t StateBytes(unsigned /*threads*/) const override { return draws_.StateBytes(); }

 private:
  const Draws draws_;
  const uint32_t last_kept_;
};

}  // namespace

std::unique_ptr<Sparsifier> MakeRandom(const MergeTensor& tensor, size_t member, double density,
                                       MergeRounding rounding, uint64_t position) {
  // Where it is not torch's the probability keeps its 32 bits; there it is a float.
  const double p = tensor.compat ? RoundOne(rounding, density) : density;
  return std::make_unique<AtRandom>(Draws(tensor, member, position), Draws::LastKept(p));
}

}  // namespace lbrx
