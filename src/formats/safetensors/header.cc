#include <algorithm>
#include <cstring>
#include <numeric>
#include <span>

#include "core/base/format.h"
#include "formats/detect.h"
#include "formats/names.h"
#include "formats/safetensors/header_parser.h"
#include "formats/safetensors/safetensors.h"

namespace lbrx {

namespace {

constexpr uint64_t kLengthField = 8;

std::string ReadText(const File& file, uint64_t offset, uint64_t length) {
  std::string text(length, '\0');
  file.ReadAt(offset, std::as_writable_bytes(std::span(text)));
  return text;
}

uint64_t LittleEndian64(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = kLengthField; i-- > 0;) {
    value = (value << 8) | static_cast<uint8_t>(bytes[i]);
  }
  return value;
}

// What is no safetensors file: says what it is instead, if that can be told, else `detail`.
[[noreturn]] void ThrowNotSafetensors(const File& file, std::string_view head, ErrorDetail detail) {
  detail.file = file.path();
  // An empty or tiny file is named by its size alone.
  const ForeignFile foreign =
      head.size() < kLengthField ? RecogniseUnfinished(file.path()) : RecogniseFile(file.path());
  if (!foreign.kind.empty()) {
    detail.object.clear();
    detail.what = "not a safetensors file but " + foreign.kind;
    detail.expected.clear();
    detail.found.clear();
    detail.offset.reset();
    detail.advice = foreign.advice;
  }
  throw Error(ErrorCode::kInvalid, std::move(detail));
}

// The JSON text of the header, lengths checked.
std::string ReadHeaderText(const File& file, uint64_t file_size) {
  const std::string head = ReadText(file, 0, std::min(file_size, kForeignHead));
  ErrorDetail detail;
  detail.object = "header length";
  if (file_size < kLengthField) {
    detail.what = "the file is shorter than its header length field";
    detail.expected = "at least 8 bytes";
    detail.found = std::to_string(file_size);
    detail.offset = 0;
    ThrowNotSafetensors(file, head, std::move(detail));
  }
  const uint64_t length = LittleEndian64(head);
  const uint64_t rest = file_size - kLengthField;
  detail.found = std::to_string(length);
  detail.offset = 0;
  if (length < 2) {
    detail.what = "the header is too short";
    detail.expected = "at least 2 bytes";
  } else if (length > rest) {
    detail.what = "the header is longer than the file";
    detail.expected = Format("at most {} bytes", rest);
    detail.advice =
        "the file is cut short; download it again, or `lbrx repair` saves what is whole";
  } else if (length > kSafetensorsHeaderLimit) {
    detail.what = "the header is too long";
    detail.expected = Format("at most {} bytes", kSafetensorsHeaderLimit);
  }
  if (!detail.what.empty()) {
    ThrowNotSafetensors(file, head, std::move(detail));
  }
  if (head[kLengthField] != '{') {
    detail.object = "header";
    detail.what = "the header does not start with an object";
    detail.expected = "\"{\"";
    detail.found = "\"" + Printable(std::string_view(head).substr(kLengthField, 1)) + "\"";
    detail.offset = kLengthField;
    ThrowNotSafetensors(file, head, std::move(detail));
  }
  return ReadText(file, kLengthField, length);
}

void RefuseDuplicates(ParsedHeader& header, const HeaderContext& context) {
  std::vector<uint32_t> extra;  // in collect mode
  for (const auto& [first, second] : NameTable(header.arrays).Duplicates()) {
    ErrorDetail detail;
    detail.file = context.file;
    detail.object = header.arrays[second].name;
    detail.what = Format("duplicate tensor, its first entry is at byte {}, its second at byte {}",
                         header.entry_bytes[first], header.entry_bytes[second]);
    detail.expected = "every name once";
    detail.offset = header.entry_bytes[second];
    context.problems->Fail(std::move(detail));
    extra.push_back(second);
  }
  std::sort(extra.begin(), extra.end(), std::greater<>());
  for (uint32_t index : extra) {
    header.arrays.erase(header.arrays.begin() + index);
  }
}

// Errors and warnings about where the arrays lie.
class SpanCheck {
 public:
  SpanCheck(const HeaderContext& context, uint64_t data_start)
      : context_(context), data_start_(data_start) {}

