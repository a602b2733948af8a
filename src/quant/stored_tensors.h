// For tests: the tensors of a small safetensors file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace lbrx {

struct Stored {
  std::vector<uint64_t> shape;
  std::vector<std::byte> bytes;  // BF16
};

// By name.
std::map<std::string, Stored> ReadSafetensors(const std::string& path);

}  // namespace lbrx
