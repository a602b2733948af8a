// Recipes: small expressions over source tensors. Dtype, shape and size are known before any data
// is read; data is read in runs of elements.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/memory/pool.h"
#include "core/parallel/cancel.h"
#include "core/tensor/dtype.h"
#include "core/tensor/shape.h"
#include "stream/sources.h"

namespace lbrx {

// What to do with NaN and infinities, in sources and from narrowing casts.
enum class NonFinitePolicy : uint8_t {
  kReject,  // throw NonFiniteFound
  kKeep,    // let them through
  kZero,    // replace by 0: for tensors that are quantized under --allow-nonfinite
};

// Thrown by Value::Read under kReject. The engine then counts over the whole tensor.
struct NonFiniteFound {};

// Where non-finite values were met while counting.
struct NonFiniteTally {
  uint64_t count = 0;
  std::optional<uint64_t> first;  // element index in the tensor
  bool from_cast = false;         // finite in the source, overflowed in a cast
};

struct ReadContext {
  SourceFiles& files;
  Pool& pool;
  NonFinitePolicy policy = NonFinitePolicy::kReject;
  NonFiniteTally* tally = nullptr;  // counts (and does not throw) where given
  // Polled by values that read more than they are asked for; may be null.
  const CancelToken* cancel = nullptr;
};

// A tensor's values, plain, contiguous, row-major.
class Value {
 public:
  virtual ~Value() = default;

  DType dtype() const { return dtype_; }

  const Shape& shape() const { return shape_; }

  // Runs must begin and end at multiples of this (or at the tensor's end).
  virtual uint64_t granule() const = 0;
  // Memory needed beyond the result for a run of `count` elements.
  virtual uint64_t WorkingBytes(uint64_t count) const = 0;
  // Bytes read from sources for the whole tensor.
  virtual uint64_t SourceBytes() const = 0;
  // Elements [first, first + count) into `out`. Thread-safe.
  virtual void Read(ReadContext& context, uint64_t first, uint64_t count, std::byte* out) const = 0;
  // Asks for a run to be read ahead.
  virtual void WillNeed(SourceFiles& files, uint64_t first, uint64_t count) const = 0;
  // The expression as text, for --dry-run and the plan's hash.
  virtual std::string Describe() const = 0;

 protected:
  Value(DType dtype, const Shape& shape) : dtype_(dtype), shape_(shape) {}

 private:
  DType dtype_;
  Shape shape_;
};

using ValuePtr = std::shared_ptr<const Value>;

// Bytes of `count` elements of `dtype` (whole bytes).
uint64_t ElementBytes(DType dtype, uint64_t count);

// Applies the policy of `context` to freshly read or computed elements [first, first + count) of a
// tensor. `from_cast`: they were finite before a cast.
void CheckFinite(ReadContext& context, DType dtype, std::byte* data, uint64_t first, uint64_t count,
                 bool from_cast);

// A stored array as it is. `check` = refuse NaN and infinities by policy.
ValuePtr LoadArray(const SourceFiles::Checkpoints& sources, uint32_t source, uint32_t array,
                   bool check);
// A source tensor's values: plain ones as stored, encoded ones decoded to encoding.dtype.
ValuePtr LoadTensor(const SourceFiles::Checkpoints& sources, uint32_t source,
                    const SourceTensor& tensor);
// `value` in another dtype, rounded once; `value` itself where it has that dtype.
ValuePtr CastTo(ValuePtr value, DType dtype);

}  // namespace lbrx
