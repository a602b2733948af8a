// Pickles and torch files byte by byte, right or wrong, for tests.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hostile/raw_zip.h"

namespace lbrx {

inline std::string PickleGlobalOp(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}

inline std::string PickleText(const std::string& text) {
  return "X" + LittleEndian(text.size(), 4) + text;
}

inline std::string PickleInt(int64_t value) {
  return "\x8A\x08" + LittleEndian(static_cast<uint64_t>(value), 8);
}

inline std::string PickleTuple(const std::vector<int64_t>& values) {
  std::string out = "(";
  for (const int64_t value : values) {
    out += PickleInt(value);
  }
  return out + "t";
}

// What a row of a test may change.
struct RawTensor {
  std::string storage_class = "FloatStorage";
  std::string key = "0";
  int64_t elements = 0;  // of the storage
  int64_t offset = 0;
  std::vector<int64_t> shape = {};
  std::vector<int64_t> strides = {};
};

inline std::string PickleStorageOp(const RawTensor& tensor) {
  return "(" + PickleText("storage") + PickleGlobalOp("torch", tensor.storage_class) +
         PickleText(tensor.key) + PickleText("cpu") + PickleInt(tensor.elements) + "tQ";
}

inline std::string PickleTensorOp(const RawTensor& tensor) {
  return PickleGlobalOp("torch._utils", "_rebuild_tensor_v2") + "(" + PickleStorageOp(tensor) +
         PickleInt(tensor.offset) + PickleTuple(tensor.shape) + PickleTuple(tensor.strides) +
         "\x89" + PickleGlobalOp("collections", "OrderedDict") + ")RtR";
}

// A pickle of {name: value, ...}, the values as opcodes.
struct PickleItem {
  std::string name;
  std::string value;
};

inline std::string PickleDict(const std::vector<PickleItem>& items) {
  std::string out = "}(";
  for (const PickleItem& item : items) {
    out += PickleText(item.name) + item.value;
  }
  return out + "u";
}

inline std::string RawPickle(const std::string& opcodes) {
  return "\x80\x02" + opcodes + ".";
}

// A ZIP archive as torch.save writes it, with that pickle and storages "0", "1"...
inline std::vector<RawZipMember> RawTorchMembers(const std::string& pickle,
                                                 const std::vector<std::string>& storages) {
  std::vector<RawZipMember> members = {{"m/data.pkl", pickle}, {"m/byteorder", "little"}};
  for (size_t i = 0; i < storages.size(); ++i) {
    members.push_back({"m/data/" + std::to_string(i), storages[i]});
  }
  members.push_back({"m/version", "3\n"});
  return members;
}

inline std::string RawTorchZip(const std::string& pickle,
                               const std::vector<std::string>& storages) {
  return RawZip(RawTorchMembers(pickle, storages));
}

// The same in the legacy layout; `storages` with the number of their elements before them.
inline std::string RawTorchLegacy(const std::string& pickle, const std::string& storages,
                                  const std::vector<std::string>& keys = {"0"}) {
  std::string out = "\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19.";
  out += RawPickle("M" + LittleEndian(1001, 2));
  out += RawPickle(PickleDict({{"little_endian", "\x88"}}));
  out += pickle;
  std::string list = "](";
  for (const std::string& key : keys) {
    list += PickleText(key);
  }
  return out + RawPickle(list + "e") + storages;
}

}  // namespace lbrx
