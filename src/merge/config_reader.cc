#include "merge/config_reader.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/base/error.h"
#include "core/base/format.h"
#include "core/text/suggest.h"

namespace lbrx {
namespace {

constexpr size_t kMostWarnings = 100;

// "line 3, column 5: models[0]", the object of errors and the beginning of warnings.
std::string Place(YamlPosition at, const std::string& path) {
  return path.empty() ? ToString(at) : Format("{}: {}", ToString(at), path);
}

ModelPath ReadModelPath(const ConfigNode& node, ConfigWarnings& warnings) {
  if (!node.node.is_mapping()) {
    const std::string text = ReadText(node);
    try {
      return ParseModelPath(text);
    } catch (Error& error) {
      error.InObject(Place(node.node.position(), node.path));
      throw;
    }
  }
  ConfigMap map(node, warnings);
  ModelPath out;
  out.path = ReadText(map.Need("path"));
  out.revision = ReadOptionalText(map.Find("revision"));
  map.Finish();
  if (out.path.empty()) {
    FailAt(node, "a model without a name");
  }
  return out;
}

}  // namespace

ConfigNode ConfigNode::Element(size_t index) const {
  return {node[index], Format("{}[{}]", path, index)};
}

ConfigNode ConfigNode::Member(std::string_view key, const YamlNode& value) const {
  const std::string name = Printable(key, 60);
  return {value, path.empty() ? name : path + "." + name};
}

void FailAt(const ConfigNode& at, std::string what, std::string expected, std::string found,
            std::string advice) {
  ErrorDetail detail;
  detail.object = Place(at.node.position(), at.path);
  detail.what = std::move(what);
  detail.expected = std::move(expected);
  detail.found = std::move(found);
  detail.advice = std::move(advice);
  throw Error(ErrorCode::kInvalid, std::move(detail));
}

std::string DescribeValue(const YamlNode& node) {
  std::string kind(Describe(node.kind()));
  if (!node.is_scalar() || node.is_null()) {
    return kind;
  }
  const std::string text = Printable(node.text(), 60);
  return node.is_string() ? Format("\"{}\"", text) : Format("{} ({})", kind, text);
}

void ConfigWarnings::Add(YamlPosition at, const std::string& path, const std::string& text) {
  if (warnings_.size() == kMostWarnings) {
    ++more_;
    return;
  }
  warnings_.push_back({at, Format("{}: {}", Place(at, path), text)});
}

std::vector<ConfigWarning> ConfigWarnings::Take() && {
  std::stable_sort(
      warnings_.begin(), warnings_.end(),
      [](const ConfigWarning& a, const ConfigWarning& b) { return a.position < b.position; });
  if (more_ > 0) {
    warnings_.push_back({warnings_.back().position, Format("{} more of these", more_)});
  }
  return std::move(warnings_);
}

ConfigMap::ConfigMap(ConfigNode node, ConfigWarnings& warnings)
    : node_(std::move(node)), warnings_(warnings) {
  if (!node_.node.is_mapping()) {
    FailAt(node_, "not a mapping of keys to values", "a mapping", DescribeValue(node_.node));
  }
  for (size_t i = 0; i < node_.node.size(); ++i) {
    const YamlNode key = node_.node.key(i);
    if (!key.is_string()) {
      FailAt({key, node_.path}, "a key that is not text", "text", DescribeValue(key),
             "put it in quotes");
    }
  }
}

std::optional<ConfigNode> ConfigMap::Find(std::string_view key) {
  known_.emplace_back(key);
  const std::optional<YamlNode> value = node_.node.Find(key);
  if (!value || value->is_null()) {
    return std::nullopt;
  }
  return node_.Member(key, *value);
}

ConfigNode ConfigMap::Need(std::string_view key, std::string advice) {
  std::optional<ConfigNode> found = Find(key);
  if (!found) {
    FailAt(node_, Format("{} is missing", key), "", "", std::move(advice));
  }
  return *std::move(found);
}

std::vector<ConfigNode> ConfigMap::List(std::string_view key) {
  std::vector<ConfigNode> out;
  const std::optional<ConfigNode> list = Find(key);
  if (!list) {
    return out;
  }
  if (!list->node.is_sequence()) {
    FailAt(*list, "not a list", "a list", DescribeValue(list->node));
  }
  for (size_t i = 0; i < list->node.size(); ++i) {
    out.push_back(list->Element(i));
  }
  return out;
}

void ConfigMap::Finish() {
  const bool has_parameters = std::find(known_.begin(), known_.end(), "parameters") != known_.end();
  for (size_t i = 0; i < node_.node.size(); ++i) {
    const YamlNode key = node_.node.key(i);
    if (std::find(known_.begin(), known_.end(), key.text()) != known_.end()) {
      continue;
    }
    const std::string otherwise =
        has_parameters ? "a parameter of the method belongs under parameters" : "";
    const std::string advice = Suggestion(key.text(), known_, otherwise);
    warnings_.Add(key.position(), node_.path,
                  Format("unknown key {} is ignored{}{}", Printable(key.text(), 60),
                         advice.empty() ? "" : "; ", advice));
  }
}

std::string ReadText(const ConfigNode& node) {
  if (!node.node.is_string()) {
    FailAt(node, "not a text", "text", DescribeValue(node.node),
           node.node.is_scalar() && !node.node.is_null() ? "put it in quotes" : "");
  }
  return std::string(node.node.text());
}

std::string ReadOptionalText(const std::optional<ConfigNode>& node) {
  return node ? ReadText(*node) : "";
}

bool ReadBool(const ConfigNode& node) {
  const std::optional<bool> value = ReadValue(node).boolean;
  if (!value) {
    FailAt(node, "not a boolean", "true or false", DescribeValue(node.node));
  }
  return *value;
}

uint32_t ReadCount(const ConfigNode& node) {
  const std::optional<double> value = ReadValue(node).number;
  constexpr double kMost = std::numeric_limits<uint32_t>::max();
  if (!value || !(*value >= 0 && *value <= kMost) || std::floor(*value) != *value) {
    FailAt(node, "not a whole number from 0 on", "", DescribeValue(node.node));
  }
  return static_cast<uint32_t>(*value);
}

ModelRef ReadModel(const ConfigNode& node, ConfigWarnings& warnings) {
  if (!node.node.is_mapping()) {
    const std::string text = ReadText(node);
    try {
      return ParseModelRef(text);
    } catch (Error& error) {
      error.InObject(Place(node.node.position(), node.path));
      throw;
    }
  }
  ConfigMap map(node, warnings);
  ModelRef out;
  out.model = ReadModelPath(map.Need("model"), warnings);
  if (const std::optional<ConfigNode> adapter = map.Find("lora")) {
    out.adapter = ReadModelPath(*adapter, warnings);
  }
  out.override_architecture = ReadOptionalText(map.Find("override_architecture"));
  map.Finish();
  return out;
}

}  // namespace lbrx
