#include "stream/journal.h"

#include <array>
#include <bit>
#include <cstring>

#include "core/base/error.h"
#include "core/base/hash.h"

namespace lbrx {
namespace {

constexpr std::string_view kMagic = "LBRXJNL1";
constexpr uint64_t kHeaderLimit = uint64_t{64} << 20;
constexpr size_t kWords = 9;
constexpr size_t kRecordBytes = kWords * 8;

// As stored: band, hash, zeroed, measured, count, three doubles, checksum.
using Packed = std::array<uint64_t, kWords>;

uint64_t Checksum(std::string_view bytes) {
  return Hash64(std::as_bytes(std::span(bytes.data(), bytes.size())));
}

uint64_t Checksum(const Packed& packed) {
  return Hash64(std::as_bytes(std::span(packed.data(), kWords - 1)));
}

Packed Pack(const JournalRecord& record) {
  const ErrorSums& errors = record.errors;
  Packed packed = {record.band,
                   record.hash,
                   record.zeroed,
                   record.measured ? 1U : 0U,
                   errors.count,
                   std::bit_cast<uint64_t>(errors.squared_error),
                   std::bit_cast<uint64_t>(errors.squared_value),
                   std::bit_cast<uint64_t>(errors.max_error),
                   0};
  packed[kWords - 1] = Checksum(packed);
  return packed;
}

std::optional<JournalRecord> Unpack(std::string_view bytes) {
  Packed packed;
  std::memcpy(packed.data(), bytes.data(), kRecordBytes);
  if (packed[kWords - 1] != Checksum(packed)) {
    return std::nullopt;
  }
  return JournalRecord{.band = packed[0],
                       .hash = packed[1],
                       .zeroed = packed[2],
                       .measured = packed[3] != 0,
                       .errors = {.count = packed[4],
                                  .squared_error = std::bit_cast<double>(packed[5]),
                                  .squared_value = std::bit_cast<double>(packed[6]),
                                  .max_error = std::bit_cast<double>(packed[7])}};
}

template <typename T>
T Load(std::string_view bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

template <typename T>
void Store(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

}  // namespace

std::optional<Journal::Content> Journal::Parse(std::string_view bytes) {
  constexpr size_t kLengthAt = 8;
  constexpr size_t kHeaderAt = kLengthAt + 4;
  if (bytes.size() < kHeaderAt || bytes.substr(0, kMagic.size()) != kMagic) {
    return std::nullopt;
  }
  const uint64_t length = Load<uint32_t>(bytes, kLengthAt);
  if (length > kHeaderLimit || bytes.size() - kHeaderAt < length + 8 ||
      Load<uint64_t>(bytes, kHeaderAt + length) != Checksum(bytes.substr(0, kHeaderAt + length))) {
    return std::nullopt;
  }
  Content content;
  try {
    content.header = ParseJson(bytes.substr(kHeaderAt, length), "journal");
  } catch (const Error&) {
    return std::nullopt;
  }
  size_t at = kHeaderAt + length + 8;
  for (; bytes.size() - at >= kRecordBytes; at += kRecordBytes) {
    const std::optional<JournalRecord> record = Unpack(bytes.substr(at, kRecordBytes));
    if (!record) {
      break;
    }
    content.records.push_back(*record);
  }
  content.valid_bytes = at;
  return content;
}

std::optional<Journal::Content> Journal::Read(const std::string& path) {
  if (!PathExists(path)) {
    return std::nullopt;
  }
  return Parse(ReadWholeFile(path, uint64_t{4} << 30));
}

std::unique_ptr<Journal> Journal::Create(const std::string& path, const Json& header) {
  const std::string text = WriteJson(header);
  std::string bytes(kMagic);
  Store(bytes, static_cast<uint32_t>(text.size()));
  bytes += text;
  Store(bytes, Checksum(bytes));
  auto file = File::OpenWrite(path);
  file->Truncate(0);
  file->WriteAt(0, bytes);
  return std::unique_ptr<Journal>(new Journal(std::move(file), bytes.size()));
}

std::unique_ptr<Journal> Journal::Continue(const std::string& path, const Content& content) {
  auto file = File::OpenWrite(path);
  file->Truncate(content.valid_bytes);
  return std::unique_ptr<Journal>(new Journal(std::move(file), content.valid_bytes));
}

void Journal::Append(const JournalRecord& record) {
  const Packed packed = Pack(record);
  const std::lock_guard lock(mutex_);
  file_->WriteAt(end_, std::as_bytes(std::span(packed)));
  end_ += kRecordBytes;
}

}  // namespace lbrx
