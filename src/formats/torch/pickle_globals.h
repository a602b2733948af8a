// The names that a pickle may speak of: an allow-list. Everything else is refused where it is
// named.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/tensor/dtype.h"

namespace lbrx {

enum class PickleRole : uint8_t {
  kDict,          // collections.OrderedDict and its like: an empty dict, or one of given pairs
  kTensor,        // torch._utils._rebuild_tensor(storage, offset, size, stride)
  kTensor2,       // _rebuild_tensor_v2(..., requires_grad, hooks[, metadata])
  kTensor3,       // _rebuild_tensor_v3(..., requires_grad, hooks, dtype[, metadata])
  kParameter,     // its first argument
  kStorageClass,  // torch.FloatStorage...
  kDType,         // torch.float32...
  kTuple,         // torch.Size(tuple)
  kHarmless,      // a call gives something that no tensor is made of
  kUnsupported,   // a tensor that is known but cannot be read; `note` says what it is
};

struct PickleGlobal {
  std::string_view module;
  std::string_view name;
  PickleRole role;
  std::optional<DType> dtype;  // of a storage class or dtype; nullopt: cannot be read
  std::string_view note;       // of what cannot be read: "a quantized tensor"
};

// nullopt: not in the list; else its row.
std::optional<uint64_t> FindPickleGlobal(std::string_view module, std::string_view name);
const PickleGlobal& PickleGlobalAt(uint64_t row);

}  // namespace lbrx
