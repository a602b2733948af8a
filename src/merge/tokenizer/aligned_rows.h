// Matrices with a row for each token, brought to the vocabulary of the result.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "merge/tokenizer/output_vocabulary.h"
#include "stream/value.h"

namespace lbrx {

// One matrix for each of `matrices`, which are indexed as the models of `vocabulary`, of one dtype,
// equal in all dimensions but the first, and nullptr for models without this tensor. Row i is the
// model's own row of token i where it has the token (and no source of its own is forced), else the
// token's default row: that of its explicit source; of the only model that has it; zeros where no
// model has it; the row of `base` where that has it; else the mean of the rows of all that have it,
// summed in float32 in the order of the models and rounded once. Rows that are no token are the
// mean of those that are, summed in float64 once, when the first of them is read.
//
// Throws kInvalid for shapes that do not agree, a token whose id is no row of a matrix, and an
// explicit source in a model without this tensor.
std::vector<ValuePtr> AlignRows(std::shared_ptr<const OutputVocabulary> vocabulary,
                                std::vector<ValuePtr> matrices, std::optional<uint32_t> base);

}  // namespace lbrx
