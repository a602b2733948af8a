#include "core/base/error.h"
#include "core/base/format.h"
#include "core/text/yaml.h"
#include "core/text/yaml_scalar.h"

namespace lbrx {

std::string ToString(YamlPosition position) {
  return Format("line {}, column {}", position.line, position.column);
}

std::string_view Describe(YamlKind kind) {
  switch (kind) {
    case YamlKind::kNull:
      return "nothing";
    case YamlKind::kBool:
      return "a boolean";
    case YamlKind::kInteger:
    case YamlKind::kFloat:
      return "a number";
    case YamlKind::kDate:
      return "a date";
    case YamlKind::kString:
      return "text";
    case YamlKind::kSequence:
      return "a list";
    case YamlKind::kMapping:
      return "a mapping";
  }
  return "";
}

YamlKind YamlNode::kind() const {
  return document_->nodes_[index_].kind;
}

YamlPosition YamlNode::position() const {
  const YamlDocument::Node& node = document_->nodes_[index_];
  return {node.line, node.column};
}

std::string_view YamlNode::text() const {
  const YamlDocument::Node& node = document_->nodes_[index_];
  return is_scalar() ? std::string_view(document_->text_).substr(node.begin, node.count)
                     : std::string_view();
}

bool YamlNode::quoted() const {
  return document_->nodes_[index_].quoted;
}

bool YamlNode::AsBool() const {
  return YamlBool(text());
}

double YamlNode::AsDouble() const {
  return kind() == YamlKind::kInteger ? YamlInteger(text()) : YamlFloat(text());
}

size_t YamlNode::size() const {
  return is_scalar() ? 0 : document_->nodes_[index_].count;
}

YamlNode YamlNode::operator[](size_t index) const {
  return {document_, document_->children_[document_->nodes_[index_].begin + index]};
}

YamlNode YamlNode::key(size_t index) const {
  return (*this)[2 * index];
}

YamlNode YamlNode::value(size_t index) const {
  return (*this)[2 * index + 1];
}

std::optional<YamlNode> YamlNode::Find(std::string_view key) const {
  for (size_t i = 0; is_mapping() && i < size(); ++i) {
    if (this->key(i).text() == key) {
      return value(i);
    }
  }
  return std::nullopt;
}

}  // namespace lbrx