  // In order of offset. Offsets relative to the data part.
  void Add(const StoredArray& array) {
    if (array.offset < end_) {
      Report(array.name, Format("overlaps the data of \"{}\"", Printable(last_->name)), array);
    } else if (array.offset > end_) {
      Report(array.name, "hole before the data", array);
    }
    const uint64_t element = Info(array.dtype).bits / 8;
    if (element > 1 && array.offset % element != 0) {
      if (misaligned_++ == 0) {
        first_misaligned_ = &array;
      }
    }
    if (array.offset + array.bytes >= end_) {
      end_ = array.offset + array.bytes;
      last_ = &array;
    }
  }

  void Finish() {
    if (end_ != context_.data_bytes) {
      ErrorDetail detail;
      detail.file = context_.file;
      detail.what = "bytes behind the data of the last tensor";
      detail.expected = Format("a file of {} bytes", data_start_ + end_);
      detail.found = std::to_string(data_start_ + context_.data_bytes);
      detail.offset = data_start_ + end_;
      context_.problems->Fail(std::move(detail));
    }
    if (misaligned_ > 0) {
      ErrorDetail detail;
      detail.file = context_.file;
      detail.object = first_misaligned_->name;
      detail.what = Format(
          "data is not aligned to its elements (in {} tensor{} of this file); read all the same",
          misaligned_, misaligned_ == 1 ? "" : "s");
      detail.offset = data_start_ + first_misaligned_->offset;
      context_.problems->Warn(std::move(detail));
    }
  }

 private:
  void Report(const std::string& name, std::string what, const StoredArray& array) {
    ErrorDetail detail;
    detail.file = context_.file;
    detail.object = name;
    detail.what = std::move(what);
    detail.expected = Format("data at {}", end_);
    detail.found = std::to_string(array.offset);
    detail.offset = data_start_ + array.offset;
    context_.problems->Fail(std::move(detail));
  }

  const HeaderContext& context_;
  uint64_t data_start_;
  uint64_t end_ = 0;                   // of the data seen so far
  const StoredArray* last_ = nullptr;  // the array that ends there
  uint64_t misaligned_ = 0;
  const StoredArray* first_misaligned_ = nullptr;
};

}  // namespace

SafetensorsHeader ReadSafetensorsHeader(const File& file, uint32_t file_index,
                                        std::vector<Problem>* problems, bool collect) {
  const uint64_t file_size = file.Size();
  const std::string text = ReadHeaderText(file, file_size);
  const uint64_t data_start = kLengthField + text.size();
  std::vector<Problem> unwanted;
  OpenOptions options;
  options.collect_problems = collect;
  ProblemSink sink(options, problems == nullptr ? unwanted : *problems);
  const HeaderContext context{file.path(), file_index, file_size - data_start, &sink};
  ParsedHeader parsed = ParseSafetensorsHeader(text, context);
  RefuseDuplicates(parsed, context);
  const bool complete = sink.errors() == 0;  // else entries were left out: their data is nobody's

  const auto before = [](const StoredArray& a, const StoredArray& b) {
    return a.offset != b.offset ? a.offset < b.offset : a.bytes < b.bytes;
  };
  if (!std::is_sorted(parsed.arrays.begin(), parsed.arrays.end(), before)) {
    std::sort(parsed.arrays.begin(), parsed.arrays.end(), before);
  }
  SpanCheck spans(context, data_start);
  for (const StoredArray& array : parsed.arrays) {
    spans.Add(array);
  }
  if (complete) {
    spans.Finish();
  }
  for (StoredArray& array : parsed.arrays) {
    array.offset += data_start;
  }
  return {std::move(parsed.metadata), std::move(parsed.arrays)};
}

}  // namespace lbrx
