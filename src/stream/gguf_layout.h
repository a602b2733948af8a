// The same model in MLX's layout and in GGUF's, which differ in names, in the order of rows of
// queries and keys, and in the norms of Gemma.
#pragma once

#include <vector>

#include "stream/layout.h"

namespace lbrx {

// Both keep codes where they move rows alone. kInvalid about a tensor whose rows do not fit the
// heads of `config`, the text model's. Tensors that are not known keep their names.
std::vector<NamedValue> FromMlxToGguf(const Naming& from, const Naming& to, const Json& config,
                                      std::vector<NamedValue> tensors);
std::vector<NamedValue> FromGgufToMlx(const Naming& from, const Naming& to, const Json& config,
                                      std::vector<NamedValue> tensors);

// Whether GGUF has 1 added to a family's tensor, and what it has then.
bool IsRaisedInGguf(const Architecture& architecture, const TensorMeaning& meaning);
ValuePtr RaisedInGguf(const ValuePtr& value);
ValuePtr LoweredFromGguf(const ValuePtr& value);

// Rows (the first dimension) of `heads` heads: each head's two halves, which rotate together, as
// pairs; and back. docs/formats/gguf.md.
ValuePtr PairedRows(const ValuePtr& value, uint64_t heads);
ValuePtr HalvedRows(const ValuePtr& value, uint64_t heads);

}  // namespace lbrx
