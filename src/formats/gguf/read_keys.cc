#include "formats/gguf/read_keys.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "core/base/format.h"
#include "formats/gguf/gguf.h"

namespace lbrx {
namespace {

constexpr uint32_t kSmallestAlignment = 8;
constexpr uint32_t kLargestAlignment = uint32_t{1} << 20;
constexpr uint32_t kUsualAlignment = uint32_t{1} << 16;

// The least that a key takes in a file: length, a letter, type, value.
constexpr uint64_t kSmallestKey = 8 + 1 + 4 + 1;

bool IsPrintableAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

class KeyReader {
 public:
  KeyReader(GgufInput& input, ProblemSink& problems) : input_(input), problems_(problems) {}

  void Read() {
    const uint64_t at = input_.offset();
    key_ = "key";
    std::string key = input_.Text(kGgufLongestKey, key_);
    if (key.empty()) {
      input_.Fail("key", at, "a key without a name");
    }
    if (key.find('\0') != std::string::npos) {
      input_.Fail(key, at, "a key with a NUL in its name");
    }
    key_ = key;
    if (!IsPrintableAscii(key)) {
      problems_.Warn(input_.Detail(key, at, "the key is not printable ASCII"));
    }
    input_.Charge(sizeof(GgufKeys::Entry) + key.size(), key);
    offsets_.push_back(at);
    const uint64_t value_at = input_.offset();
    GgufValue value = ReadValue();
    if (key == kGgufAlignmentKey) {
      CheckAlignment(value, value_at);
    }
    keys_.Append(std::move(key), std::move(value));
  }

  GgufKeys Finish() {
    RefuseDuplicates();
    return std::move(keys_);
  }

 private:
  GgufType ReadType() {
    const uint64_t at = input_.offset();
    const auto number = input_.Number<uint32_t>(key_);
    const auto type = static_cast<GgufType>(number);
    if (GgufTypeName(type).empty()) {
      input_.Fail(key_, at, "an unknown type of value", "0 to 12", std::to_string(number));
    }
    return type;
  }

  GgufValue ReadValue() {
    const GgufType type = ReadType();
    if (type == GgufType::kArray) {
      return ReadArray();
    }
    if (type == GgufType::kString) {
      std::string text = input_.Text(kGgufLongestString, key_);
      input_.Charge(text.size(), key_);
      return GgufValue::String(std::move(text));
    }
    return ReadNumbers(type, false, 1);
  }

  GgufValue ReadArray() {
    const uint64_t at = input_.offset();
    const GgufType type = ReadType();
    if (type == GgufType::kArray) {
      input_.Fail(key_, at, "an array of arrays, which no program writes or reads",
                  "an array of numbers, booleans or strings", "an array of arrays");
    }
    const uint64_t count_at = input_.offset();
    const auto count = input_.Number<uint64_t>(key_);
    const uint64_t element =
        type == GgufType::kString ? sizeof(uint64_t) : GgufTypeBytes(type);  // in the file at least
    const uint64_t most = std::min(input_.remaining() / element, kGgufLongestArray);
    if (count > most) {
      input_.Fail(key_, count_at, "the array is longer than the file or the limit",
                  Format("at most {} elements", most), std::to_string(count));
    }
    return type == GgufType::kString ? ReadStrings(count) : ReadNumbers(type, true, count);
  }

  GgufValue ReadStrings(uint64_t count) {
    // One that is short lies within the string itself.
    input_.Charge(count * sizeof(std::string), key_);
    std::vector<std::string> texts;
    texts.reserve(count);
    for (uint64_t i = 0; i < count; ++i) {
      std::string text = input_.Text(kGgufLongestString, key_);
      input_.Charge(text.size() < sizeof(std::string) / 2 ? 0 : text.size(), key_);
      texts.push_back(std::move(text));
    }
    return GgufValue::Strings(std::move(texts));
  }

