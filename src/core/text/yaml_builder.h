// The tree of a YAML document from libyaml's events. Inner header of core/text.
#pragma once

#include <yaml.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/text/yaml.h"

namespace lbrx {

inline YamlPosition PositionOf(const yaml_mark_t& mark) {
  return {static_cast<uint32_t>(mark.line + 1), static_cast<uint32_t>(mark.column + 1)};
}

// A node is made when it begins, so that its anchor can be
// recognised inside it, and completed when it ends.
class YamlBuilder {
 public:
  YamlBuilder(const std::string& file, const YamlLimits& limits) : file_(file), limits_(limits) {}

  // False behind the first document.
  bool Take(const yaml_event_t& event);

  YamlDocument Finish() && { return std::move(document_); }

  // kInvalid.
  [[noreturn]] void Fail(YamlPosition at, std::string what, std::string expected = {},
                         std::string found = {}, std::string advice = {}) const;

 private:
  struct Open {
    uint32_t node;
    size_t first;  // of its children in pending_
  };

  // An entry of a mapping while it is put together.
  struct Entry {
    std::string_view key;
    bool merged;
    uint32_t key_node;
    uint32_t value_node;
    bool dropped = false;
  };

  YamlDocument::Node& node(uint32_t index) { return document_.nodes_[index]; }

  YamlPosition At(uint32_t index) { return {node(index).line, node(index).column}; }

  std::string_view TextOf(uint32_t index) {
    return std::string_view(document_.text_).substr(node(index).begin, node(index).count);
  }

  bool IsScalar(uint32_t index) {
    return node(index).kind != YamlKind::kSequence && node(index).kind != YamlKind::kMapping;
  }

  bool IsMergeKey(uint32_t index) {
    return IsScalar(index) && !node(index).quoted && TextOf(index) == "<<";
  }

  void Scalar(const yaml_event_t& event);
  void Begin(const yaml_event_t& event, YamlKind kind, const yaml_char_t* tag,
             const yaml_char_t* anchor);
  void End();
  void Alias(const yaml_event_t& event);
  YamlKind KindOf(const yaml_event_t& event, std::string_view text) const;
  uint32_t Make(YamlPosition at, const yaml_char_t* anchor);
  void Add(uint32_t index);
  void Measure(uint32_t index);
  void Flatten(size_t first);
  void AddMerged(uint32_t merged, uint32_t key);
  void AddEntriesOf(uint32_t mapping, uint32_t key);
  void DropRepeated();
  bool SameScalar(uint32_t a, uint32_t b);

  const std::string& file_;
  const YamlLimits& limits_;
  YamlDocument document_;
  std::vector<Open> open_;
  std::vector<uint32_t> pending_;  // children of the open collections, innermost last
  std::map<std::string, uint32_t, std::less<>> anchors_;
  std::vector<Entry> entries_;    // of the mapping that ends: its own first, then merged ones
  std::vector<uint32_t> by_key_;  // into entries_
  bool done_ = false;
};

}  // namespace lbrx
