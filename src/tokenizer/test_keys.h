// GGUF keys as the golden files of tests/data have them: [type, value], long arrays as their length
// and the hash of what Python's json.dumps makes of them.
#pragma once

#include <span>
#include <string>

#include "core/base/format.h"
#include "core/base/hash.h"
#include "core/text/json.h"
#include "formats/gguf/keys.h"

namespace lbrx {

inline std::string DumpedArray(const GgufValue& value) {
  std::string out = "[";
  const auto separate = [&] { out += out.size() > 1 ? ", " : ""; };
  if (const auto* strings = value.AsStrings()) {
    for (const std::string& text : *strings) {
      separate();
      AppendJsonString(text, true, out);
    }
  } else if (const auto ints = value.AsInts()) {
    for (const int64_t number : *ints) {
      separate();
      out += std::to_string(number);
    }
  }
  return out + "]";
}

inline Json DescribeKey(const GgufValue& value) {
  if (value.is_array()) {
    const std::string dumped = DumpedArray(value);
    Sha256 hash;
    hash.Update(std::as_bytes(std::span(dumped)));
    Json array = Json::MakeObject();
    array.Set("len", value.size());
    array.Set("sha256", hash.FinishHex().substr(0, 16));
    const char* type = value.type() == GgufType::kString ? "ARRAY/STRING" : "ARRAY/INT32";
    return Json::Array{type, array};
  }
  if (value.is_string()) {
    return Json::Array{"STRING", *value.AsString()};
  }
  if (value.type() == GgufType::kBool) {
    return Json::Array{"BOOL", *value.AsBool()};
  }
  return Json::Array{value.type() == GgufType::kU32 ? "UINT32" : "OTHER", *value.AsUint()};
}

}  // namespace lbrx
