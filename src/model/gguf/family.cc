#include "model/gguf/family.h"

#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/base/format.h"
#include "core/base/plain_text.h"
#include "model/config.h"

namespace lbrx {
namespace {

[[noreturn]] void FailKey(std::string key, std::string what, std::string expected,
                          std::string found) {
  ErrorDetail detail;
  detail.object = std::move(key);
  detail.what = std::move(what);
  detail.expected = std::move(expected);
  detail.found = std::move(found);
  throw Error(ErrorCode::kInvalid, std::move(detail));
}

Json WithDefaults(const GgufFamily& family, const Architecture& architecture, const Json& config) {
  Json full = config;
  const Json defaults = ParseJson(family.defaults, "defaults");
  for (const auto& [member, value] : defaults.AsObject()) {
    if (full.Find(member) == nullptr) {
      full.Set(member, value);
    }
  }
  const ConfigKeys& names = architecture.keys;
  const Json* groups = full.Find(names.key_value_heads);
  const Json* heads = full.Find(names.heads);
  if ((groups == nullptr || groups->is_null()) && heads != nullptr) {
    full.Set(names.key_value_heads, Json(*heads));
  }
  return full;
}

std::string TypeOf(const GgufValue& value) {
  return value.is_array() ? Format("a list of {}", GgufTypeName(value.type()))
                          : std::string(GgufTypeName(value.type()));
}

std::string Join(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) {
    text += text.empty() ? part : ", " + part;
  }
  return text;
}

}  // namespace

double ShortestDecimal(float value) {
  return ParseDouble(Format("{}", value).c_str(), nullptr);
}

void FailMember(std::string_view member, std::string what, std::string expected,
                std::string found) {
  FailKey(Format("config.json, key {}", member), std::move(what), std::move(expected),
          std::move(found));
}

KeyWriter::KeyWriter(const GgufFamily& family, const Architecture& architecture, const Json& config,
                     GgufKeys& keys, std::vector<std::string>& notices)
    : family_(family),
      architecture_(architecture),
      config_(WithDefaults(family, architecture, config)),
      keys_(keys),
      notices_(notices) {}

uint64_t KeyWriter::Size(std::string_view ConfigKeys::*size) const {
  const std::string_view member = architecture_.keys.*size;
  const auto value = Count(member);
  if (!value) {
    FailMember(member, "is missing");
  }
  return *value;
}

std::optional<uint64_t> KeyWriter::Count(std::string_view member) const {
  return ConfigUint(config_, member);
}

std::optional<double> KeyWriter::Real(std::string_view member) const {
  const Json* value = config_.Find(member);
  if (value == nullptr || value->is_null()) {
    return std::nullopt;
  }
  if (!value->is_number()) {
    FailMember(member, "is no number");
  }
  return value->AsDouble();
}

bool KeyWriter::Has(std::string_view key) const {
  return keys_.Find(Format("{}.{}", family_.name, key)) != nullptr;
}

void KeyWriter::Set(std::string_view key, GgufValue value) {
  keys_.Set(Format("{}.{}", family_.name, key), std::move(value));
}

void KeyWriter::SetUint(std::string_view key, uint64_t value) {
  if (value > std::numeric_limits<uint32_t>::max()) {
    FailKey(Format("key {}.{}", family_.name, key), "does not fit", "32 bits", Format("{}", value));
  }
  Set(key, GgufValue::U32(static_cast<uint32_t>(value)));
}

void KeyWriter::SetFloat(std::string_view key, double value) {
  Set(key, GgufValue::F32(static_cast<float>(value)));
}

void KeyWriter::SetBool(std::string_view key, bool value) {
  Set(key, GgufValue::Bool(value));
}

KeyReader::KeyReader(const GgufFamily& family, const Architecture& architecture,
                     const GgufKeys& keys, const GgufTensorFacts& facts,
                     std::vector<std::string>& notices)
    : family_(family),
      architecture_(architecture),
      keys_(keys),
      facts_(facts),
      config_(Json::MakeObject()),
      notices_(notices) {}

std::string KeyReader::Name(std::string_view key) const {
  return Format("{}.{}", family_.name, key);
}

void KeyReader::Fail(std::string_view key, std::string what, std::string expected,
                     std::string found) const {
  FailKey("key " + Name(key), std::move(what), std::move(expected), std::move(found));
}

const GgufValue* KeyReader::Find(std::string_view key) const {
  return keys_.Find(*asked_.insert(Name(key)).first);
}

void KeyReader::Assume(std::string_view member, Json value) {
  if (!value.is_array() || value.AsArray().empty()) {
    assumed_.push_back(Format("{} = {}", member, WriteJson(value)));
  }
  Set(member, std::move(value));
}

void KeyReader::Finish() {
  if (!assumed_.empty()) {
    Notice(Format("GGUF has no keys for these, so config.json has what is usual for {}: {}",
                  architecture_.name, Join(assumed_)));
  }
  std::vector<std::string> left;
  for (const auto& [key, value] : keys_.entries()) {
    if (key.starts_with(Name("")) && !asked_.contains(key)) {
      left.push_back(key);
    }
  }
  if (!left.empty()) {
    Notice(Format("config.json of {} has no place for these keys, which are left out: {}",
                  architecture_.name, Join(left)));
  }
}

std::optional<uint64_t> KeyReader::Uint(std::string_view key) const {
  const GgufValue* value = Find(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (const auto single = value->AsUint()) {
    return single;
  }
  const auto list = value->AsInts();
  if (!list || list->empty() || list->front() < 0) {
    Fail(key, "has the wrong type", "an unsigned integer", TypeOf(*value));
  }
  for (const int64_t element : *list) {
    if (element != list->front()) {
      Fail(key, Format("differs from layer to layer, which {} cannot", architecture_.name));
    }
  }
  return static_cast<uint64_t>(list->front());
}

std::optional<double> KeyReader::Float(std::string_view key) const {
  const GgufValue* value = Find(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  const auto number = value->AsNumber();
  if (!number || !std::isfinite(*number)) {
    Fail(key, number ? "is not finite" : "has the wrong type", "a number", TypeOf(*value));
  }
  return value->type() == GgufType::kF32 ? ShortestDecimal(static_cast<float>(*number)) : *number;
}

std::optional<bool> KeyReader::Bool(std::string_view key) const {
  const GgufValue* value = Find(key);
  if (value == nullptr) {
    return std::nullopt;
  }
  if (const auto flag = value->AsBool()) {
    return flag;
  }
  Fail(key, "has the wrong type", "bool", TypeOf(*value));
}

bool KeyReader::Has(std::string_view key) const {
  return keys_.Find(Name(key)) != nullptr;
}

uint64_t KeyReader::NeedUint(std::string_view key) const {
  const auto value = Uint(key);
  if (!value) {
    Fail(key, "is missing");
  }
  return *value;
}

double KeyReader::NeedFloat(std::string_view key) const {
  const auto value = Float(key);
  if (!value) {
    Fail(key, "is missing");
  }
  return *value;
}

void KeyReader::SetSize(std::string_view ConfigKeys::*size, uint64_t value) {
  Set(architecture_.keys.*size, value);
}

uint64_t KeyReader::Size(std::string_view ConfigKeys::*size) const {
  return config_.Find(architecture_.keys.*size)->AsUint64();
}

}  // namespace lbrx
