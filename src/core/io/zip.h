// ZIP archives, whose members are read in place: only those that are stored as they are. Nothing is
// ever extracted. Spec: APPNOTE.TXT 6.3.10 (ZIP64 included).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/io/file.h"

namespace lbrx {

struct ZipMember {
  std::string name;
  uint64_t offset = 0;  // of the data in the file
  uint64_t bytes = 0;   // of the data as it lies there
  uint32_t crc = 0;     // CRC-32 of the plain data; 0 where the writer left it out
  uint16_t method = 0;  // 0: stored as it is; else compressed, and cannot be read
};

// Reads the central directory and checks it against the file: no member encrypted, its local header
// and data descriptor agreeing with the directory, its data before the directory and apart from all
// other members', names different, relative and without ".."; nothing before the first member and
// nothing behind the end record. In order of offset. Errors (kInvalid) name the member and the
// byte. Memory and time are linear in the directory.
std::vector<ZipMember> ReadZipDirectory(const File& file);

// The data of a small member, its CRC checked. kInvalid: it is compressed, longer than
// `limit`, or damaged.
std::string ReadZipMember(const File& file, const ZipMember& member, uint64_t limit);

// Reads a member through and checks its CRC; kInvalid as above.
void VerifyZipMember(const File& file, const ZipMember& member);

// CRC-32 (of ZIP, gzip, PNG) of `data` behind what `crc` stands for.
uint32_t Crc32(std::span<const std::byte> data, uint32_t crc = 0);

}  // namespace lbrx
