#include <algorithm>
#include <span>
#include <utility>

#include "core/base/format.h"
#include "formats/detect.h"
#include "formats/gguf/gguf.h"
#include "formats/gguf/input.h"
#include "formats/gguf/read_keys.h"
#include "formats/names.h"
#include "formats/problems.h"

namespace lbrx {
namespace {

constexpr std::string_view kMagic = "GGUF";
constexpr std::string_view kSwappedMagic = "FUGG";

// The least that a tensor takes in a header: length of the name, a letter, rank, type, offset.
constexpr uint64_t kSmallestTensor = 8 + 1 + 4 + 4 + 8;
// What one takes in memory, but for its name.
constexpr uint64_t kTensorMemory = sizeof(StoredArray) + sizeof(GgmlType*) + sizeof(SourceTensor) +
                                   2 * sizeof(uint64_t) + sizeof(uint32_t);

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

// An entry of the directory as it stands there.
struct Entry {
  std::string name;
  uint64_t at = 0;         // of the entry in the file
  uint64_t offset_at = 0;  // of its offset field
  Shape dims;              // ne: the row's length first
  uint32_t type = 0;
  uint64_t offset = 0;  // relative to the data
};

// Reads the directory and checks every tensor by itself.
class DirectoryReader {
 public:
  DirectoryReader(GgufInput& input, uint32_t file_index, ProblemSink& problems, GgufHeader& header)
      : input_(input), file_index_(file_index), problems_(problems), header_(header) {}

  void Read(uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) {
      const Entry entry = ReadEntry();
      input_.Charge(kTensorMemory + 2 * entry.name.size(), entry.name);
      Add(entry);
    }
    RefuseDuplicates();
  }

  // Where tensor `index` has its offset field.
  uint64_t offset_at(size_t index) const { return offsets_at_[index]; }

  // Whether entries had to be left out.
  bool incomplete() const { return incomplete_; }

 private:
  Entry ReadEntry() {
    Entry entry;
    entry.at = input_.offset();
    entry.name = input_.Text(kGgufLongestName, "name of a tensor");
    if (entry.name.empty() || entry.name.find('\0') != std::string::npos) {
      input_.Fail("name of a tensor", entry.at, "is empty or has a NUL in it");
    }
    const uint64_t rank_at = input_.offset();
    const auto rank = input_.Number<uint32_t>(entry.name);
    if (rank > kGgufMostDims) {
      input_.Fail(entry.name, rank_at, "too many dimensions", Format("at most {}", kGgufMostDims),
                  std::to_string(rank));
    }
    for (uint32_t i = 0; i < rank; ++i) {
      entry.dims.push_back(input_.Number<uint64_t>(entry.name));
    }
    entry.type = input_.Number<uint32_t>(entry.name);
    entry.offset_at = input_.offset();
    entry.offset = input_.Number<uint64_t>(entry.name);
    return entry;
  }

  void Refuse(const Entry& entry, std::string what, std::string expected, std::string found) {
    incomplete_ = true;
    problems_.Fail(input_.Detail(entry.name, entry.at, std::move(what), std::move(expected),
                                 std::move(found)));
  }

  void Add(const Entry& entry) {
    constexpr auto kMostElements = uint64_t{INT64_MAX};
    const GgmlType* type = FindGgmlType(entry.type);
    if (type == nullptr) {
      Refuse(entry, "an unknown or removed type of tensor", "a number that ggml.h has",
             std::to_string(entry.type));
      return;
    }
    for (const uint64_t dim : entry.dims.dims()) {
      if (dim == 0 || dim > kMostElements) {
        Refuse(entry, "an impossible dimension", "1 or more",
               std::to_string(static_cast<int64_t>(dim)));
        return;
      }
    }
    const std::optional<uint64_t> elements = entry.dims.CheckedElements();
    if (!elements || *elements >= kMostElements) {
      Refuse(entry, "more elements than 63 bits can count", "fewer", entry.dims.ToString());
      return;
    }
    const uint64_t row = entry.dims.rank() == 0 ? 1 : entry.dims[0];
    if (row % type->block != 0) {
      Refuse(entry, Format("rows that are not made of whole blocks of {}", type->name),
             Format("a multiple of {}", type->block), std::to_string(row));
      return;
    }
    const std::optional<uint64_t> bytes = CheckedMul(*elements / type->block, type->bytes);
    if (!bytes) {
      Refuse(entry, "more bytes than 64 bits can count", "fewer", entry.dims.ToString());
      return;
    }
    Keep(entry, *type, *bytes);
  }

  void Keep(const Entry& entry, const GgmlType& type, uint64_t bytes) {
    StoredArray array;
    array.name = entry.name;
    for (size_t i = entry.dims.rank(); i-- > 0;) {
      array.shape.push_back(entry.dims[i]);
    }
    array.dtype = type.encoding.dtype;
    if (type.encoding.scheme != Scheme::kPlain) {
      array.dtype = DType::kU8;
      array.shape[array.shape.rank() - 1] = array.shape.back() / type.block * type.bytes;
    }
    array.file = file_index_;
    array.offset = entry.offset;
    array.bytes = bytes;
    header_.arrays.push_back(std::move(array));
    header_.types.push_back(&type);
    offsets_at_.push_back(entry.offset_at);
  }

  void RefuseDuplicates() {
    for (const auto& [first, second] : NameTable(header_.arrays).Duplicates()) {
      // Which of the two is meant cannot be known.
      input_.Fail(
          header_.arrays[second].name, offsets_at_[second],
          Format("duplicate tensor, the first one's offset is at byte {}", offsets_at_[first]),
          "every name once");
    }
  }

