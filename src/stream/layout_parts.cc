#include "stream/layout_parts.h"

#include "core/base/format.h"
#include "model/config.h"
#include "stream/rearrange.h"

namespace lbrx {

void RefuseTensor(const std::string& name, const std::string& what, const std::string& expected,
                  const std::string& found) {
  throw Error(ErrorCode::kInvalid, {.file = "",
                                    .object = name,
                                    .what = what,
                                    .expected = expected,
                                    .found = found,
                                    .offset = {},
                                    .advice = ""});
}

NamedValue Derived(const NamedValue& from, std::string name, ValuePtr value) {
  return {.name = std::move(name),
          .value = std::move(value),
          .stored = nullptr,
          .label = from.label,
          .encoded = from.encoded};
}

namespace {

// [...] as [1, ...].
ValuePtr AsOneOfStack(const ValuePtr& value) {
  Shape stacked{1};
  for (const uint64_t dim : value->shape().dims()) {
    stacked.push_back(dim);
  }
  return Reshape(value, stacked);
}

// Adds the codes of a stack, where all parts have them alike.
void StackPlanes(const std::map<uint64_t, NamedValue>& parts, NamedValue& stack) {
  const NamedValue& first = parts.begin()->second;
  std::vector<std::vector<ValuePtr>> planes(first.planes.size());
  for (const auto& [number, tensor] : parts) {
    if (tensor.planes.size() != planes.size() || !(tensor.encoding == first.encoding)) {
      return;
    }
    for (size_t i = 0; i < planes.size(); ++i) {
      planes[i].push_back(AsOneOfStack(tensor.planes[i]));
    }
  }
  stack.encoding = first.encoding;
  for (std::vector<ValuePtr>& plane : planes) {
    stack.planes.push_back(Concat(std::move(plane), 0));
  }
}

}  // namespace

NamedValue StackOf(const std::string& name, const std::map<uint64_t, NamedValue>& parts) {
  const NamedValue& first = parts.begin()->second;
  std::vector<ValuePtr> values;
  for (const auto& [number, tensor] : parts) {
    if (number != values.size()) {
      RefuseTensor(name, "experts are missing", Format("expert {}", values.size()),
                   Format("expert {}", number));
    }
    const Shape& shape = tensor.value->shape();
    if (shape != first.value->shape() || tensor.value->dtype() != first.value->dtype()) {
      RefuseTensor(tensor.name, "differs from expert 0 in shape or dtype",
                   first.value->shape().ToString(), shape.ToString());
    }
    values.push_back(AsOneOfStack(tensor.value));
  }
  NamedValue stack = Derived(first, name, Concat(std::move(values), 0));
  StackPlanes(parts, stack);
  return stack;
}

void Unstack(const NamedValue& tensor, TensorMeaning meaning, const Naming& naming,
             std::vector<NamedValue>& out) {
  const Shape& shape = tensor.value->shape();
  if (shape.rank() < 2) {
    RefuseTensor(tensor.name, "a stack of experts of a wrong shape", "[experts, ...]",
                 shape.ToString());
  }
  const Shape one(shape.dims().subspan(1));
  std::vector<uint64_t> strides(one.rank(), 1);
  for (size_t i = one.rank() - 1; i > 0; --i) {
    strides[i - 1] = strides[i] * one[i];
  }
  for (uint64_t expert = 0; expert < shape[0]; ++expert) {
    meaning.expert = expert;
    out.push_back(Derived(tensor, naming.Spell(meaning),
                          ViewOf(tensor.value, expert * one.elements(), one, strides)));
  }
}

ValuePtr Transposed(const ValuePtr& value) {
  const size_t rank = value->shape().rank();
  if (rank < 2) {
    return value;
  }
  Shape shape = value->shape();
  std::vector<uint64_t> strides(rank, 1);
  for (size_t i = rank - 1; i > 0; --i) {
    strides[i - 1] = strides[i] * shape[i];
  }
  std::swap(shape[rank - 1], shape[rank - 2]);
  std::swap(strides[rank - 1], strides[rank - 2]);
  return ViewOf(value, 0, shape, strides);
}

ValuePtr HalfOfRows(const NamedValue& tensor, uint64_t part) {
  const Shape& shape = tensor.value->shape();
  if (shape.rank() != 3 || shape[1] % 2 != 0) {
    RefuseTensor(tensor.name, "fused experts of a wrong shape", "[experts, 2 x rows, columns]",
                 shape.ToString());
  }
  const uint64_t rows = shape[1] / 2;
  return ViewOf(tensor.value, part * rows * shape[2], {shape[0], rows, shape[2]},
                {shape[1] * shape[2], shape[2], 1});
}

ValuePtr EveryOther(const NamedValue& tensor, uint64_t part) {
  const Shape& shape = tensor.value->shape();
  const size_t rank = shape.rank();
  if ((rank != 2 && rank != 3) || shape.back() % 2 != 0) {
    RefuseTensor(tensor.name, "interleaved experts of a wrong shape", "[experts, in, 2 x out]",
                 shape.ToString());
  }
  const uint64_t out = shape.back() / 2;
  if (rank == 2) {
    return ViewOf(tensor.value, part, {shape[0], out}, {shape[1], 2});
  }
  // Two steps, so that the transposition reads runs: [E, 2 * out, in], then every other row.
  const ValuePtr rows = Transposed(tensor.value);
  return ViewOf(rows, part * shape[1], {shape[0], out, shape[1]},
                {2 * out * shape[1], 2 * shape[1], 1});
}

namespace {

void CheckAlike(const std::string& name, const NamedValue& first, const NamedValue& second) {
  if (first.value->shape() != second.value->shape() ||
      first.value->dtype() != second.value->dtype()) {
    RefuseTensor(name, "its two parts differ in shape or dtype", first.value->shape().ToString(),
                 second.value->shape().ToString());
  }
}

}  // namespace

ValuePtr Fuse(const std::string& name, const NamedValue& first, const NamedValue& second) {
  CheckAlike(name, first, second);
  if (first.value->shape().rank() != 3) {
    RefuseTensor(first.name, "a stack of experts of a wrong shape", "[experts, rows, columns]",
                 first.value->shape().ToString());
  }
  return Concat({first.value, second.value}, 1);
}

ValuePtr Interleave(const std::string& name, const NamedValue& first, const NamedValue& second) {
  CheckAlike(name, first, second);
  const Shape& shape = first.value->shape();
  const auto spread = [](const ValuePtr& value) {
    Shape wide = value->shape();
    wide.push_back(1);
    return Reshape(value, wide);
  };
  if (shape.rank() == 2) {
    return Reshape(Concat({spread(first.value), spread(second.value)}, 2),
                   {shape[0], 2 * shape[1]});
  }
  const ValuePtr rows = Concat({Reshape(first.value, {shape[0], shape[1], 1, shape[2]}),
                                Reshape(second.value, {shape[0], shape[1], 1, shape[2]})},
                               2);
  return Transposed(Reshape(rows, {shape[0], 2 * shape[1], shape[2]}));
}

ValuePtr RowsOfExperts(const NamedValue& tensor, const Json& config, size_t hidden) {
  const Shape& shape = tensor.value->shape();
  const std::optional<uint64_t> size = ConfigUint(config, "hidden_size");
  const bool published = shape.rank() == 3 && size && shape[hidden] == *size;
  const bool turned = shape.rank() == 3 && size && shape[3 - hidden] == *size;
  if (!published && !turned) {
    RefuseTensor(tensor.name, "does not fit hidden_size",
                 Format("[experts, ...] with {} in it", size ? std::to_string(*size) : "it"),
                 shape.ToString());
  }
  return published ? Transposed(tensor.value) : tensor.value;
}

LatentHeads::LatentHeads(const Architecture& architecture, const Json& config,
                         const std::string& name) {
  const auto require = [&](std::string_view key) {
    const std::optional<uint64_t> size = ConfigUint(config, key);
    if (!size || *size == 0) {
      RefuseTensor(name, Format("config.json has no {}", key), "a positive integer", "nothing");
    }
    return *size;
  };
  heads_ = require(architecture.keys.heads);
  nope_ = require("qk_nope_head_dim");
  value_ = require("v_head_dim");
}

void LatentHeads::Check(const NamedValue& both) const {
  const Shape& shape = both.value->shape();
  if (shape.rank() != 2 || shape[0] != heads_ * (nope_ + value_)) {
    RefuseTensor(both.name, "does not fit the configuration's heads",
                 Format("[{} x ({} + {}), rank]", heads_, nope_, value_), shape.ToString());
  }
}

ValuePtr LatentHeads::Keys(const NamedValue& both) const {
  Check(both);
  const uint64_t rank = both.value->shape()[1];
  return ViewOf(both.value, 0, {heads_, rank, nope_}, {(nope_ + value_) * rank, 1, rank});
}

ValuePtr LatentHeads::Values(const NamedValue& both) const {
  Check(both);
  const uint64_t rank = both.value->shape()[1];
  return ViewOf(both.value, nope_ * rank, {heads_, value_, rank},
                {(nope_ + value_) * rank, rank, 1});
}

namespace {

// The type that holds the numbers of both. In a GGUF file, where rows are too short for blocks, one
// part is F16, and the other decodes to F32.
DType CommonDType(const std::string& name, const NamedValue& a, const NamedValue& b) {
  const DType first = a.value->dtype();
  const DType second = b.value->dtype();
  const auto fits = [](DType dtype) {
    return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16;
  };
  if (first != second && (!fits(first) || !fits(second))) {
    RefuseTensor(name, "its two parts differ in dtype", std::string(Name(first)),
                 std::string(Name(second)));
  }
  return first == second ? first : DType::kF32;
}

}  // namespace

ValuePtr LatentHeads::Join(const std::string& name, const NamedValue& keys,
                           const NamedValue& values) const {
  const Shape& first = keys.value->shape();
  const Shape& second = values.value->shape();
  const DType dtype = CommonDType(name, keys, values);
  if (first.rank() != 3 || second != Shape{heads_, value_, first[1]} ||
      first != Shape{heads_, first[1], nope_}) {
    RefuseTensor(name, "its two parts do not fit the configuration's heads",
                 Format("[{}, rank, {}] and [{}, {}, rank]", heads_, nope_, heads_, value_),
                 first.ToString() + " and " + second.ToString());
  }
  return Reshape(Concat({Transposed(CastTo(keys.value, dtype)), CastTo(values.value, dtype)}, 1),
                 {heads_ * (nope_ + value_), first[1]});
}

}  // namespace lbrx