  GgufValue ReadNumbers(GgufType type, bool is_array, uint64_t count) {
    const uint64_t at = input_.offset();
    input_.Charge(count * GgufTypeBytes(type), key_);
    std::vector<std::byte> bytes(count * GgufTypeBytes(type));
    input_.Read(bytes, key_);
    if (type == GgufType::kBool) {
      const auto odd = std::find_if(bytes.begin(), bytes.end(),
                                    [](std::byte byte) { return byte > std::byte{1}; });
      if (odd != bytes.end()) {
        problems_.Warn(input_.Detail(key_, at + static_cast<uint64_t>(odd - bytes.begin()),
                                     "a boolean that is neither 0 nor 1; taken as true", "0 or 1",
                                     std::to_string(static_cast<int>(*odd))));
      }
    }
    return GgufValue::FromBytes(type, is_array, std::move(bytes));
  }

  void CheckAlignment(const GgufValue& value, uint64_t at) {
    std::optional<ErrorDetail> wrong = CheckGgufAlignment(value);
    if (wrong) {
      const ErrorDetail place = input_.Detail(key_, at, {});
      wrong->file = place.file;
      wrong->offset = place.offset;
      problems_.Fail(std::move(*wrong));
    } else if (*value.AsUint() > kUsualAlignment) {
      problems_.Warn(input_.Detail(key_, at, "an unusually large alignment",
                                   Format("at most {}", kUsualAlignment),
                                   std::to_string(*value.AsUint())));
    }
  }

  void RefuseDuplicates() const {
    const std::vector<GgufKeys::Entry>& entries = keys_.entries();
    std::vector<uint32_t> order(entries.size());
    for (uint32_t i = 0; i < order.size(); ++i) {
      order[i] = i;
    }
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
      const int names = entries[a].first.compare(entries[b].first);
      return names != 0 ? names < 0 : a < b;
    });
    for (size_t i = 1; i < order.size(); ++i) {
      if (entries[order[i - 1]].first == entries[order[i]].first) {
        input_.Fail(entries[order[i]].first, offsets_[order[i]],
                    Format("duplicate key, the first is at byte {}", offsets_[order[i - 1]]),
                    "every key once");
      }
    }
  }

  GgufInput& input_;
  ProblemSink& problems_;
  std::string key_;  // the one that is being read
  GgufKeys keys_;
  std::vector<uint64_t> offsets_;
};

}  // namespace

GgufKeys ReadGgufKeys(GgufInput& input, uint64_t count, ProblemSink& problems) {
  const uint64_t most = std::min(kGgufMostKeys, input.remaining() / kSmallestKey);
  if (count > most) {
    input.Fail("number of keys", input.offset() - sizeof(uint64_t),
               "more keys than the file can hold, or than are read", Format("at most {}", most),
               std::to_string(count));
  }
  KeyReader reader(input, problems);
  for (uint64_t i = 0; i < count; ++i) {
    reader.Read();
  }
  return reader.Finish();
}

std::optional<ErrorDetail> CheckGgufAlignment(const GgufValue& value) {
  ErrorDetail detail;
  detail.object = kGgufAlignmentKey;
  if (value.type() != GgufType::kU32 || value.is_array()) {
    detail.what = "is not of the type that it must have";
    detail.expected = "u32";
    detail.found = GgufTypeName(value.type());
    detail.found += value.is_array() ? "[]" : "";
    return detail;
  }
  const uint64_t alignment = *value.AsUint();
  if (!std::has_single_bit(alignment) || alignment < kSmallestAlignment ||
      alignment > kLargestAlignment) {
    detail.what = "cannot be an alignment";
    detail.expected = Format("a power of two from {} to {}", kSmallestAlignment, kLargestAlignment);
    detail.found = std::to_string(alignment);
    return detail;
  }
  return std::nullopt;
}

uint32_t GgufAlignment(const GgufKeys& keys) {
  const GgufValue* value = keys.Find(kGgufAlignmentKey);
  return value == nullptr || CheckGgufAlignment(*value) ? kGgufDefaultAlignment
                                                        : static_cast<uint32_t>(*value->AsUint());
}

}  // namespace lbrx
