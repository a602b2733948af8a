#include "formats/gguf/directory.h"

#include <algorithm>
#include <span>
#include <utility>

#include "core/base/format.h"
#include "formats/detect.h"
#include "formats/gguf/gguf.h"
#include "formats/gguf/input.h"
#include "formats/gguf/read_keys.h"

namespace lbrx {
namespace {

constexpr std::string_view kMagic = "GGUF";
constexpr std::string_view kSwappedMagic = "FUGG";

// The least that a tensor takes in a header: length of the name, a letter, rank, type, offset.
constexpr uint64_t kSmallestTensor = 8 + 1 + 4 + 4 + 8;
// What one takes in memory, but for its name.
constexpr uint64_t kTensorMemory = sizeof(StoredArray) + sizeof(void*) + sizeof(SourceTensor) +
                                   sizeof(GgufEntry) + sizeof(uint64_t) + sizeof(uint32_t);

[[noreturn]] void RefuseBigEndian(const File& file, uint64_t at, std::string found) {
  throw Error(ErrorCode::kInvalid,
              {.file = file.path(),
               .object = "version",
               .what = "a big-endian GGUF file, which cannot be read",
               .expected = "a little-endian one",
               .found = std::move(found),
               .offset = at,
               .advice = "download the little-endian file, or turn it with gguf_convert_endian"});
}

[[noreturn]] void RefuseMagic(const File& file, std::string_view head) {
  if (head == kSwappedMagic) {
    RefuseBigEndian(file, 0, "the magic \"FUGG\"");
  }
  const ForeignFile foreign = RecogniseFile(file.path());
  ErrorDetail detail;
  detail.file = file.path();
  detail.offset = 0;
  detail.what = "not a GGUF file";
  if (foreign.kind.empty()) {
    detail.expected = "the magic \"GGUF\"";
    detail.found = "\"" + Printable(head) + "\"";
  } else {
    detail.what += " but " + foreign.kind;
    detail.advice = foreign.advice;
  }
  throw Error(ErrorCode::kInvalid, std::move(detail));
}

void ReadMagic(const File& file, GgufInput& input) {
  std::string magic(std::min<uint64_t>(kMagic.size(), input.size()), '\0');
  input.Read(std::as_writable_bytes(std::span(magic)), "magic");
  if (magic != kMagic) {
    RefuseMagic(file, magic);
  }
}

uint32_t ReadVersion(const File& file, GgufInput& input) {
  const uint64_t at = input.offset();
  const auto version = input.Number<uint32_t>("version");
  if ((version & 0xFFFF) == 0 && version != 0) {
    RefuseBigEndian(file, at, Format("version {:#010x}", version));
  }
  if (version != 2 && version != 3) {
    ErrorDetail detail = input.Detail("version", at, "a version of GGUF that cannot be read",
                                      "2 or 3", std::to_string(version));
    detail.advice =
        version == 1 ? "convert the model anew; llama.cpp stopped reading version 1 too" : "";
    throw Error(ErrorCode::kInvalid, std::move(detail));
  }
  return version;
}

GgufEntry ReadEntry(GgufInput& input) {
  GgufEntry entry;
  entry.at = input.offset();
  entry.name = input.Text(kGgufLongestName, "name of a tensor");
  if (entry.name.empty() || entry.name.find('\0') != std::string::npos) {
    input.Fail("name of a tensor", entry.at, "is empty or has a NUL in it");
  }
  const uint64_t rank_at = input.offset();
  const auto rank = input.Number<uint32_t>(entry.name);
  if (rank > kGgufMostDims) {
    input.Fail(entry.name, rank_at, "too many dimensions", Format("at most {}", kGgufMostDims),
               std::to_string(rank));
  }
  for (uint32_t i = 0; i < rank; ++i) {
    entry.dims.push_back(input.Number<uint64_t>(entry.name));
  }
  entry.type = input.Number<uint32_t>(entry.name);
  entry.offset_at = input.offset();
  entry.offset = input.Number<uint64_t>(entry.name);
  return entry;
}

[[noreturn]] void Refuse(const GgufEntry& entry, std::string what, std::string expected,
                         std::string found) {
  throw Error(ErrorCode::kInvalid, {.file = {},
                                    .object = entry.name,
                                    .what = std::move(what),
                                    .expected = std::move(expected),
                                    .found = std::move(found),
                                    .offset = entry.at,
                                    .advice = {}});
}

// Bytes of the elements. Each dimension is looked at before any product is formed.
uint64_t BytesOf(const GgufEntry& entry, const GgmlType& type) {
  constexpr auto kMostElements = uint64_t{INT64_MAX};
  for (const uint64_t dim : entry.dims.dims()) {
    if (dim == 0 || dim > kMostElements) {
      Refuse(entry, "an impossible dimension", "1 or more",
             std::to_string(static_cast<int64_t>(dim)));
    }
  }
  const std::optional<uint64_t> elements = entry.dims.CheckedElements();
  if (!elements || *elements >= kMostElements) {
    Refuse(entry, "more elements than 63 bits can count", "fewer", entry.dims.ToString());
  }
  const uint64_t row = entry.dims.rank() == 0 ? 1 : entry.dims[0];
  if (row % type.block != 0) {
    Refuse(entry, Format("rows that are not made of whole blocks of {}", type.name),
           Format("a multiple of {}", type.block), std::to_string(row));
  }
  const std::optional<uint64_t> bytes = CheckedMul(*elements / type.block, type.bytes);
  if (!bytes) {
    Refuse(entry, "more bytes than 64 bits can count", "fewer", entry.dims.ToString());
  }
  return *bytes;
}

}  // namespace

bool IsGgufFile(std::string_view head) {
  return head.starts_with(kMagic) || head.starts_with(kSwappedMagic);
}

GgufDirectory ReadGgufDirectory(const File& file, ProblemSink& problems) {
  GgufInput input(file);
  GgufDirectory directory;
  ReadMagic(file, input);
  directory.version = ReadVersion(file, input);
  const uint64_t count_at = input.offset();
  const auto tensors = input.Number<uint64_t>("number of tensors");
  const uint64_t most = std::min(kGgufMostTensors, input.remaining() / kSmallestTensor);
  if (tensors > most) {
    input.Fail("number of tensors", count_at,
               "more tensors than the file can hold, or than are read", Format("at most {}", most),
               std::to_string(tensors));
  }
  directory.keys = ReadGgufKeys(input, input.Number<uint64_t>("number of keys"), problems);
  for (uint64_t i = 0; i < tensors; ++i) {
    GgufEntry entry = ReadEntry(input);
    input.Charge(kTensorMemory + 3 * entry.name.size(), entry.name);
    directory.entries.push_back(std::move(entry));
  }
  directory.end = input.offset();
  return directory;
}

GgufArray MakeGgufArray(const GgufEntry& entry, uint32_t file_index) {
  const GgmlType* type = FindGgmlType(entry.type);
  if (type == nullptr) {
    Refuse(entry, "an unknown or removed type of tensor", "a number that ggml.h has",
           std::to_string(entry.type));
  }
  StoredArray array;
  array.name = entry.name;
  array.bytes = BytesOf(entry, *type);
  array.dtype = type->encoding.dtype;
  for (size_t i = entry.dims.rank(); i-- > 0;) {
    array.shape.push_back(entry.dims[i]);
  }
  if (type->encoding.scheme != Scheme::kPlain) {
    array.dtype = DType::kU8;
    array.shape[array.shape.rank() - 1] = array.shape.back() / type->block * type->bytes;
  }
  array.file = file_index;
  array.offset = entry.offset;
  return {std::move(array), type};
}

}  // namespace lbrx
