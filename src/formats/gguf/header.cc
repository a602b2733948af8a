#include <algorithm>
#include <utility>

#include "core/base/format.h"
#include "formats/gguf/directory.h"
#include "formats/gguf/gguf.h"
#include "formats/gguf/read_keys.h"
#include "formats/names.h"

namespace lbrx {
namespace {

// Checks where the tensors lie: one after another, each at the next multiple of the alignment, all
// in the file. Turns offsets into the file's.
class SpanCheck {
 public:
  // `offsets_at` are the places of the arrays' offset fields; `complete`: no entry was left out.
  SpanCheck(const File& file, std::vector<uint64_t> offsets_at, bool complete,
            ProblemSink& problems, GgufHeader& header)
      : file_(file),
        size_(file.Size()),
        offsets_at_(std::move(offsets_at)),
        resync_(!complete),
        problems_(problems),
        header_(header) {}

  void Run() {
    std::vector<bool> bad(header_.arrays.size(), false);
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
      ErrorDetail detail = Detail(array.name, offsets_at_[index], what,
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
    if (!end || *end > size_) {
      ErrorDetail detail = Detail(
          array.name, offsets_at_[index], "the data is not within the file",
          end ? Format("a file of at least {} bytes", *end) : "an offset that 64 bits can hold",
          Format("{} bytes", size_));
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
    if (!resync_ && size_ > end) {
      problems_.Warn(Detail("", end, "bytes behind the data of the last tensor",
                            Format("a file of {} bytes", end), std::to_string(size_)));
    }
  }

  ErrorDetail Detail(std::string object, uint64_t at, std::string what, std::string expected,
                     std::string found) const {
    return {.file = file_.path(),
            .object = std::move(object),
            .what = std::move(what),
            .expected = std::move(expected),
            .found = std::move(found),
            .offset = at,
            .advice = {}};
  }

  const File& file_;
  uint64_t size_;  // of the file
  std::vector<uint64_t> offsets_at_;
  bool resync_;            // after a problem any later place will do
  uint64_t expected_ = 0;  // offset of the next tensor, relative to the data
  ProblemSink& problems_;
  GgufHeader& header_;
};

// Which of two tensors of the same name is meant cannot be known.
void RefuseDuplicates(const File& file, const GgufHeader& header,
                      const std::vector<uint64_t>& offsets_at) {
  const auto duplicates = NameTable(header.arrays).Duplicates();
  if (duplicates.empty()) {
    return;
  }
  const auto& [first, second] = duplicates.front();
  throw Error(
      ErrorCode::kInvalid,
      {.file = file.path(),
       .object = header.arrays[second].name,
       .what = Format("duplicate tensor, the first one's offset is at byte {}", offsets_at[first]),
       .expected = "every name once",
       .found = {},
       .offset = offsets_at[second],
       .advice = {}});
}

}  // namespace

GgufHeader ReadGgufHeader(const File& file, uint32_t file_index, std::vector<Problem>* problems,
                          bool collect) {
  std::vector<Problem> unwanted;
  OpenOptions options;
  options.collect_problems = collect;
  ProblemSink sink(options, problems == nullptr ? unwanted : *problems);
  GgufDirectory directory = ReadGgufDirectory(file, sink);
  GgufHeader header;
  header.version = directory.version;
  header.keys = std::move(directory.keys);
  header.alignment = GgufAlignment(header.keys);
  header.data_start = RoundUp(directory.end, header.alignment);
  const uint64_t size = file.Size();
  header.padded = !directory.entries.empty() || size > directory.end || size == header.data_start;
  std::vector<uint64_t> offsets_at;
  for (const GgufEntry& entry : directory.entries) {
    try {
      GgufArray made = MakeGgufArray(entry, file_index);
      header.arrays.push_back(std::move(made.array));
      header.types.push_back(made.type);
      offsets_at.push_back(entry.offset_at);
    } catch (Error& error) {
      sink.Caught(error.InFile(file.path()));
    }
  }
  RefuseDuplicates(file, header, offsets_at);
  const bool complete = header.arrays.size() == directory.entries.size();
  SpanCheck(file, std::move(offsets_at), complete, sink, header).Run();
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
