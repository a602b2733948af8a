// What a pickle builds, as data: nothing is called or imported to make it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/torch/pickle_globals.h"

namespace lbrx {

enum class PickleKind : uint8_t {
  kNone,
  kBool,     // payload 0 or 1
  kInt,      // payload: an int64_t
  kOpaque,   // something that no tensor is made of: floats, bytes, large integers, sets...
  kText,     // payload: start in PickleHeap::text, count: bytes
  kTuple,    // payload: start in PickleHeap::items, count: values
  kList,     // payload: index of PickleHeap::lists
  kDict,     // payload: index of PickleHeap::dicts
  kGlobal,   // payload: row of PickleGlobals()
  kStorage,  // payload: index of PickleHeap::storages
  kTensor,   // payload: index of PickleHeap::tensors
};

struct PickleValue {
  PickleKind kind = PickleKind::kNone;
  uint32_t count = 0;
  uint64_t payload = 0;
};

// A persistent id: ("storage", class, key, location, numel[, view]).
struct PickleStorage {
  const PickleGlobal* type = nullptr;  // a storage class
  std::string key;
  uint64_t elements = 0;     // of the whole storage
  uint64_t view_offset = 0;  // in elements, of a legacy view
};

// What torch's _rebuild_tensor functions were given; not yet checked against the storage.
struct PickleTensor {
  uint32_t storage = 0;
  const PickleGlobal* dtype = nullptr;  // a dtype; null: that of the storage's class
  PickleValue offset = {};              // in elements
  PickleValue shape = {};               // a tuple
  PickleValue strides = {};             // a tuple, in elements
  std::string_view flaw = {};           // why its values are not those stored; empty: they are
  uint64_t position = 0;                // of the call in the file
};

struct PickleHeap {
  std::string text;
  std::vector<PickleValue> items;
  std::vector<std::vector<PickleValue>> lists;
  std::vector<std::vector<PickleValue>> dicts;  // key, value, key, value...
  std::vector<PickleStorage> storages;
  std::vector<PickleTensor> tensors;

  std::string_view Text(const PickleValue& value) const {
    return std::string_view(text).substr(value.payload, value.count);
  }

  std::span<const PickleValue> Tuple(const PickleValue& value) const {
    return std::span(items).subspan(value.payload, value.count);
  }

  bool IsText(const PickleValue& value, std::string_view expected) const {
    return value.kind == PickleKind::kText && Text(value) == expected;
  }
};

}  // namespace lbrx
