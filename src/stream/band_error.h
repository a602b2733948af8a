// Error that encoding a band makes.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "core/memory/pool.h"
#include "stream/bands.h"
#include "stream/measure.h"
#include "stream/plan.h"

namespace lbrx {

// Told the values of a band and what they decode to.
using BandObserver =
    std::function<void(std::span<const float> values, std::span<const float> decoded)>;

// Decodes what was encoded and compares it with the values. `observe` may be empty.
ErrorSums DecodedError(const Encoding& encoding, std::span<const std::byte> values,
                       std::span<const std::byte* const> planes, uint64_t count, Pool& pool,
                       const BandObserver& observe = {});

// Squared error of the tensor's values [first, first + count) under each of its candidates,
// weighted by its importance; 0 for the last, with which the tensor stays as it is.
std::vector<double> SurveyBand(const PlannedTensor& tensor, uint64_t first, uint64_t count,
                               const std::byte* values);

}  // namespace lbrx
