#include "formats/imatrix/imatrix.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/error.h"
#include "core/base/format.h"
#include "formats/gguf/change_keys.h"
#include "formats/gguf/gguf.h"
#include "formats/imatrix/reader.h"

namespace lbrx {
namespace {

// Values read at a time where all are looked at.
constexpr uint64_t kPiece = 16384;

bool Contains(std::string_view name, std::string_view part) {
  return name.find(part) != std::string_view::npos;
}

bool IsUsable(float value) {
  return std::isfinite(value) && value >= 0;
}

// llama-quantize keeps 127 bytes of a text; we cut no character in two.
std::string Shortened(const std::string& text) {
  constexpr size_t kMost = 127;
  if (text.size() <= kMost) {
    return text;
  }
  size_t size = kMost;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) {
    --size;
  }
  return text.substr(0, size);
}

}  // namespace

ImportanceMatrix ImportanceMatrix::Open(const std::string& path) {
  return ImatrixReader(File::OpenRead(path)).Read();
}

uint64_t ImportanceMatrix::neutral() const {
  uint64_t count = 0;
  for (const auto& [name, entry] : entries_) {
    count += static_cast<uint64_t>(std::count(entry.counts.begin(), entry.counts.end(), 0.0F));
  }
  return count;
}

const ImportanceEntry* ImportanceMatrix::Find(std::string_view tensor, const Shape& shape) const {
  const auto found = entries_.find(tensor);
  if (found == entries_.end()) {
    return nullptr;
  }
  const uint64_t matrices = shape.rank() >= 3 ? shape[shape.rank() - 3] : 1;
  const std::optional<uint64_t> wanted = CheckedMul(shape.back(), matrices);
  if (wanted == found->second.values) {
    return &found->second;
  }
  if (tensor == "token_embd.weight" || tensor == "per_layer_token_embd.weight") {
    return nullptr;
  }
  throw Error(ErrorCode::kInvalid,
              {.file = path(),
               .object = std::string(tensor),
               .what = "the importance matrix is of another model",
               .expected = Format("weights for {} columns x {}", shape.back(), matrices),
               .found = std::to_string(found->second.values),
               .offset = found->second.offset,
               .advice = "make one of this model with llama-imatrix"});
}

void ImportanceMatrix::Read(const ImportanceEntry& entry, uint64_t first,
                            std::span<float> out) const {
  file_->ReadAt(entry.offset + first * sizeof(float), std::as_writable_bytes(out));
  const uint64_t per_count = entry.PerCount();
  for (size_t i = 0; i < out.size(); ++i) {
    if (!IsUsable(out[i])) {
      throw Error(ErrorCode::kInvalid, {.file = path(),
                                        .object = "",
                                        .what = "a sum of squares is invalid",
                                        .expected = "a number not below 0",
                                        .found = Format("{}", out[i]),
                                        .offset = entry.offset + (first + i) * sizeof(float),
                                        .advice = "make the importance matrix again"});
    }
    const float count = entry.counts[(first + i) / per_count];
    out[i] = count > 0 ? out[i] / count : 1.0F;
  }
}

std::vector<std::string> ImportanceMatrix::Filter(const std::vector<std::string>& include,
                                                  const std::vector<std::string>& exclude) {
  std::vector<std::string> unused;
  for (const auto* parts : {&include, &exclude}) {
    std::copy_if(
        parts->begin(), parts->end(), std::back_inserter(unused), [this](const std::string& part) {
          return std::none_of(entries_.begin(), entries_.end(),
                              [&](const auto& entry) { return Contains(entry.first, part); });
        });
  }
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto named = [&](const std::string& part) { return Contains(entry->first, part); };
    const bool kept = (include.empty() || std::any_of(include.begin(), include.end(), named)) &&
                      std::none_of(exclude.begin(), exclude.end(), named);
    entry = kept ? std::next(entry) : entries_.erase(entry);
  }
  return unused;
}

void ImportanceMatrix::AddProvenance(GgufKeys& keys) const {
  SetLast(keys, "quantize.imatrix.file", GgufValue::String(Shortened(path())));
  if (!datasets_.empty()) {
    SetLast(keys, "quantize.imatrix.dataset", GgufValue::String(Shortened(datasets_.front())));
  }
  SetLast(keys, "quantize.imatrix.entries_count",
          GgufValue::U32(static_cast<uint32_t>(entries_.size())));
  if (chunks_ > 0) {
    SetLast(keys, "quantize.imatrix.chunks_count", GgufValue::U32(chunks_));
  }
}

ImatrixReader::ImatrixReader(std::shared_ptr<const File> file) : file_(*file), size_(file->Size()) {
  matrix_.file_ = std::move(file);
}

ImportanceMatrix ImatrixReader::Read() {
  std::array<char, 4> head{};
  const auto length = static_cast<size_t>(std::min<uint64_t>(size_, head.size()));
  file_.ReadAt(0, std::as_writable_bytes(std::span(head.data(), length)));
  if (IsGgufFile({head.data(), length})) {
    ReadGguf();
  } else {
    ReadDat();
  }
  for (const auto& [tensor, entry] : matrix_.entries_) {
    CheckSums(tensor, entry);
  }
  return std::move(matrix_);
}

void ImatrixReader::Add(const std::string& tensor, ImportanceEntry entry, uint64_t at) {
  if (tensor.empty() || tensor.find('\0') != std::string::npos) {
    Fail(at, "", "an entry has no name that a tensor can have", "", Printable(tensor));
  }
  for (const float count : entry.counts) {
    if (!IsUsable(count)) {
      Fail(at, tensor, "a count of rows is invalid", "a number not below 0", Format("{}", count));
    }
  }
  if (!matrix_.entries_.emplace(tensor, std::move(entry)).second) {
    Fail(at, tensor, "the tensor has two entries");
  }
}

void ImatrixReader::CheckSums(const std::string& tensor, const ImportanceEntry& entry) const {
  std::vector<float> piece;
  for (uint64_t first = 0; first < entry.values; first += kPiece) {
    piece.resize(std::min(kPiece, entry.values - first));
    try {
      matrix_.Read(entry, first, piece);
    } catch (Error& error) {
      error.InObject(tensor);
      throw;
    }
  }
}

void ImatrixReader::Fail(uint64_t offset, std::string object, std::string what,
                         std::string expected, std::string found, std::string advice) const {
  throw Error(ErrorCode::kInvalid, {.file = file_.path(),
                                    .object = std::move(object),
                                    .what = std::move(what),
                                    .expected = std::move(expected),
                                    .found = std::move(found),
                                    .offset = offset,
                                    .advice = std::move(advice)});
}

}  // namespace lbrx