  GgufInput& input_;
  uint32_t file_index_;
  ProblemSink& problems_;
  GgufHeader& header_;
  std::vector<uint64_t> offsets_at_;
  bool incomplete_ = false;
};

// Checks where the tensors lie: one after another, each at the next multiple of the alignment, all
// in the file. Turns offsets into the file's.
class SpanCheck {
 public:
  SpanCheck(const GgufInput& input, const DirectoryReader& directory, ProblemSink& problems,
            GgufHeader& header)
      : input_(input), directory_(directory), problems_(problems), header_(header) {}

  void Run() {
    std::vector<bool> bad(header_.arrays.size(), false);
    resync_ = directory_.incomplete();
    for (size_t i = 0; i < header_.arrays.size(); ++i) {
      bad[i] = !CheckPlace(i) || !CheckEnd(i);
    }
    RemoveBad(bad);
    WarnTrailing();
  }

 private:
  bool CheckPlace(size_t index) {
    const StoredArray& array = header_.arrays[index];
    const char* what = nullptr;
    if (array.offset % header_.alignment != 0) {
      what = "the offset is not a multiple of the alignment";
    } else if (array.offset < expected_) {
      what = "overlaps the tensor before it";
    } else if (array.offset > expected_ && !resync_) {
      what = "a hole before the data";
    }
    if (what != nullptr) {
      ErrorDetail detail =
          input_.Detail(array.name, directory_.offset_at(index), what,
                        Format("offset {}", expected_), std::to_string(array.offset));
      detail.advice = "`lbrx repair` writes it anew";
      problems_.Fail(std::move(detail));
      resync_ = true;
    }
    return what == nullptr;
  }

  bool CheckEnd(size_t index) {
    StoredArray& array = header_.arrays[index];
    const std::optional<uint64_t> begin = CheckedAdd(header_.data_start, array.offset);
    const std::optional<uint64_t> end = begin ? CheckedAdd(*begin, array.bytes) : std::nullopt;
    if (!end || *end > input_.size()) {
      ErrorDetail detail = input_.Detail(
          array.name, directory_.offset_at(index), "the data is not within the file",
          end ? Format("a file of at least {} bytes", *end) : "an offset that 64 bits can hold",
          Format("{} bytes", input_.size()));
      detail.advice =
          "the file is cut short; download it again, or `lbrx repair` saves what is whole";
      problems_.Fail(std::move(detail));
      resync_ = true;
      return false;
    }
    // The end is within the file, so that rounding up cannot overflow.
    expected_ = std::max(expected_, RoundUp(*end - header_.data_start, header_.alignment));
    array.offset = *begin;
    return true;
  }

  void RemoveBad(const std::vector<bool>& bad) {
    size_t kept = 0;
    for (size_t i = 0; i < bad.size(); ++i) {
      if (!bad[i]) {
        if (kept != i) {
          header_.arrays[kept] = std::move(header_.arrays[i]);
          header_.types[kept] = header_.types[i];
        }
        ++kept;
      }
    }
    header_.arrays.resize(kept);
    header_.types.resize(kept);
  }

  void WarnTrailing() {
    const uint64_t end = header_.data_start + expected_;
    if (!resync_ && input_.size() > end) {
      problems_.Warn(input_.Detail("", end, "bytes behind the data of the last tensor",
                                   Format("a file of {} bytes", end),
                                   std::to_string(input_.size())));
    }
  }

  const GgufInput& input_;
  const DirectoryReader& directory_;
  ProblemSink& problems_;
  GgufHeader& header_;
  uint64_t expected_ = 0;  // offset of the next tensor, relative to the data
  bool resync_ = false;    // after a problem any later place will do
};

}  // namespace

bool IsGgufFile(std::string_view head) {
  return head.starts_with(kMagic) || head.starts_with(kSwappedMagic);
}

GgufHeader ReadGgufHeader(const File& file, uint32_t file_index, std::vector<Problem>* problems,
                          bool collect) {
  std::vector<Problem> unwanted;
  OpenOptions options;
  options.collect_problems = collect;
  ProblemSink sink(options, problems == nullptr ? unwanted : *problems);
  GgufInput input(file);
  GgufHeader header;
  ReadMagic(file, input);
  header.version = ReadVersion(file, input);
  const uint64_t count_at = input.offset();
  const auto tensors = input.Number<uint64_t>("number of tensors");
  const uint64_t most = std::min(kGgufMostTensors, input.remaining() / kSmallestTensor);
  if (tensors > most) {
    input.Fail("number of tensors", count_at,
               "more tensors than the file can hold, or than are read", Format("at most {}", most),
               std::to_string(tensors));
  }
  header.keys = ReadGgufKeys(input, input.Number<uint64_t>("number of keys"), sink);
  header.alignment = GgufAlignment(header.keys);
  DirectoryReader directory(input, file_index, sink, header);
  directory.Read(tensors);
  header.data_start = RoundUp(input.offset(), header.alignment);
  header.padded = tensors > 0 || input.size() > input.offset() || header.data_start == input.size();
  SpanCheck(input, directory, sink, header).Run();
  return header;
}

SourceTensor GgufTensor(const StoredArray& array, const GgmlType& type, uint32_t index) {
  Shape shape = array.shape;
  if (type.encoding.scheme != Scheme::kPlain) {
    shape[shape.rank() - 1] = shape.back() / type.bytes * type.block;
  }
  return {array.name, type.encoding, shape, {index}};
}

}  // namespace lbrx
