// GGUF files: whatever the bytes, either an error or tensors that lie in the file, one after
// another; and what is accepted can be laid out and read again.
#include <cstdint>
#include <string>

#include "check.h"
#include "core/base/error.h"
#include "formats/gguf/gguf.h"
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

// Every tensor lies in the file, has some elements and as many bytes as they take.
void CheckTensors(const GgufHeader& header, uint64_t file_size) {
  FUZZ_CHECK(header.arrays.size() == header.types.size());
  uint64_t end = header.data_start;
  for (size_t i = 0; i < header.arrays.size(); ++i) {
    const StoredArray& array = header.arrays[i];
    const SourceTensor tensor = GgufTensor(array, *header.types[i], 0);
    FUZZ_CHECK(array.offset >= end && array.offset <= file_size);
    FUZZ_CHECK((array.offset - header.data_start) % header.alignment == 0);
    FUZZ_CHECK(array.bytes > 0 && array.bytes <= file_size - array.offset);
    FUZZ_CHECK(tensor.shape.CheckedElements().value_or(0) > 0);
    FUZZ_CHECK(EncodedBytes(tensor.encoding, tensor.shape) == array.bytes);
    FUZZ_CHECK(!array.name.empty() && array.name.find('\0') == std::string::npos);
    end = array.offset + array.bytes;
  }
}

void CheckLayout(const GgufHeader& header, std::string_view content, InputFile& input) {
  std::vector<OutputTensor> tensors;
  for (size_t i = 0; i < header.arrays.size(); ++i) {
    const SourceTensor tensor = GgufTensor(header.arrays[i], *header.types[i], 0);
    tensors.emplace_back(tensor.name, tensor.encoding, tensor.shape);
  }
  GgufTarget target;
  target.keys = &header.keys;
  target.version = header.version;
  target.padded = header.padded;
  const OutputLayout layout = LayOutGguf(tensors, target);
  FUZZ_CHECK(layout.single_file);
  const OutputFile& file = layout.files[0];
  // Only the padding may differ from the file's.
  FUZZ_CHECK(file.header.size() == header.data_start ||
             (header.arrays.empty() && file.header.size() <= header.data_start));
  for (size_t i = 0; i < tensors.size(); ++i) {
    FUZZ_CHECK(tensors[i].planes[0].offset == header.arrays[i].offset);
  }
  FUZZ_CHECK(file.size <= content.size() + header.alignment);
  input.Set(file.header + std::string(file.size - file.header.size(), '\0'));
  const GgufHeader again = ReadGgufHeader(input.file(), 0, nullptr);
  FUZZ_CHECK(again.keys == header.keys && again.version == header.version);
  FUZZ_CHECK(again.arrays.size() == header.arrays.size());
}

void Run(std::string_view content) {
  static InputFile input(".gguf");
  input.Set(content);
  std::vector<Problem> problems;
  bool collected = true;
  try {
    CheckTensors(ReadGgufHeader(input.file(), 0, &problems, true), content.size());
  } catch (const Error& error) {
    FUZZ_CHECK(error.code() == ErrorCode::kInvalid);
    collected = false;
  }
  try {
    const GgufHeader header = ReadGgufHeader(input.file(), 0, nullptr);
    FUZZ_CHECK(collected && !HasError(problems));
    CheckTensors(header, content.size());
    CheckLayout(header, content, input);
  } catch (const Error& error) {
    FUZZ_CHECK(error.code() == ErrorCode::kInvalid);
    FUZZ_CHECK(!collected || HasError(problems));
  }
}

}  // namespace
}  // namespace lbrx

FUZZ_TARGET(kGguf);
