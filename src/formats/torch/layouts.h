// The two layouts of torch files.
#pragma once

#include <functional>
#include <string>

#include "core/io/file.h"
#include "formats/torch/pickle_value.h"
#include "formats/torch/tensor_array.h"

namespace lbrx {

struct TorchContent {
  PickleHeap heap;
  PickleValue root;
  std::string pickle;  // what messages call it
  // Where a storage's data is. Throws kInvalid where there is none.
  std::function<StorageSpan(const PickleStorage&)> locate;
};

// A ZIP archive: <root>/data.pkl, <root>/data/<key>, <root>/byteorder. kInvalid.
TorchContent ReadTorchArchive(const File& file);

// Pickles of the magic number, the version, the system, the object and the keys of its storages;
// then for each key the number of elements (int64) and the elements. kInvalid. `trailing` gets the
// number of bytes behind the last storage.
TorchContent ReadTorchLegacy(const File& file, uint64_t* trailing);

}  // namespace lbrx
