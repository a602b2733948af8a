#include "model/gguf/gguf_config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "core/base/error.h"
#include "core/base/format.h"
#include "model/config.h"
#include "model/gguf/family.h"

namespace lbrx {
namespace {

// Cases of tests/data/make_gguf_keys.py: what llama.cpp's converter writes.
const Json& Cases() {
  static const Json kCases = [] {
    std::ifstream file(LBRX_TEST_DATA "/gguf_keys/expected.json");
    std::stringstream text;
    text << file.rdbuf();
    return ParseJson(text.str(), "expected.json");
  }();
  return kCases;
}

std::string NameOf(const Json& expected) {
  return expected.Find("name")->AsString() + " " + expected.Find("variant")->AsString();
}

Json ConfigOf(const Json& expected) {
  Json config = *expected.Find("config");
  CompleteConfig(config);
  return config;
}

// "llama.block_count UINT32 2", floats rounded to float.
std::string Row(const std::string& key, const std::string& type, double value) {
  return Format("{} {} {}", key, type, static_cast<float>(value));
}

std::vector<std::string> Expected(const Json& expected) {
  std::vector<std::string> rows;
  for (const Json& row : expected.Find("keys")->AsArray()) {
    const Json::Array& parts = row.AsArray();
    const std::string& type = parts[1].AsString();
    if (type == "STRING") {
      rows.push_back(parts[0].AsString() + " str " + parts[2].AsString());
    } else if (type == "BOOL") {
      rows.push_back(Row(parts[0].AsString(), "bool", parts[2].AsBool() ? 1 : 0));
    } else {
      rows.push_back(
          Row(parts[0].AsString(), type == "UINT32" ? "u32" : "f32", parts[2].AsDouble()));
    }
  }
  return rows;
}

std::vector<std::string> Written(const GgufKeys& keys) {
  std::vector<std::string> rows;
  for (const auto& [key, value] : keys.entries()) {
    if (key.starts_with("general.")) {
      continue;
    }
    if (const std::string* text = value.AsString()) {
      rows.push_back(key + " str " + *text);
    } else {
      const std::optional<bool> flag = value.AsBool();
      rows.push_back(Row(key, std::string(GgufTypeName(value.type())),
                         flag ? (*flag ? 1.0 : 0.0) : value.AsNumber().value_or(NAN)));
    }
  }
  return rows;
}

GgufKeys KeysOf(const Json& config, std::vector<std::string>* notices = nullptr) {
  GgufKeys keys;
  std::vector<std::string> heard;
  AddModelKeys(*FindArchitecture(config), config, keys, heard);
  if (notices != nullptr) {
    *notices = heard;
  }
  return keys;
}

TEST(AddModelKeys, WritesWhatTheConverterWrites) {
  for (const Json& expected : Cases().AsArray()) {
    SCOPED_TRACE(NameOf(expected));
    const GgufKeys keys = KeysOf(ConfigOf(expected));
    EXPECT_EQ(keys.String("general.architecture"), expected.Find("architecture")->AsString());
    const std::vector<std::string> written = Written(keys);
    std::vector<std::string> wanted = Expected(expected);
    // The converter writes Phi-3's factor of attention before all others.
    if (wanted.front().find("attn_factor") != std::string::npos) {
      std::rotate(wanted.begin(), wanted.begin() + 1, wanted.begin() + 3);
    }
    EXPECT_EQ(written, wanted);
  }
}

TEST(AddModelKeys, KnowsEveryArchitecture) {
  for (const Architecture* architecture : Architectures()) {
    EXPECT_NE(GgufArchitecture(*architecture), "") << architecture->name;
  }
}

TEST(RopeFrequencies, AreTheConverters) {
  uint64_t compared = 0;
  for (const Json& expected : Cases().AsArray()) {
    const Json* values = expected.Find("tensors")->Find("rope_freqs.weight");
    const std::vector<float> found = RopeFrequencies(ConfigOf(expected));
    SCOPED_TRACE(NameOf(expected));
    ASSERT_EQ(found.size(), values == nullptr ? 0 : values->AsArray().size());
    for (uint64_t i = 0; i < found.size(); ++i, ++compared) {
      EXPECT_EQ(found[i], static_cast<float>(values->AsArray()[i].AsDouble())) << i;
    }
  }
  EXPECT_EQ(compared, 8U + 64U);
}

}  // namespace
}  // namespace lbrx
