// ZIP archives byte by byte, right or wrong, for tests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/io/zip.h"

namespace lbrx {

// `width` bytes, little-endian.
inline std::string LittleEndian(uint64_t value, size_t width) {
  std::string out;
  for (size_t i = 0; i < width; ++i) {
    out += static_cast<char>((value >> (8 * i)) & 0xFF);
  }
  return out;
}

struct RawZipMember {
  std::string name;
  std::string data;
  uint16_t flags = 0;
  uint16_t method = 0;
  std::optional<std::string> local_name = {};  // where it differs from the directory's
  std::optional<uint32_t> crc = {};
  std::optional<uint32_t> local_crc = {};
  std::optional<uint32_t> directory_bytes = {};
  std::optional<uint32_t> local_bytes = {};
  std::optional<uint32_t> offset = {};
  std::string directory_extra = {};
  std::string local_extra = {};
  std::string descriptor = {};  // behind the data

  uint32_t Crc() const { return crc ? *crc : Crc32(std::as_bytes(std::span(data))); }
};

struct RawZipEnd {
  std::optional<uint16_t> count = {};
  std::optional<uint32_t> bytes = {};
  std::optional<uint32_t> offset = {};
  std::string comment = {};
  bool zip64 = false;
  std::optional<uint64_t> count64 = {};
};

inline std::string RawZipLocal(const RawZipMember& member) {
  const std::string name = member.local_name.value_or(member.name);
  const uint32_t bytes = member.local_bytes.value_or(static_cast<uint32_t>(member.data.size()));
  return "PK\x03\x04" + LittleEndian(20, 2) + LittleEndian(member.flags, 2) +
         LittleEndian(member.method, 2) + std::string(4, '\0') +
         LittleEndian(member.local_crc.value_or(member.Crc()), 4) + LittleEndian(bytes, 4) +
         LittleEndian(bytes, 4) + LittleEndian(name.size(), 2) +
         LittleEndian(member.local_extra.size(), 2) + name + member.local_extra + member.data +
         member.descriptor;
}

inline std::string RawZipEntry(const RawZipMember& member, uint64_t offset) {
  const uint32_t bytes = member.directory_bytes.value_or(static_cast<uint32_t>(member.data.size()));
  return "PK\x01\x02" + LittleEndian(0, 4) + LittleEndian(member.flags, 2) +
         LittleEndian(member.method, 2) + std::string(4, '\0') + LittleEndian(member.Crc(), 4) +
         LittleEndian(bytes, 4) + LittleEndian(bytes, 4) + LittleEndian(member.name.size(), 2) +
         LittleEndian(member.directory_extra.size(), 2) + std::string(10, '\0') +
         LittleEndian(member.offset.value_or(static_cast<uint32_t>(offset)), 4) + member.name +
         member.directory_extra;
}

// What follows the members: their directory, which begins at `start`, and the end of the archive.
inline std::string RawZipTail(const std::string& directory, uint64_t members, uint64_t start,
                              const RawZipEnd& end = {}) {
  std::string out = directory;
  const uint64_t count = end.count.value_or(static_cast<uint16_t>(members));
  if (end.zip64) {
    const uint64_t at = start + out.size();
    const uint64_t real = end.count64.value_or(members);
    out += "PK\x06\x06" + LittleEndian(44, 8) + LittleEndian(45, 2) + LittleEndian(45, 2) +
           LittleEndian(0, 8) + LittleEndian(real, 8) + LittleEndian(real, 8) +
           LittleEndian(directory.size(), 8) + LittleEndian(start, 8);
    out += "PK\x06\x07" + LittleEndian(0, 4) + LittleEndian(at, 8) + LittleEndian(1, 4);
  }
  out += "PK\x05\x06" + LittleEndian(0, 4) + LittleEndian(count, 2) + LittleEndian(count, 2) +
         LittleEndian(end.bytes.value_or(static_cast<uint32_t>(directory.size())), 4) +
         LittleEndian(end.offset.value_or(static_cast<uint32_t>(start)), 4) +
         LittleEndian(end.comment.size(), 2) + end.comment;
  return out;
}

inline std::string RawZip(const std::vector<RawZipMember>& members, const RawZipEnd& end = {}) {
  std::string out;
  std::string directory;
  for (const RawZipMember& member : members) {
    directory += RawZipEntry(member, out.size());
    out += RawZipLocal(member);
  }
  return out + RawZipTail(directory, members.size(), out.size(), end);
}

}  // namespace lbrx
