// A tensor of a pickle as a stored array: checked against its storage.
#pragma once

#include <cstdint>
#include <string>

#include "formats/checkpoint.h"
#include "formats/torch/pickle_value.h"

namespace lbrx {

// Where a storage's bytes are in the file.
struct StorageSpan {
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

// Throws kInvalid naming the tensor: dtype or kind that cannot be read, sizes that are no sizes,
// elements outside of the storage, a storage that does not fit `span`. Size-1 dimensions and empty
// tensors get the strides of contiguous ones, so that `strides` is set where it must be only.
StoredArray ArrayOfTensor(const PickleHeap& heap, const PickleTensor& tensor,
                          const std::string& name, const StorageSpan& span);

// Bytes of an element of a storage; throws kInvalid for a class that cannot be read.
uint64_t StorageWidth(const PickleStorage& storage);

}  // namespace lbrx
