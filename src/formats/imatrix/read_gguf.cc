// The newer format: a GGUF file with two tensors for each of the model's, NAME.in_sum2 (columns x
// matrices) and NAME.counts (1 x matrices), both F32.
#include <cmath>
#include <utility>

#include "core/base/format.h"
#include "formats/gguf/gguf.h"
#include "formats/imatrix/reader.h"

namespace lbrx {
namespace {

constexpr std::string_view kSums = ".in_sum2";
constexpr std::string_view kCounts = ".counts";
constexpr char kDatasets[] = "imatrix.datasets";
constexpr char kChunks[] = "imatrix.chunk_count";
constexpr char kChunkSize[] = "imatrix.chunk_size";

// Where `name` ends so, the rest.
std::optional<std::string> Before(std::string_view name, std::string_view ending) {
  if (name.size() < ending.size() || name.substr(name.size() - ending.size()) != ending) {
    return std::nullopt;
  }
  return std::string(name.substr(0, name.size() - ending.size()));
}

}  // namespace

void ImatrixReader::ReadGguf() {
  const GgufHeader header = ReadGgufHeader(file_, 0, nullptr);
  const std::string type = header.keys.String("general.type");
  if (!type.empty() && type != "imatrix") {
    Fail(0, "general.type", "the file is no importance matrix", "imatrix", Printable(type),
         "give --imatrix a file that llama-imatrix made");
  }
  std::map<std::string, std::pair<const StoredArray*, const StoredArray*>> pairs;
  for (const StoredArray& array : header.arrays) {
    if (const auto summed = Before(array.name, kSums)) {
      pairs[*summed].first = &array;
    } else if (const auto counted = Before(array.name, kCounts)) {
      pairs[*counted].second = &array;
    }
  }
  if (pairs.empty()) {
    Fail(0, "", "the file has no importance weights", "tensors called NAME.in_sum2 and NAME.counts",
         "", "give --imatrix a file that llama-imatrix made");
  }
  for (const char* key : {kDatasets, kChunks, kChunkSize}) {
    if (header.keys.Find(key) == nullptr) {
      Fail(0, key, "the key is missing");
    }
  }
  for (const auto& [tensor, arrays] : pairs) {
    AddGgufEntry(tensor, arrays.first, arrays.second);
  }
  if (const std::vector<std::string>* datasets = header.keys.Find(kDatasets)->AsStrings()) {
    matrix_.datasets_ = *datasets;
  }
  const std::optional<uint64_t> chunks = header.keys.Uint(kChunks);
  if (!chunks || *chunks > UINT32_MAX) {
    Fail(0, kChunks, "the count is invalid", "a number of 32 bits");
  }
  matrix_.chunks_ = static_cast<uint32_t>(*chunks);
}

void ImatrixReader::AddGgufEntry(const std::string& tensor, const StoredArray* sums,
                                 const StoredArray* counts) {
  if (sums == nullptr || counts == nullptr) {
    Fail((sums == nullptr ? counts : sums)->offset, tensor,
         Format("the entry has no {}", sums == nullptr ? kSums.substr(1) : kCounts.substr(1)));
  }
  for (const StoredArray* array : {sums, counts}) {
    if (array->dtype != DType::kF32) {
      Fail(array->offset, array->name, "the type is wrong", "F32",
           std::string(Info(array->dtype).name));
    }
  }
  const uint64_t values = sums->shape.elements();
  const uint64_t parts = counts->shape.elements();
  if (parts == 0 || values == 0 || values % parts != 0) {
    Fail(sums->offset, tensor, "sums and counts do not go together",
         "a whole number of sums for each count", Format("{} sums, {} counts", values, parts));
  }
  ImportanceEntry entry{.offset = sums->offset, .values = values, .counts = {}};
  entry.counts.resize(parts);
  file_.ReadAt(counts->offset, std::as_writable_bytes(std::span(entry.counts)));
  for (float& count : entry.counts) {
    count = std::round(count);  // as llama-quantize, which holds them as integers
  }
  Add(tensor, std::move(entry), counts->offset);
}

}  // namespace lbrx
