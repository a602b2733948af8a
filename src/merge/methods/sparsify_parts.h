// The rules of sparsify.h. Inner header.
#pragma once

#include <memory>

#include "merge/methods/sparsify.h"

namespace lbrx {

// Nothing is left.
std::unique_ptr<Sparsifier> MakeEmpty();
// The `density` share of largest magnitudes is left, or (where `gamma` > 0) that share below the
// `gamma` share of largest ones.
std::unique_ptr<Sparsifier> MakeLargest(const MergeTensor& tensor, double density);
std::unique_ptr<Sparsifier> MakeWithoutOutliers(const MergeTensor& tensor, double density,
                                                double gamma);
// `inner`, and what it leaves scaled so that the L1 norm is that before, rounded as the peer does.
std::unique_ptr<Sparsifier> MakeRescaled(std::unique_ptr<Sparsifier> inner,
                                         const MergeTensor& tensor, MergeRounding rounding);

}  // namespace lbrx
