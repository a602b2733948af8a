// Merge keys (<<) and keys that repeat.
#include <algorithm>
#include <numeric>

#include "core/base/error.h"
#include "core/base/format.h"
#include "core/text/yaml_builder.h"

namespace lbrx {

// The entries that `mapping` brings where it is merged under the key at `key`.
void YamlBuilder::AddEntriesOf(uint32_t mapping, uint32_t key) {
  if (node(mapping).kind != YamlKind::kMapping) {
    Fail(At(key), "<< merges mappings only", "a mapping or a list of mappings",
         std::string(Describe(node(mapping).kind)));
  }
  const uint32_t begin = node(mapping).begin;
  for (uint32_t i = 0; i < node(mapping).count; ++i) {
    const uint32_t key_node = document_.children_[begin + 2 * i];
    entries_.push_back({TextOf(key_node), true, key_node, document_.children_[begin + 2 * i + 1]});
    if (document_.children_.size() + entries_.size() > limits_.max_nodes) {
      Fail(At(key), "too many values", Format("at most {}", limits_.max_nodes));
    }
  }
}

void YamlBuilder::AddMerged(uint32_t merged, uint32_t key) {
  if (node(merged).kind != YamlKind::kSequence) {
    AddEntriesOf(merged, key);
    return;
  }
  for (uint32_t i = 0; i < node(merged).count; ++i) {
    AddEntriesOf(document_.children_[node(merged).begin + i], key);
  }
}

bool YamlBuilder::SameScalar(uint32_t a, uint32_t b) {
  return a == b ||
         (IsScalar(a) && IsScalar(b) && node(a).kind == node(b).kind && TextOf(a) == TextOf(b));
}

// Own entries take precedence over merged ones; nothing else may repeat.
void YamlBuilder::DropRepeated() {
  by_key_.resize(entries_.size());
  std::iota(by_key_.begin(), by_key_.end(), 0);
  std::sort(by_key_.begin(), by_key_.end(), [this](uint32_t a, uint32_t b) {
    return std::pair(entries_[a].key, a) < std::pair(entries_[b].key, b);
  });
  size_t kept = 0;
  for (size_t i = 1; i < by_key_.size(); ++i) {
    const Entry& first = entries_[by_key_[kept]];
    Entry& again = entries_[by_key_[i]];
    if (again.key != first.key) {
      kept = i;
      continue;
    }
    if (!again.merged) {
      Fail(At(again.key_node), Format("the key {} a second time", Printable(again.key)), "",
           Format("the first at {}", ToString(At(first.key_node))));
    }
    if (first.merged && !SameScalar(first.value_node, again.value_node)) {
      Fail(At(again.key_node),
           Format("the key {} comes from two merged mappings", Printable(again.key)), "",
           Format("another at {}", ToString(At(first.key_node))),
           "set the key beside <<, since readers of YAML differ in which of the two counts");
    }
    again.dropped = true;
  }
}

// Replaces the merge keys among the pending children from `first` on by what they stand for.
void YamlBuilder::Flatten(size_t first) {
  entries_.clear();
  bool merges = false;
  for (size_t i = first; i < pending_.size(); i += 2) {
    const uint32_t key = pending_[i];
    if (!IsScalar(key)) {
      Fail(At(key), "a key that is a collection", "text", std::string(Describe(node(key).kind)));
    }
    merges = merges || IsMergeKey(key);
    if (!IsMergeKey(key)) {
      entries_.push_back({TextOf(key), false, key, pending_[i + 1]});
    }
  }
  for (size_t i = first; merges && i < pending_.size(); i += 2) {
    if (IsMergeKey(pending_[i])) {
      AddMerged(pending_[i + 1], pending_[i]);
    }
  }
  DropRepeated();
  if (merges) {
    pending_.resize(first);
    for (const Entry& entry : entries_) {
      if (!entry.dropped) {
        pending_.push_back(entry.key_node);
        pending_.push_back(entry.value_node);
      }
    }
  }
}

}  // namespace lbrx
