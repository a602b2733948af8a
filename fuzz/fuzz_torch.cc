// Torch files, both layouts: whatever the bytes, either kInvalid or arrays all of whose elements
// lie in the file.
#include <cstdint>
#include <set>
#include <string>

#include "check.h"
#include "core/base/error.h"
#include "formats/torch/torch.h"
#include "input_file.h"
#include "target.h"

namespace lbrx {
namespace {

void CheckArray(const StoredArray& array, uint64_t file_size) {
  const uint64_t width = Info(array.dtype).bits / 8;
  FUZZ_CHECK(array.shape.CheckedElements().has_value());
  FUZZ_CHECK(array.shape.elements() * width == array.bytes);
  FUZZ_CHECK(array.strides.empty() || array.strides.size() == array.shape.rank());
  uint64_t reach = array.bytes;
  if (!array.strides.empty()) {
    FUZZ_CHECK(array.shape.elements() > 0);
    reach = width;
    for (size_t i = 0; i < array.shape.rank(); ++i) {
      reach += (array.shape[i] - 1) * array.strides[i] * width;
    }
  }
  FUZZ_CHECK(array.offset <= file_size && reach <= file_size - array.offset);
}

void Run(std::string_view content) {
  static InputFile input(".bin");
  input.Set(content);
  std::vector<Problem> problems;
  bool collected = true;
  try {
    for (const StoredArray& array : ReadTorchFile(input.file(), 0, problems, true).arrays) {
      CheckArray(array, content.size());
    }
  } catch (const Error& error) {
    FUZZ_CHECK(error.code() == ErrorCode::kInvalid);
    collected = false;
  }
  std::set<std::string> names;
  std::vector<Problem> warnings;
  try {
    for (const StoredArray& array : ReadTorchFile(input.file(), 0, warnings, false).arrays) {
      FUZZ_CHECK(names.insert(array.name).second);
    }
    FUZZ_CHECK(collected && problems.size() == warnings.size());
  } catch (const Error& error) {
    FUZZ_CHECK(error.code() == ErrorCode::kInvalid);
    FUZZ_CHECK(!collected || !problems.empty());
  }
}

}  // namespace
}  // namespace lbrx

FUZZ_TARGET(kTorch);
