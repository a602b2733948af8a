#include "core/text/yaml_builder.h"

#include <algorithm>
#include <array>

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

std::string_view View(const yaml_char_t* text) {
  return text == nullptr ? std::string_view() : reinterpret_cast<const char*>(text);
}

}  // namespace

void YamlBuilder::Fail(YamlPosition at, std::string what, std::string expected, std::string found,
                       std::string advice) const {
  ErrorDetail detail;
  detail.file = file_;
  detail.object = ToString(at);
  detail.what = std::move(what);
  detail.expected = std::move(expected);
  detail.found = std::move(found);
  detail.advice = std::move(advice);
  throw Error(ErrorCode::kInvalid, std::move(detail));
}

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

}  // namespace lbrx
