#include "formats/mlx/quantization.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/format.h"

namespace lbrx {

namespace {

[[noreturn]] void ThrowParameter(const std::string& module, std::string what, std::string expected,
                                 std::string found) {
  ErrorDetail detail;
  detail.object = module.empty() ? "quantization" : "quantization." + module;
  detail.what = std::move(what);
  detail.expected = std::move(expected);
  detail.found = std::move(found);
  throw Error(ErrorCode::kInvalid, std::move(detail));
}

Scheme ModeOf(const std::string& module, const Json& entry) {
  const Json* mode = entry.Find("mode");
  if (mode == nullptr || mode->is_null()) {
    return Scheme::kAffine;
  }
  constexpr char kExpected[] = "affine, mxfp4, mxfp8 or nvfp4";
  if (!mode->is_string()) {
    ThrowParameter(module, "mode is no string", kExpected, WriteJson(*mode));
  }
  const std::optional<Scheme> scheme = SchemeByName(mode->AsString());
  if (!scheme || *scheme == Scheme::kPlain) {
    ThrowParameter(module, "unknown mode", kExpected, Printable(WriteJson(*mode), 60));
  }
  return *scheme;
}

// A small positive number, or `otherwise` where it is missing or null.
uint16_t NumberOf(const std::string& module, const Json& entry, const char* key,
                  uint16_t otherwise) {
  const Json* value = entry.Find(key);
  if (value == nullptr || value->is_null()) {
    return otherwise;
  }
  constexpr uint64_t kMost = 1024;
  if (!value->is_integer() || value->AsDouble() < 1 || value->AsDouble() > kMost) {
    ThrowParameter(module, Format("{} is no possible number", key), "a small positive number",
                   Printable(WriteJson(*value), 60));
  }
  return static_cast<uint16_t>(value->AsUint64());
}

Encoding ReadEntry(const std::string& module, const Json& entry) {
  Encoding encoding = DefaultMlxEncoding(ModeOf(module, entry));
  const uint16_t bits = NumberOf(module, entry, "bits", encoding.bits);
  encoding.bits = static_cast<uint8_t>(std::min<uint16_t>(bits, 255));
  encoding.group = NumberOf(module, entry, "group_size", encoding.group);
  // A row of one group, which is a multiple of 16 and 32, fits any scheme that exists.
  const Shape probe = {1, uint64_t{encoding.group} * 32};
  if (!CanEncode(encoding, probe)) {
    ThrowParameter(
        module, "no such quantization",
        encoding.scheme == Scheme::kAffine
            ? "bits 1 to 6 or 8, group_size 32, 64 or 128"
            : Format("bits {}, group_size {}", DefaultMlxEncoding(encoding.scheme).bits,
                     DefaultMlxEncoding(encoding.scheme).group),
        Format("{}: bits {}, group_size {}", SchemeName(encoding.scheme), bits, encoding.group));
  }
  return encoding;
}

const Json* FindBlock(const Json& config) {
  const Json* block = config.Find("quantization");
  if (block != nullptr && block->is_object()) {
    return block;
  }
  // mlx-lm writes the block twice; another tool's has a quant_method.
  block = config.Find("quantization_config");
  const bool mlx = block != nullptr && block->is_object() &&
                   block->Find("quant_method") == nullptr && block->Find("group_size") != nullptr &&
                   block->Find("bits") != nullptr;
  return mlx ? block : nullptr;
}

}  // namespace

Encoding DefaultMlxEncoding(Scheme scheme) {
  switch (scheme) {
    case Scheme::kMxfp4:
      return {scheme, 4, 32, DType::kBF16};
    case Scheme::kMxfp8:
      return {scheme, 8, 32, DType::kBF16};
    case Scheme::kNvfp4:
      return {scheme, 4, 16, DType::kBF16};
    default:
      return {Scheme::kAffine, 4, 64, DType::kBF16};
  }
}

MlxQuantization::MlxQuantization(const Json& config) : block_(FindBlock(config)) {
  if (block_ == nullptr) {
    return;
  }
  global_ = ReadEntry("", *block_);
  for (const Json::Member& member : block_->AsObject()) {
    if (member.second.is_object() || member.second.is_bool()) {
      entries_.push_back(&member);
    }
  }
  std::sort(entries_.begin(), entries_.end(),
            [](const auto* a, const auto* b) { return a->first < b->first; });
}

MlxModule MlxQuantization::Find(const std::string& module) const {
  const auto found =
      std::lower_bound(entries_.begin(), entries_.end(), module,
                       [](const auto* entry, const auto& name) { return entry->first < name; });
  if (found == entries_.end() || (*found)->first != module) {
    return {MlxModule::Kind::kUnlisted, global_};
  }
  const Json& entry = (*found)->second;
  if (entry.is_object()) {
    return {MlxModule::Kind::kQuantized, ReadEntry(module, entry)};
  }
  return {entry.AsBool() ? MlxModule::Kind::kQuantized : MlxModule::Kind::kFloat, global_};
}

std::vector<std::string_view> MlxQuantization::Listed() const {
  std::vector<std::string_view> out;
  for (const Json::Member* entry : entries_) {
    if (entry->second.is_object() || entry->second.AsBool()) {
      out.emplace_back(entry->first);
    }
  }
  return out;
}

}  // namespace lbrx
