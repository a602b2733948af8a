// The GGUF container: typed keys, a directory of tensors, their data, all in one file or in the
// parts of a split set. docs/formats/gguf.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor/ggml_types.h"
#include "formats/checkpoint.h"
#include "formats/gguf/keys.h"
#include "formats/writer.h"

namespace lbrx {

// What a file may hold at most; more is refused.
inline constexpr uint64_t kGgufMostKeys = uint64_t{1} << 16;
inline constexpr uint64_t kGgufMostTensors = uint64_t{1} << 20;
inline constexpr uint64_t kGgufLongestKey = 65535;
inline constexpr uint64_t kGgufLongestName = 63;  // of a tensor: what llama.cpp can hold
inline constexpr uint64_t kGgufLongestString = uint64_t{64} << 20;
inline constexpr uint64_t kGgufLongestArray = uint64_t{1} << 27;
inline constexpr uint64_t kGgufMostDims = 4;
inline constexpr uint64_t kGgufMostParts = 65535;

inline constexpr std::string_view kGgufAlignmentKey = "general.alignment";
inline constexpr uint32_t kGgufDefaultAlignment = 32;

// Whether a file that begins so is GGUF's, of whatever version and byte order.
bool IsGgufFile(std::string_view head);

// A file's header. `arrays` and `types` go together, in the file's order.
struct GgufHeader {
  uint32_t version = 3;
  uint32_t alignment = kGgufDefaultAlignment;
  uint64_t data_start = 0;  // where the first tensor is, or would be
  bool padded = true;       // false: no tensors, and the file ends where the padding would begin
  GgufKeys keys;
  std::vector<StoredArray> arrays;  // of a block type: bytes (U8), the last dimension in bytes
  std::vector<const GgmlType*> types;
};

// Reads the header of one file and checks it against the file's size: versions 2 and 3,
// little-endian; every tensor whole, in the file, at the place that follows from those before it.
// Reads the header's bytes only; time n log n. Memory: at most twice the file and 16 MiB. Errors
// are kInvalid with key or tensor, offset, expected and found. Warnings go to `problems` (may be
// null). With `collect` errors of single tensors go there as well, and the tensors are left out.
GgufHeader ReadGgufHeader(const File& file, uint32_t file_index, std::vector<Problem>* problems,
                          bool collect = false);

// A tensor's values; `array` has been read with `type`.
SourceTensor GgufTensor(const StoredArray& array, const GgmlType& type, uint32_t index);

// Opens a file, or the set of which it is a part (named PREFIX-00001-of-00003.gguf, keys split.no,
// split.count and split.tensors.count). Arrays are in the order of the parts and their
// directories; keys are those of part 1, less the three split keys where there are several parts.
// Checkpoint::metadata has what GgufTargetOf needs: "gguf.version" of part 1, and "gguf.padding" =
// "none" for an unpadded file without tensors.
Checkpoint OpenGguf(const std::string& path, const OpenOptions& options);

// The one GGUF file, or part 1 of the one set, of a folder that holds no other weights. nullopt: it
// holds none, or other weights. kInvalid, naming them: it holds several models.
std::optional<std::string> GgufInFolder(const std::string& folder);

// The tensors of an opened file or set in the order of its directories.
std::vector<const SourceTensor*> GgufFileOrder(const Checkpoint& checkpoint);

// The name of a part of a set.
struct GgufPartName {
  std::string prefix;   // with its folder
  uint64_t number = 0;  // from 1
  uint64_t count = 0;
};

// nullopt: the path is not that of a part.
std::optional<GgufPartName> ParseGgufPartName(const std::string& path);
std::string FormatGgufPartName(const GgufPartName& name);

// Whether a key says which part of a set a file is.
bool IsGgufSplitKey(std::string_view key);

// What is wrong with a value of general.alignment, which must be a U32 and a power of two from 8 to
// 1 MiB; nullopt: nothing. Its file and offset are left out.
std::optional<ErrorDetail> CheckGgufAlignment(const GgufValue& value);

struct GgufTarget {
  const GgufKeys* keys = nullptr;  // general.alignment decides the alignment
  uint32_t version = 3;
  std::optional<uint64_t> shard_size;  // bytes of data a part; a larger tensor has its own
  // In place of that, so many parts, and each tensor in the part that its plane's `file` has.
  std::optional<uint32_t> parts;
  std::string prefix = "model";  // of the parts' names
  bool padded = true;            // GgufHeader::padded
};

// What makes a copy of an opened file; it refers to the checkpoint's keys.
GgufTarget GgufTargetOf(const Checkpoint& checkpoint);

// Lays `tensors` out in the order given (filling file and offset of every plane): one file, or
// where `shard_size` is given and does not hold them all, or `parts` are several, a set, part 1
// with all keys. Everything between the headers and the tensors is zeros. A file that was read and
// is laid out with the same keys, tensors, version and `padded` has the same header and offsets.
// kInvalid where GGUF cannot hold something: a dtype, a name, a rank, an alignment; kUsage for too
// many parts.
OutputLayout LayOutGguf(std::vector<OutputTensor>& tensors, const GgufTarget& target);

}  // namespace lbrx
