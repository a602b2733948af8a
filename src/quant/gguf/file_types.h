// The file types of llama-quantize: what a user asks for, and `general.file_type` of what comes
// out. A file type names the type of most tensors; quant/gguf/mix.h says which get another. Source:
// llama.h (numbers), llama-quantize's own help (names and figures).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor/ggml_types.h"

namespace lbrx {

// Numbers as in the file.
enum class FileTypeId : uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ40 = 2,
  kQ41 = 3,
  kQ80 = 7,
  kQ50 = 8,
  kQ51 = 9,
  kQ2K = 10,
  kQ3KS = 11,
  kQ3KM = 12,
  kQ3KL = 13,
  kQ4KS = 14,
  kQ4KM = 15,
  kQ5KS = 16,
  kQ5KM = 17,
  kQ6K = 18,
  kIq2Xxs = 19,
  kIq2Xs = 20,
  kQ2KS = 21,
  kIq3Xs = 22,
  kIq3Xxs = 23,
  kIq1S = 24,
  kIq4Nl = 25,
  kIq3S = 26,
  kIq3M = 27,
  kIq2S = 28,
  kIq2M = 29,
  kIq4Xs = 30,
  kIq1M = 31,
  kBf16 = 32,
  kTq10 = 36,
  kTq20 = 37,
  kMxfp4Moe = 38,
  kNvfp4 = 39,
  kQ10 = 40,
  kQ20 = 41,
  kCopy = UINT32_MAX,  // every tensor as it is; the source's number stays
};

struct FileType {
  FileTypeId id;
  std::string_view name;   // "Q4_K_M"
  std::string_view alias;  // "Q4_K"; "" where there is none
  std::string_view base;   // name of the type of most tensors; "" for COPY
  std::string_view summary;

  // nullptr for COPY.
  const GgmlType* BaseType() const { return FindGgmlType(base); }
};

// From the smallest to the largest, COPY last.
std::span<const FileType> FileTypes();

// By name or alias in any case, or by number in decimal. nullptr: there is none. (NVFP4, which
// llama.cpp has a number for, is ours: llama-quantize does not offer it.)
const FileType* FindFileType(std::string_view name_or_number);
const FileType* FindFileType(FileTypeId id);

// Likewise, but throws kUsage with the nearest name.
const FileType& ParseFileType(std::string_view name_or_number);

}  // namespace lbrx
