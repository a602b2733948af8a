#include "model/gguf/gguf_config.h"

#include "core/base/error.h"
#include "core/base/format.h"
#include "model/gguf/family.h"

namespace lbrx {
namespace {

std::string_view MemberOf(const KeyRow& row, const Architecture& architecture) {
  return row.size != nullptr ? architecture.keys.*row.size : row.member;
}

void WriteRow(const KeyRow& row, const Architecture& architecture, KeyWriter& writer) {
  if (row.rule != nullptr) {
    row.rule->write(writer);
    return;
  }
  const std::string_view member = MemberOf(row, architecture);
  const Json* value = writer.config().Find(member);
  if (value == nullptr || value->is_null()) {
    if (row.required) {
      FailMember(member, "is missing");
    }
    return;
  }
  switch (row.type) {
    case GgufType::kF32:
      writer.SetFloat(row.key, *writer.Real(member));
      break;
    case GgufType::kBool:
      writer.SetBool(row.key, value->AsBool());
      break;
    default:
      writer.SetUint(row.key, *writer.Count(member));
  }
}

// 1 and 1.0 are the same here.
bool Same(const Json& a, const Json& b) {
  return a.is_number() && b.is_number() ? a.AsDouble() == b.AsDouble() : a == b;
}

void TellWhatDiffers(KeyWriter& writer) {
  const Json fixed = ParseJson(writer.family().fixed, "fixed");
  for (const auto& [member, value] : fixed.AsObject()) {
    const Json* configured = writer.config().Find(member);
    if (configured != nullptr && !Same(*configured, value)) {
      writer.Notice(
          Format("config.json says {} = {}, for which GGUF has no key: llama.cpp computes "
                 "with {}",
                 member, WriteJson(*configured), WriteJson(value)));
    }
  }
}

}  // namespace

std::string_view GgufArchitecture(const Architecture& architecture) {
  const GgufFamily* family = FamilyOf(architecture);
  return family == nullptr ? std::string_view() : family->name;
}

void AddModelKeys(const Architecture& architecture, const Json& config, GgufKeys& keys,
                  std::vector<std::string>& notices) {
  const GgufFamily* family = FamilyOf(architecture);
  if (family == nullptr) {
    throw Error(ErrorCode::kUsage, Format("llama.cpp has no architecture for {}, so there is no "
                                          "GGUF of it",
                                          architecture.name));
  }
  keys.Set("general.architecture", GgufValue::String(std::string(family->name)));
  keys.Set("general.type", GgufValue::String("model"));
  KeyWriter writer(*family, architecture, config, keys, notices);
  for (const KeyRow& row : family->rows) {
    WriteRow(row, architecture, writer);
  }
  TellWhatDiffers(writer);
}

}  // namespace lbrx
