// Settings and parameters out of a configuration file.
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "core/base/error.h"
#include "core/base/format.h"
#include "core/base/plain_text.h"
#include "core/text/yaml_scalar.h"
#include "merge/config_reader.h"

namespace lbrx {
namespace {

// Words that stand for a boolean where a text is found, in any case.
std::optional<bool> BooleanWord(std::string_view text) {
  const std::string lower = AsciiLower(text.substr(0, 6));
  constexpr std::array<std::string_view, 6> kTrue = {"true", "yes", "on", "1", "t", "y"};
  constexpr std::array<std::string_view, 6> kFalse = {"false", "no", "off", "0", "f", "n"};
  if (std::find(kTrue.begin(), kTrue.end(), lower) != kTrue.end()) {
    return true;
  }
  if (std::find(kFalse.begin(), kFalse.end(), lower) != kFalse.end()) {
    return false;
  }
  return std::nullopt;
}

// A scalar or a list of scalars.
std::vector<SettingValue> ReadValues(const ConfigNode& node) {
  std::vector<SettingValue> out;
  if (!node.node.is_sequence()) {
    out.push_back(ReadValue(node));
    return out;
  }
  for (size_t i = 0; i < node.node.size(); ++i) {
    out.push_back(ReadValue(node.Element(i)));
  }
  return out;
}

SettingRule ReadRule(const ConfigNode& node, ConfigWarnings& warnings) {
  ConfigMap map(node, warnings);
  SettingRule out;
  out.values = ReadValues(map.Need("value"));
  if (const std::optional<ConfigNode> filter = map.Find("filter")) {
    out.filter = ReadText(*filter);
  }
  map.Finish();
  return out;
}

}  // namespace

SettingValue ReadValue(const ConfigNode& node) {
  SettingValue out;
  out.position = node.node.position();
  const std::string_view text = node.node.text();
  switch (node.node.kind()) {
    case YamlKind::kBool:
      out.boolean = node.node.AsBool();
      out.number = *out.boolean ? 1.0 : 0.0;
      return out;
    case YamlKind::kInteger:
    case YamlKind::kFloat:
      out.number = node.node.AsDouble();
      break;
    case YamlKind::kString:
      out.number = ParseDecimal(text);
      out.boolean = BooleanWord(text);
      return out;
    default:
      FailAt(node, "not a number or boolean", "", DescribeValue(node.node));
  }
  if (*out.number == 0 || *out.number == 1) {
    out.boolean = *out.number == 1;
  }
  return out;
}

Setting ReadSetting(const ConfigNode& node, ConfigWarnings& warnings) {
  std::vector<SettingRule> rules;
  const YamlNode& value = node.node;
  if (value.is_mapping()) {
    rules.push_back(ReadRule(node, warnings));
  } else if (value.is_sequence() && value.size() > 0 && value[0].is_mapping()) {
    for (size_t i = 0; i < value.size(); ++i) {
      if (!value[i].is_mapping()) {
        FailAt(node.Element(i), "a list of {value, filter} has no other entries", "a mapping",
               DescribeValue(value[i]));
      }
      rules.push_back(ReadRule(node.Element(i), warnings));
    }
  } else {
    rules.push_back({std::nullopt, ReadValues(node)});
  }
  return {std::move(rules), value.position()};
}

Parameters ReadParameters(ConfigMap& owner, ConfigWarnings& warnings) {
  Parameters out;
  const std::optional<ConfigNode> found = owner.Find("parameters");
  if (!found) {
    return out;
  }
  const ConfigMap checked(*found, warnings);  // that it is a mapping; every key is a parameter
  for (size_t i = 0; i < found->node.size(); ++i) {
    const YamlNode key = found->node.key(i);
    const ConfigNode value = found->Member(key.text(), found->node.value(i));
    out.emplace(key.text(), Parameter{ReadSetting(value, warnings), key.position()});
  }
  return out;
}

}  // namespace lbrx
