#include "core/text/yaml.h"

#include <yaml.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <new>
#include <numeric>
#include <utility>

#include "core/base/error.h"
#include "core/base/format.h"
#include "core/text/yaml_scalar.h"

namespace lbrx {

namespace {

constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";

// YAML's own tags of scalars, !!str aside.
constexpr std::array<std::pair<std::string_view, YamlKind>, 5> kTags = {
    {{"null", YamlKind::kNull},
     {"bool", YamlKind::kBool},
     {"int", YamlKind::kInteger},
     {"float", YamlKind::kFloat},
     {"timestamp", YamlKind::kDate}}};

YamlPosition PositionOf(const yaml_mark_t& mark) {
  return {static_cast<uint32_t>(mark.line + 1), static_cast<uint32_t>(mark.column + 1)};
}

struct ParserDeleter {
  void operator()(yaml_parser_t* parser) const {
    yaml_parser_delete(parser);
    delete parser;
  }
};

// An event that is freed.
class Event {
 public:
  Event() = default;

  ~Event() { yaml_event_delete(&event_); }

  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  yaml_event_t* get() { return &event_; }

  const yaml_event_t& operator*() const { return event_; }

 private:
  yaml_event_t event_{};
};

std::string_view View(const yaml_char_t* text) {
  return text == nullptr ? std::string_view() : reinterpret_cast<const char*>(text);
}

}  // namespace

// Builds the tree from libyaml's events. A node is made when it begins, so that its anchor can be
// recognised inside it, and completed when it ends.
class YamlBuilder {
 public:
  YamlBuilder(const std::string& file, const YamlLimits& limits) : file_(file), limits_(limits) {}

  // False behind the first document.
  bool Take(const yaml_event_t& event);

  YamlDocument Finish() && { return std::move(document_); }

