// Safetensors files: whatever the bytes, either an error or arrays that lie in the file, next to
// each other; and what is accepted can be laid out and read again.
#include <cstdint>
#include <map>
#include <string>

#include "check.h"
#include "core/base/error.h"
#include "formats/safetensors/safetensors.h"
#include "input_file.h"
#include "target.h"

namespace lbrx {
namespace {

bool HasError(const std::vector<Problem>& problems) {
  for (const Problem& problem : problems) {
    if (problem.severity == Severity::kError) {
      return true;
    }
  }
  return false;
}

// Every array lies in the file.
void CheckSpans(const SafetensorsHeader& header, uint64_t file_size) {
  for (const StoredArray& array : header.arrays) {
    FUZZ_CHECK(array.offset >= 8 && array.offset <= file_size);
    FUZZ_CHECK(array.bytes <= file_size - array.offset);
    FUZZ_CHECK(array.shape.CheckedElements().has_value());
    FUZZ_CHECK(array.shape.elements() * Info(array.dtype).bits == array.bytes * 8);
    FUZZ_CHECK(array.name.find('\0') == std::string::npos);
  }
}

// An accepted file has arrays next to each other up to its end.
void CheckAccepted(const SafetensorsHeader& header, uint64_t file_size) {
  uint64_t end = header.arrays.empty() ? file_size : header.arrays.front().offset;
  for (const StoredArray& array : header.arrays) {
    FUZZ_CHECK(array.offset == end);
    end += array.bytes;
  }
  FUZZ_CHECK(end == file_size);
}

void CheckLayout(const SafetensorsHeader& header, InputFile& input) {
  std::vector<SafetensorsEntry> entries;
  uint64_t bytes = 0;
  for (const StoredArray& array : header.arrays) {
    entries.push_back({array.name, array.dtype, array.shape});
    bytes += array.bytes;
  }
  const SafetensorsLayout layout = LayOutSafetensors(entries, header.metadata);
  FUZZ_CHECK(layout.file_size == layout.header.size() + bytes);
  input.Set(layout.header + std::string(bytes, '\0'));
  const SafetensorsHeader again = ReadSafetensorsHeader(input.file(), 0, nullptr);
  FUZZ_CHECK(again.metadata == header.metadata);
  FUZZ_CHECK(again.arrays.size() == entries.size());
  std::map<std::string, uint64_t> offsets;
  for (const StoredArray& array : again.arrays) {
    offsets[array.name] = array.offset;
  }
  for (size_t i = 0; i < entries.size(); ++i) {
    FUZZ_CHECK(offsets.at(entries[i].name) == layout.offsets[i]);
  }
}

void Run(std::string_view content) {
  static InputFile input(".safetensors");
  input.Set(content);
  std::vector<Problem> problems;
  bool collected = true;
  try {
    CheckSpans(ReadSafetensorsHeader(input.file(), 0, &problems, true), content.size());
  } catch (const Error& error) {
    FUZZ_CHECK(error.code() == ErrorCode::kInvalid);
    collected = false;
  }
  try {
    const SafetensorsHeader header = ReadSafetensorsHeader(input.file(), 0, nullptr);
    FUZZ_CHECK(collected && !HasError(problems));
    CheckSpans(header, content.size());
    CheckAccepted(header, content.size());
    CheckLayout(header, input);
  } catch (const Error& error) {
    FUZZ_CHECK(error.code() == ErrorCode::kInvalid);
    FUZZ_CHECK(!collected || HasError(problems));
  }
}

}  // namespace
}  // namespace lbrx

FUZZ_TARGET(kSafetensors);
