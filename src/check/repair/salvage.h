// Saves what is whole in one damaged safetensors file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "check/repair/loose_header.h"
#include "check/repair/lore.h"
#include "formats/checkpoint.h"
#include "formats/detect.h"

namespace lbrx {

// Something that was wrong and could be put right.
struct Mended {
  std::string file;
  std::string object;  // tensor, key; may be empty
  std::string what;
};

// Something that could not be saved.
struct Lost {
  std::string tensor;  // or "config.json: key"; "?" where not even the name is known
  std::optional<uint64_t> bytes;
  std::string reason;
  std::optional<ArrayKind> kind = {};  // of the tensor, where it is known
  std::string filled = {};             // by what it was replaced: "zeros", "reference"
};

// A file as its bytes tell, before anything is concluded.
struct ScannedFile {
  std::string path;
  Fingerprint fingerprint;
  ForeignFile foreign;        // no safetensors file; nothing in it
  uint64_t length_field = 0;  // as stored; 0 where the file is too short for one
  LooseHeader header;
  bool length_fits = false;  // the text of the header fits the length field
  bool whole = false;        // nothing is wrong
};

// kIo where the file cannot be read.
ScannedFile ScanFile(const std::string& path);

// A run of data bytes that no array claims.
struct Hole {
  uint64_t begin = 0;  // in the file
  uint64_t end = 0;
};

struct SalvagedFile {
  DataFile file;
  std::map<std::string, std::string> metadata;
  std::vector<StoredArray> arrays;  // whole, by offset; StoredArray::file is left 0
  std::vector<Lost> lost;
  std::vector<Mended> mended;
  std::vector<Hole> holes;
  bool has_header = false;  // some of it could be read
};

// Every array lies in the file, has the size that its dtype and shape say, and no two share a byte
// (unless they are the same run).
SalvagedFile Salvage(const ScannedFile& scanned, const Lore& lore);

}  // namespace lbrx
