#include "quant/stored_tensors.h"

#include <gtest/gtest.h>

#include <fstream>

#include "support/tiny_json.h"

namespace lbrx {

using testing::TinyJson;

std::map<std::string, Stored> ReadSafetensors(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  uint64_t length = 0;
  file.read(reinterpret_cast<char*>(&length), sizeof(length));
  std::string header(length, ' ');
  file.read(header.data(), static_cast<std::streamsize>(length));
  std::map<std::string, Stored> out;
  for (const auto& [name, entry] : TinyJson::Parse(header).members) {
    if (name == "__metadata__") {
      continue;
    }
    EXPECT_EQ(entry["dtype"].text, "BF16");
    Stored stored;
    for (const TinyJson& dim : entry["shape"].items) {
      stored.shape.push_back(std::stoull(dim.text));
    }
    const int64_t begin = std::stoll(entry["data_offsets"][0].text);
    stored.bytes.resize(std::stoull(entry["data_offsets"][1].text) - begin);
    file.seekg(static_cast<std::streamoff>(8 + length) + begin);
    file.read(reinterpret_cast<char*>(stored.bytes.data()),
              static_cast<std::streamsize>(stored.bytes.size()));
    out[name] = std::move(stored);
  }
  EXPECT_TRUE(file.good());
  return out;
}

}  // namespace lbrx
