// How a tensor of Hugging Face's is taken apart for MLX, and put together again (model's Layout).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "stream/layout.h"

namespace lbrx {

// kInvalid about tensor `name`.
[[noreturn]] void RefuseTensor(const std::string& name, const std::string& what,
                               const std::string& expected, const std::string& found);

// `value` under another name, with the labels of the tensor that it came from.
NamedValue Derived(const NamedValue& from, std::string name, ValuePtr value);

// `parts`, numbered from 0 on, as one tensor with a first dimension more; and the reverse, by
// `naming`, which numbers them.
NamedValue StackOf(const std::string& name, const std::map<uint64_t, NamedValue>& parts);
void Unstack(const NamedValue& tensor, TensorMeaning meaning, const Naming& naming,
             std::vector<NamedValue>& out);

// The last two dimensions swapped; vectors as they are.
ValuePtr Transposed(const ValuePtr& value);

// Half `part` (0 or 1) of the middle dimension of [E, 2 * out, in].
ValuePtr HalfOfRows(const NamedValue& tensor, uint64_t part);

// Every other element of the last dimension, beginning with `part`; matrices transposed.
ValuePtr EveryOther(const NamedValue& tensor, uint64_t part);

// The inverse of HalfOfRows.
ValuePtr Fuse(const std::string& name, const NamedValue& first, const NamedValue& second);

// The inverse of EveryOther.
ValuePtr Interleave(const std::string& name, const NamedValue& first, const NamedValue& second);

// [E, rows, columns] of experts whose columns are inputs, whichever way they are stored: dimension
// `hidden` (1 or 2) of the published layout [E, in, out] is hidden_size.
ValuePtr RowsOfExperts(const NamedValue& tensor, const Json& config, size_t hidden);

// DeepSeek's latent attention: one matrix of keys and values, or two.
class LatentHeads {
 public:
  // kInvalid, about tensor `name`, where the configuration does not tell the sizes.
  LatentHeads(const Architecture& architecture, const Json& config, const std::string& name);

  ValuePtr Keys(const NamedValue& both) const;    // [heads, rank, nope]
  ValuePtr Values(const NamedValue& both) const;  // [heads, value, rank]
  ValuePtr Join(const std::string& name, const NamedValue& keys, const NamedValue& values) const;

 private:
  void Check(const NamedValue& both) const;

  uint64_t heads_, nope_, value_;
};

}  // namespace lbrx
