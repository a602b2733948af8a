// The rules of sparsify.h. Inner header.
#pragma once

#include <memory>

#include "merge/methods/sparsify.h"

namespace lbrx {

// Nothing is left.
std::unique_ptr<Sparsifier> MakeEmpty();
// The `density` share of largest magnitudes is left (`kept` of them), or that share below the
// `gamma` share of largest ones. nullptr: that is all.
std::unique_ptr<Sparsifier> MakeLargest(const MergeTensor& tensor, double density);
std::unique_ptr<Sparsifier> MakeLargestOf(uint64_t elements, uint64_t kept);
std::unique_ptr<Sparsifier> MakeWithoutOutliers(const MergeTensor& tensor, double density,
                                                double gamma);
// Elements are drawn; `position` is where the member begins in torch's stream, `rounding` that of
// the probabilities under --compat.
std::unique_ptr<Sparsifier> MakeRandom(const MergeTensor& tensor, size_t member, double density,
                                       MergeRounding rounding, uint64_t position);
std::unique_ptr<Sparsifier> MakeRankedRandom(const MergeTensor& tensor, size_t member,
                                             double density, MergeRounding rounding,
                                             uint64_t position);
// `inner`, and what it leaves scaled so that the L1 norm is that before, rounded as the peer does.
std::unique_ptr<Sparsifier> MakeRescaled(std::unique_ptr<Sparsifier> inner,
                                         const MergeTensor& tensor, MergeRounding rounding);

}  // namespace lbrx
