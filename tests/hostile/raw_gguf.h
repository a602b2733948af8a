// GGUF files byte by byte, right or wrong, for tests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hostile/raw_zip.h"

namespace lbrx {

inline std::string GgufText(const std::string& text) {
  return LittleEndian(text.size(), 8) + text;
}

// A key with its value as it stands in the file. Types by their number: 4 u32, 5 i32, 8 text.
inline std::string RawGgufKey(const std::string& name, uint32_t type, const std::string& value) {
  return GgufText(name) + LittleEndian(type, 4) + value;
}

inline std::string RawGgufU32(const std::string& name, uint32_t value) {
  return RawGgufKey(name, 4, LittleEndian(value, 4));
}

inline std::string RawGgufString(const std::string& name, const std::string& value) {
  return RawGgufKey(name, 8, GgufText(value));
}

inline std::string RawGgufArray(const std::string& name, uint32_t type, uint64_t count,
                                const std::string& elements) {
  return RawGgufKey(name, 9, LittleEndian(type, 4) + LittleEndian(count, 8) + elements);
}

inline std::string RawGgufStrings(const std::string& name, const std::vector<std::string>& texts) {
  std::string elements;
  for (const std::string& text : texts) {
    elements += GgufText(text);
  }
  return RawGgufArray(name, 8, texts.size(), elements);
}

// An entry of the directory. `ne` has the row's length first; type 0 is F32.
inline std::string RawGgufTensor(const std::string& name, const std::vector<uint64_t>& ne,
                                 uint32_t type, uint64_t offset) {
  std::string out = GgufText(name) + LittleEndian(ne.size(), 4);
  for (const uint64_t dim : ne) {
    out += LittleEndian(dim, 8);
  }
  return out + LittleEndian(type, 4) + LittleEndian(offset, 8);
}

struct RawGguf {
  std::vector<std::string> keys = {};
  std::vector<std::string> tensors = {};
  std::string data = {};
  size_t alignment = 32;
  std::string magic = "GGUF";
  uint32_t version = 3;
  std::optional<uint64_t> tensor_count = {};
  std::optional<uint64_t> key_count = {};

  std::string Header() const {
    std::string out = magic + LittleEndian(version, 4);
    out += LittleEndian(tensor_count.value_or(tensors.size()), 8);
    out += LittleEndian(key_count.value_or(keys.size()), 8);
    for (const std::string& key : keys) {
      out += key;
    }
    for (const std::string& tensor : tensors) {
      out += tensor;
    }
    return out;
  }

  std::string Bytes() const {
    std::string out = Header();
    if (!tensors.empty()) {
      out.resize((out.size() + alignment - 1) / alignment * alignment, '\0');
    }
    return out + data;
  }
};

}  // namespace lbrx
