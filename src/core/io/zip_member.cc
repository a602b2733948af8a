#include <algorithm>
#include <array>
#include <utility>

#include "core/base/error.h"
#include "core/base/format.h"
#include "core/io/zip.h"

namespace lbrx {

namespace {

constexpr std::array<uint32_t, 256> CrcTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < table.size(); ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value >> 1) ^ ((value & 1) != 0 ? 0xEDB88320U : 0U);
    }
    table[i] = value;
  }
  return table;
}

[[noreturn]] void Fail(const File& file, const ZipMember& member, std::string what,
                       std::string expected, std::string found) {
  throw Error(ErrorCode::kInvalid, {.file = file.path(),
                                    .object = member.name,
                                    .what = std::move(what),
                                    .expected = std::move(expected),
                                    .found = std::move(found),
                                    .offset = member.offset,
                                    .advice = "the file is damaged; download or save it again"});
}

void RequireStored(const File& file, const ZipMember& member) {
  if (member.method != 0) {
    Fail(file, member, "the member is compressed", "method 0, stored as it is",
         Format("method {}", member.method));
  }
}

void RequireCrc(const File& file, const ZipMember& member, uint32_t crc) {
  if (member.crc != 0 && crc != member.crc) {
    Fail(file, member, "the member's data does not fit its CRC", Format("{:08x}", member.crc),
         Format("{:08x}", crc));
  }
}

}  // namespace

uint32_t Crc32(std::span<const std::byte> data, uint32_t crc) {
  static constexpr std::array<uint32_t, 256> kTable = CrcTable();
  crc = ~crc;
  for (const std::byte byte : data) {
    crc = (crc >> 8) ^ kTable[(crc ^ std::to_integer<uint32_t>(byte)) & 0xFF];
  }
  return ~crc;
}

std::string ReadZipMember(const File& file, const ZipMember& member, uint64_t limit) {
  if (member.bytes > limit) {
    Fail(file, member, "the member is too long", Format("at most {} bytes", limit),
         std::to_string(member.bytes));
  }
  RequireStored(file, member);
  std::string data(member.bytes, '\0');
  file.ReadAt(member.offset, std::as_writable_bytes(std::span(data)));
  RequireCrc(file, member, Crc32(std::as_bytes(std::span(data))));
  return data;
}

void VerifyZipMember(const File& file, const ZipMember& member) {
  constexpr uint64_t kChunk = uint64_t{1} << 20;
  RequireStored(file, member);
  std::vector<std::byte> chunk(std::min(kChunk, member.bytes));
  uint32_t crc = 0;
  for (uint64_t at = 0; at < member.bytes; at += chunk.size()) {
    chunk.resize(std::min(kChunk, member.bytes - at));
    file.ReadAt(member.offset + at, chunk);
    crc = Crc32(chunk, crc);
  }
  RequireCrc(file, member, crc);
}

}  // namespace lbrx
