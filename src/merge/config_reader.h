// What every part of a merge configuration is read with: mappings that know which keys they have,
// scalars of the type expected, and errors that say where.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/yaml.h"
#include "merge/config.h"
#include "merge/model_ref.h"
#include "merge/settings.h"

namespace lbrx {

// A node and how messages call it: "models[0].parameters", empty for the whole file.
struct ConfigNode {
  YamlNode node;
  std::string path;

  ConfigNode Element(size_t index) const;
  ConfigNode Member(std::string_view key, const YamlNode& value) const;
};

// Throws kInvalid about `at`; the file is added by ParseMergeConfig.
[[noreturn]] void FailAt(const ConfigNode& at, std::string what, std::string expected = {},
                         std::string found = {}, std::string advice = {});

// What stands there, for `found`.
std::string DescribeValue(const YamlNode& node);

// Collects warnings; past the first hundred only their number.
class ConfigWarnings {
 public:
  void Add(YamlPosition at, const std::string& path, const std::string& text);
  // In the order of the file.
  std::vector<ConfigWarning> Take() &&;

 private:
  std::vector<ConfigWarning> warnings_;
  uint64_t more_ = 0;
};

// A mapping whose keys are asked for one by one; what nobody asked for is warned about.
class ConfigMap {
 public:
  // Throws where it is no mapping, or has a key that is not text.
  ConfigMap(ConfigNode node, ConfigWarnings& warnings);

  // None where the key is absent or null.
  std::optional<ConfigNode> Find(std::string_view key);
  // Throws where it is absent or null, with `advice`.
  ConfigNode Need(std::string_view key, std::string advice = {});
  // The list under a key; empty where it is absent, null or empty.
  std::vector<ConfigNode> List(std::string_view key);
  // Warns about the keys that were not asked for.
  void Finish();

  const ConfigNode& node() const { return node_; }

 private:
  ConfigNode node_;
  ConfigWarnings& warnings_;
  std::vector<std::string> known_;
};

// A scalar as the number and as the boolean that it can stand for; throws for anything but numbers,
// booleans and text.
SettingValue ReadValue(const ConfigNode& node);
std::string ReadText(const ConfigNode& node);
// The empty text and null count as none.
std::string ReadOptionalText(const std::optional<ConfigNode>& node);
bool ReadBool(const ConfigNode& node);
// A whole number from 0 to 2^32 - 1.
uint32_t ReadCount(const ConfigNode& node);
// The string form or the mapping {model, lora, override_architecture}.
ModelRef ReadModel(const ConfigNode& node, ConfigWarnings& warnings);
// `parameters` of a mapping; empty where there are none.
Parameters ReadParameters(ConfigMap& owner, ConfigWarnings& warnings);
// The value of one parameter: a scalar, a list of scalars, a list of {value, filter} or a bare
// {value, filter}. Text stays until it is evaluated, since a setting that no method reads is no
// fault. Linear in the size of the node.
Setting ReadSetting(const ConfigNode& node, ConfigWarnings& warnings);

}  // namespace lbrx
