// Safetensors files byte by byte, right or wrong, for tests.
#pragma once

#include <cstdint>
#include <string>

namespace lbrx {

// Eight bytes, little-endian.
inline std::string LengthField(uint64_t length) {
  std::string out;
  for (int shift = 0; shift < 64; shift += 8) {
    out += static_cast<char>((length >> shift) & 0xFF);
  }
  return out;
}

// A file with that header (not padded) and `data` behind it.
inline std::string RawSafetensors(const std::string& json, const std::string& data) {
  return LengthField(json.size()) + json + data;
}

inline std::string RawSafetensors(const std::string& json, size_t data_bytes) {
  return RawSafetensors(json, std::string(data_bytes, '\x01'));
}

// "name":{"dtype":...} as it stands in a header.
inline std::string RawEntry(const std::string& name, const std::string& dtype,
                            const std::string& shape, uint64_t begin, uint64_t end) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape +
         ",\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(end) + "]}";
}

}  // namespace lbrx
