#include <algorithm>
#include <numeric>

#include "core/base/format.h"
#include "formats/safetensors/safetensors.h"

namespace lbrx {

namespace {

constexpr uint64_t kLengthField = 8;

std::string LengthField(uint64_t length) {
  std::string out;
  for (int shift = 0; shift < 64; shift += 8) {
    out += static_cast<char>((length >> shift) & 0xFF);
  }
  return out;
}

uint64_t BytesOf(const SafetensorsEntry& entry) {
  const std::optional<uint64_t> elements = entry.shape.CheckedElements();
  const std::optional<uint64_t> bits =
      elements ? CheckedMul(*elements, Info(entry.dtype).bits) : std::nullopt;
  if (!bits || *bits % 8 != 0) {
    throw Error(ErrorCode::kInternal,
                Format("{}: {} {} has no size in whole bytes", Printable(entry.name),
                       Name(entry.dtype), entry.shape.ToString()));
  }
  return *bits / 8;
}

void AppendMetadata(const std::map<std::string, std::string>& metadata, std::string& json) {
  json += "\"__metadata__\":{";
  const char* separator = "";
  for (const auto& [key, value] : metadata) {
    json += separator;
    AppendJsonString(key, false, json);
    json += ':';
    AppendJsonString(value, false, json);
    separator = ",";
  }
  json += '}';
}

void AppendEntry(const SafetensorsEntry& entry, uint64_t begin, uint64_t end, std::string& json) {
  AppendJsonString(entry.name, false, json);
  json += ":{\"dtype\":\"";
  json += Name(entry.dtype);
  json += "\",\"shape\":[";
  for (size_t i = 0; i < entry.shape.rank(); ++i) {
    json += (i == 0 ? "" : ",") + std::to_string(entry.shape[i]);
  }
  json += "],\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(end) + "]}";
}

}  // namespace

SafetensorsLayout LayOutSafetensors(const std::vector<SafetensorsEntry>& entries,
                                    const std::map<std::string, std::string>& metadata) {
  std::vector<uint32_t> order(entries.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return entries[a].dtype != entries[b].dtype ? entries[a].dtype > entries[b].dtype
                                                : entries[a].name < entries[b].name;
  });

  SafetensorsLayout layout;
  layout.offsets.resize(entries.size());
  std::string json = "{";
  if (!metadata.empty()) {
    AppendMetadata(metadata, json);
  }
  uint64_t end = 0;
  for (uint32_t index : order) {
    const uint64_t begin = end;
    const std::optional<uint64_t> next = CheckedAdd(end, BytesOf(entries[index]));
    if (!next) {
      throw Error(ErrorCode::kInternal, "the size of a file overflows 64 bits");
    }
    end = *next;
    layout.offsets[index] = begin;
    json += json.size() > 1 ? "," : "";
    AppendEntry(entries[index], begin, end, json);
  }
  json += '}';
  json.resize(RoundUp(json.size(), kLengthField), ' ');
  if (json.size() > kSafetensorsHeaderLimit) {
    ErrorDetail detail;
    detail.what = "the header of a safetensors file would be too long";
    detail.expected = Format("at most {} bytes", kSafetensorsHeaderLimit);
    detail.found = std::to_string(json.size());
    detail.advice = "choose a smaller --shard-size";
    throw Error(ErrorCode::kLimit, std::move(detail));
  }
  for (uint64_t& offset : layout.offsets) {
    offset += kLengthField + json.size();
  }
  layout.file_size = kLengthField + json.size() + end;
  layout.header = LengthField(json.size()) + json;
  return layout;
}

}  // namespace lbrx
