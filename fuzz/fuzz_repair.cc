// Repair of a safetensors file: whatever the bytes, it invents nothing. What it says is saved is a
// run of the file's bytes of the size that dtype and shape say, and no two names share a part of
// them; and what it plans can be laid out.
#include <algorithm>
#include <cstdint>
#include <set>
#include <string>

#include "check.h"
#include "check/repair/mend_json.h"
#include "check/repair/repair.h"
#include "core/base/error.h"
#include "input_file.h"
#include "target.h"

namespace lbrx {
namespace {

void CheckArrays(const Checkpoint& checkpoint, uint64_t size) {
  std::set<std::string> names;
  uint64_t end = 0;
  uint64_t begin = 0;
  for (const StoredArray& array : checkpoint.arrays) {
    FUZZ_CHECK(names.insert(array.name).second);
    FUZZ_CHECK(array.offset <= size && array.bytes <= size - array.offset);
    FUZZ_CHECK(array.shape.CheckedElements().has_value());
    FUZZ_CHECK(array.shape.elements() * Info(array.dtype).bits == array.bytes * 8);
    // By offset: behind the one before, or the same run.
    FUZZ_CHECK(array.offset >= end ||
               (array.offset == begin && array.offset + array.bytes == end) || array.bytes == 0);
    begin = array.offset;
    end = std::max(end, array.offset + array.bytes);
  }
}

void Run(std::string_view content) {
  static InputFile input("-repair.safetensors");
  input.Set(content);
  RepairRequest request;
  request.source = input.file().path();
  request.destination = request.source + "-out.safetensors";
  try {
    const Repair repair = PlanRepair(request, nullptr);
    CheckArrays(*repair.plan.sources[0], content.size());
    FUZZ_CHECK(repair.tensors == repair.plan.sources[0]->arrays.size());
    FUZZ_CHECK(repair.plan.OutputBytes() >= repair.bytes);
  } catch (const Error& error) {
    FUZZ_CHECK(error.code() == ErrorCode::kInvalid);
  }
  const MendedJson mended = MendJson(content);
  if (!mended.json.is_null()) {
    const std::string text = WriteJson(mended.json);
    FUZZ_CHECK(ParseJson(text, "") == mended.json);
  }
}

}  // namespace
}  // namespace lbrx

FUZZ_TARGET(kSafetensors);