  [[noreturn]] void Fail(YamlPosition at, std::string what, std::string expected = {},
                         std::string found = {}, std::string advice = {}) const {
    ErrorDetail detail;
    detail.file = file_;
    detail.object = ToString(at);
    detail.what = std::move(what);
    detail.expected = std::move(expected);
    detail.found = std::move(found);
    detail.advice = std::move(advice);
    throw Error(ErrorCode::kInvalid, std::move(detail));
  }

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

bool YamlBuilder::Take(const yaml_event_t& event) {
  switch (event.type) {
    case YAML_DOCUMENT_START_EVENT:
      if (done_) {
        document_.next_document_ = PositionOf(event.start_mark);
      }
      return !done_;
    case YAML_DOCUMENT_END_EVENT:
      done_ = true;
      return true;
    case YAML_SCALAR_EVENT:
      Scalar(event);
      return true;
    case YAML_SEQUENCE_START_EVENT:
      Begin(event, YamlKind::kSequence, event.data.sequence_start.tag,
            event.data.sequence_start.anchor);
      return true;
    case YAML_MAPPING_START_EVENT:
      Begin(event, YamlKind::kMapping, event.data.mapping_start.tag,
            event.data.mapping_start.anchor);
      return true;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
      End();
      return true;
    case YAML_ALIAS_EVENT:
      Alias(event);
      return true;
    case YAML_STREAM_END_EVENT:
      if (document_.nodes_.empty()) {
        Make({1, 1}, nullptr);
      }
      return false;
    default:
      return true;
  }
}

// The kind of a scalar from its tag, or where it has none from its text.
YamlKind YamlBuilder::KindOf(const yaml_event_t& event, std::string_view text) const {
  const std::string_view tag = View(event.data.scalar.tag);
  const YamlKind plain = ResolvePlainScalar(text);
  if (tag == "!") {  // PyYAML's reading of it
    return plain;
  }
  if (tag.empty()) {
    return event.data.scalar.plain_implicit != 0 ? plain : YamlKind::kString;
  }
  const std::string_view name = tag.starts_with(kTagPrefix) ? tag.substr(kTagPrefix.size()) : "";
  if (name == "str") {
    return YamlKind::kString;
  }
  for (const auto& [known, kind] : kTags) {
    if (name != known) {
      continue;
    }
    const bool number = kind == YamlKind::kFloat && ParseDecimal(text).has_value();
    if (plain != kind && !number) {
      Fail(PositionOf(event.start_mark), Format("no value of the tag !!{}", known), "",
           Format("\"{}\"", Printable(text)));
    }
    return kind;
  }
  Fail(PositionOf(event.start_mark), "a tag that is not YAML's own", "no tag",
       Printable(View(event.data.scalar.tag)));
}

void YamlBuilder::Scalar(const yaml_event_t& event) {
  const std::string_view text(reinterpret_cast<const char*>(event.data.scalar.value),
                              event.data.scalar.length);
  const YamlKind kind = KindOf(event, text);
  const uint32_t index = Make(PositionOf(event.start_mark), event.data.scalar.anchor);
  YamlDocument::Node& made = node(index);
  made.kind = kind;
  made.quoted = event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
  made.begin = static_cast<uint32_t>(document_.text_.size());
  made.count = static_cast<uint32_t>(text.size());
  made.height = 1;
  document_.text_.append(text);
  Add(index);
}

void YamlBuilder::Begin(const yaml_event_t& event, YamlKind kind, const yaml_char_t* tag,
                        const yaml_char_t* anchor) {
  const YamlPosition at = PositionOf(event.start_mark);
  if (open_.size() >= limits_.max_depth) {
    Fail(at, "YAML is nested too deep", Format("at most {} levels", limits_.max_depth));
  }
  const std::string_view own = kind == YamlKind::kMapping ? "map" : "seq";
  if (tag != nullptr && View(tag) != "!" &&
      View(tag) != std::string(kTagPrefix) + std::string(own)) {
    Fail(at, "a tag that is not YAML's own", "no tag", Printable(View(tag)));
  }
  const uint32_t index = Make(at, anchor);
  node(index).kind = kind;
  open_.push_back({index, pending_.size()});
}

void YamlBuilder::End() {
  const Open ended = open_.back();
  open_.pop_back();
  if (node(ended.node).kind == YamlKind::kMapping) {
    Flatten(ended.first);
  }
  YamlDocument::Node& made = node(ended.node);
  const size_t children = pending_.size() - ended.first;
  made.begin = static_cast<uint32_t>(document_.children_.size());
  made.count = static_cast<uint32_t>(made.kind == YamlKind::kMapping ? children / 2 : children);
  document_.children_.insert(document_.children_.end(),
                             pending_.begin() + static_cast<ptrdiff_t>(ended.first),
                             pending_.end());
  pending_.resize(ended.first);
  Measure(ended.node);
  Add(ended.node);
}

void YamlBuilder::Alias(const yaml_event_t& event) {
  const std::string_view name = View(event.data.alias.anchor);
  const YamlPosition at = PositionOf(event.start_mark);
  const auto found = anchors_.find(name);
  if (found == anchors_.end()) {
    Fail(at, Format("alias *{} without an anchor &{} before it", Printable(name), Printable(name)),
         "", "", "a text that begins with * needs quotes");
  }
  if (node(found->second).height == 0) {
    Fail(at, Format("alias *{} inside what it stands for", Printable(name)));
  }
  Add(found->second);
}

uint32_t YamlBuilder::Make(YamlPosition at, const yaml_char_t* anchor) {
  const auto index = static_cast<uint32_t>(document_.nodes_.size());
  if (anchor != nullptr && !anchors_.emplace(View(anchor), index).second) {
    Fail(at, Format("anchor &{} a second time", Printable(View(anchor))));
  }
  document_.nodes_.push_back({YamlKind::kNull, false, 0, at.line, at.column, 0, 0, 1});
  return index;
}

// Makes a completed node a child of the innermost open collection.
void YamlBuilder::Add(uint32_t index) {
  if (open_.empty()) {
    document_.root_ = index;
    return;
  }
  pending_.push_back(index);
  if (document_.children_.size() + pending_.size() > limits_.max_nodes) {
    Fail(At(index), "too many values", Format("at most {}", limits_.max_nodes));
  }
}

// Height and number of nodes of a collection that has its children.
void YamlBuilder::Measure(uint32_t index) {
  YamlDocument::Node& made = node(index);
  const size_t children = made.kind == YamlKind::kMapping ? size_t{2} * made.count : made.count;
  uint64_t expanded = 1;
  uint16_t height = 0;
  for (size_t i = 0; i < children; ++i) {
    const YamlDocument::Node& child = node(document_.children_[made.begin + i]);
    expanded += child.expanded;
    height = std::max(height, child.height);
  }
  const uint64_t most = document_.nodes_.size() + uint64_t{limits_.max_repeated};
  if (expanded > most) {
    Fail(At(index), "too many values once aliases are replaced by what they stand for",
         Format("at most {}", most), std::to_string(expanded));
  }
  if (height >= limits_.max_depth) {
    Fail(At(index), "YAML is nested too deep once aliases are replaced by what they stand for",
         Format("at most {} levels", limits_.max_depth));
  }
  made.expanded = static_cast<uint32_t>(expanded);
  made.height = static_cast<uint16_t>(height + 1);
}

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

namespace {

YamlPosition PositionAt(std::string_view text, size_t offset) {
  YamlPosition out{1, 1};
  for (const char c : text.substr(0, std::min(offset, text.size()))) {
    const bool continuation = (static_cast<unsigned char>(c) & 0xC0) == 0x80;
    out.column += continuation ? 0 : 1;
    if (c == '\n') {
      out = {out.line + 1, 1};
    }
  }
  return out;
}

[[noreturn]] void FailSyntax(const yaml_parser_t& parser, std::string_view text,
                             const YamlBuilder& builder) {
  if (parser.error == YAML_MEMORY_ERROR) {
    throw std::bad_alloc();
  }
  const std::string problem = parser.problem == nullptr ? "" : parser.problem;
  const std::string what = "invalid YAML, " + problem;
  if (parser.error == YAML_READER_ERROR) {
    builder.Fail(PositionAt(text, parser.problem_offset), what);
  }
  const std::string context = parser.context == nullptr ? "" : parser.context;
  builder.Fail(PositionOf(parser.problem_mark),
               context.empty() ? what
                               : Format("{} {} that begins at {}", what, context,
                                        ToString(PositionOf(parser.context_mark))),
               "", "", context == "while scanning an alias" ? "* needs quotes: \"*\"" : "");
}

}  // namespace

YamlDocument ParseYaml(std::string_view text, const std::string& file, const YamlLimits& limits) {
  YamlBuilder builder(file, limits);
  if (text.size() > limits.max_bytes) {
    builder.Fail({1, 1}, "YAML text is too large", Format("at most {} bytes", limits.max_bytes),
                 std::to_string(text.size()));
  }
  std::unique_ptr<yaml_parser_t, ParserDeleter> parser(new yaml_parser_t());
  if (yaml_parser_initialize(parser.get()) == 0) {
    throw std::bad_alloc();
  }
  yaml_parser_set_encoding(parser.get(), YAML_UTF8_ENCODING);
  const char* input = text.empty() ? "" : text.data();  // libyaml asserts that there is one
  yaml_parser_set_input_string(parser.get(), reinterpret_cast<const unsigned char*>(input),
                               text.size());
  while (true) {
    Event event;
    if (yaml_parser_parse(parser.get(), event.get()) == 0) {
      FailSyntax(*parser, text, builder);
    }
    if (!builder.Take(*event)) {
      return std::move(builder).Finish();
    }
  }
}

}  // namespace lbrx
