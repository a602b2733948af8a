// The JSON header of a safetensors file, event by event, without a tree in between.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "formats/checkpoint.h"
#include "formats/problems.h"

namespace lbrx {

// The entries in header order, each checked by itself, not yet against the others.
struct ParsedHeader {
  std::map<std::string, std::string> metadata;
  std::vector<StoredArray> arrays;    // offset relative to the data part
  std::vector<uint32_t> entry_bytes;  // of each array: where its name ends in the file
};

struct HeaderContext {
  std::string file;
  uint32_t file_index = 0;
  uint64_t data_bytes = 0;  // of the part behind the header
  ProblemSink* problems;    // where it collects, the entries that are wrong are left out
};

// `text` is the JSON without the length field; it stands at byte 8 of the file.
ParsedHeader ParseSafetensorsHeader(std::string_view text, const HeaderContext& context);

}  // namespace lbrx
