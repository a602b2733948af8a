// The older format, without magic: int32 entries; per entry int32 length, name, int32 calls, int32
// values, F32 values (means x calls); then, in most files, int32 chunks, int32 length, the path of
// the text. All little-endian.
#include <algorithm>
#include <bit>

#include "core/base/format.h"
#include "formats/gguf/gguf.h"
#include "formats/imatrix/reader.h"

namespace lbrx {
namespace {

constexpr uint64_t kNumber = sizeof(int32_t);
// Of a name of one byte and one value.
constexpr uint64_t kSmallestEntry = 3 * kNumber + 1 + sizeof(float);
constexpr uint64_t kLongestName = 4096;
constexpr char kNotOne[] = "give --imatrix a file that llama-imatrix made, whole";

static_assert(std::endian::native == std::endian::little);

}  // namespace

int32_t ImatrixReader::Number(uint64_t* at, const std::string& what) const {
  if (size_ - *at < kNumber) {
    Fail(*at, "", Format("the file ends before {}", what), Format("{} bytes", kNumber),
         std::to_string(size_ - *at));
  }
  int32_t value = 0;
  file_.ReadAt(*at, std::as_writable_bytes(std::span(&value, 1)));
  *at += kNumber;
  return value;
}

std::string ImatrixReader::Text(uint64_t* at, uint64_t length, const std::string& what) const {
  if (length > size_ - *at) {
    Fail(*at, "", Format("the file ends before {}", what), Format("{} bytes", length),
         std::to_string(size_ - *at));
  }
  std::string text(length, '\0');
  file_.ReadAt(*at, std::as_writable_bytes(std::span(text)));
  *at += length;
  return text;
}

void ImatrixReader::ReadDat() {
  uint64_t at = 0;
  const int32_t entries = Number(&at, "the number of entries");
  const uint64_t most = std::min(size_ / kSmallestEntry, kGgufMostTensors);
  if (entries < 1 || static_cast<uint64_t>(entries) > most) {
    Fail(0, "", "the file is no importance matrix: it cannot hold its number of entries",
         Format("1 to {}", most), std::to_string(entries), kNotOne);
  }
  for (int32_t i = 0; i < entries; ++i) {
    ReadDatEntry(&at);
  }
  ReadDatTail(at);
}

void ImatrixReader::ReadDatEntry(uint64_t* at) {
  const uint64_t start = *at;
  const int32_t length = Number(at, "the length of a name");
  if (length < 1 || static_cast<uint64_t>(length) > kLongestName) {
    Fail(start, "", "the length of a name is invalid", Format("1 to {}", kLongestName),
         std::to_string(length));
  }
  const std::string tensor = Text(at, static_cast<uint64_t>(length), "the end of a name");
  const uint64_t numbers = *at;
  const int32_t calls = Number(at, "the count of calls of " + Printable(tensor));
  const int32_t values = Number(at, "the number of weights of " + Printable(tensor));
  if (calls < 1) {
    Fail(numbers, tensor, "the count of calls is invalid, as weights are divided by it",
         "at least 1", std::to_string(calls));
  }
  const uint64_t most = (size_ - *at) / sizeof(float);
  if (values < 1 || static_cast<uint64_t>(values) > most) {
    Fail(numbers + kNumber, tensor, "the file cannot hold the number of weights",
         Format("1 to {}", most), std::to_string(values));
  }
  Add(tensor,
      {.offset = *at,
       .values = static_cast<uint64_t>(values),
       .counts = {static_cast<float>(calls)}},
      start);
  *at += static_cast<uint64_t>(values) * sizeof(float);
}

void ImatrixReader::ReadDatTail(uint64_t at) {
  if (at == size_) {
    return;
  }
  const uint64_t start = at;
  const int32_t chunks = Number(&at, "the count of chunks");
  if (chunks < 0) {
    Fail(start, "", "the count of chunks is negative", "", std::to_string(chunks));
  }
  matrix_.chunks_ = static_cast<uint32_t>(chunks);
  if (at == size_) {
    return;
  }
  const uint64_t length_at = at;
  const int32_t length = Number(&at, "the length of the dataset's path");
  if (length < 0) {
    Fail(length_at, "", "the length of the dataset's path is negative", "", std::to_string(length));
  }
  const std::string dataset = Text(&at, static_cast<uint64_t>(length), "the dataset's path");
  if (!dataset.empty()) {
    matrix_.datasets_.push_back(dataset);
  }
  if (at != size_) {
    Fail(at, "", "the file goes on behind its end", "", Format("{} bytes more", size_ - at));
  }
}

}  // namespace lbrx
