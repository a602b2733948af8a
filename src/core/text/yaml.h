// YAML 1.1 as PyYAML's safe loader reads it, as a tree with positions. libyaml parses (yaml.cc);
// scalars are resolved in yaml_scalar.h.
//
// Aliases are links into the tree, so what a file repeats by them takes no memory here; what it
// will take readers is bounded (`max_repeated`), and so are bytes, nodes and depth. `<<` is
// resolved: the mapping has the merged entries, of which its own take precedence. Refused, where
// PyYAML lets the last one win in silence: a key twice, and a key that comes from two merged
// mappings (PyYAML's releases disagree which of them counts). Keys are scalars.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lbrx {

struct YamlLimits {
  uint64_t max_bytes = uint64_t{64} << 20;
  uint32_t max_depth = 64;
  uint32_t max_nodes = uint32_t{1} << 23;     // written
  uint32_t max_repeated = uint32_t{1} << 20;  // more by aliases and merge keys
};

// Both from 1; columns count characters.
struct YamlPosition {
  uint32_t line = 0;
  uint32_t column = 0;
  bool operator==(const YamlPosition&) const = default;

  bool operator<(const YamlPosition& other) const {
    return line != other.line ? line < other.line : column < other.column;
  }
};

// "line 3, column 7", as errors begin with.
std::string ToString(YamlPosition position);

enum class YamlKind : uint8_t {
  kNull,
  kBool,
  kInteger,
  kFloat,
  kDate,  // 2001-12-14, perhaps with a time
  kString,
  kSequence,
  kMapping
};

// "a string", "a list", ...: for messages.
std::string_view Describe(YamlKind kind);

class YamlDocument;

// A node of a document, which must outlive it. Cheap to copy.
class YamlNode {
 public:
  YamlKind kind() const;
  YamlPosition position() const;

  bool is_null() const { return kind() == YamlKind::kNull; }

  bool is_string() const { return kind() == YamlKind::kString; }

  bool is_number() const { return kind() == YamlKind::kInteger || kind() == YamlKind::kFloat; }

  bool is_sequence() const { return kind() == YamlKind::kSequence; }

  bool is_mapping() const { return kind() == YamlKind::kMapping; }

  bool is_scalar() const { return !is_sequence() && !is_mapping(); }

  // Of a scalar: its text with quotes and escapes resolved, and whether it stood in quotes (or was
  // a block).
  std::string_view text() const;
  bool quoted() const;
  // Of a kBool.
  bool AsBool() const;
  // Of a kInteger or kFloat, to the nearest double.
  double AsDouble() const;

  // Entries of a sequence or mapping, in the order of the file (merged ones last).
  size_t size() const;
  // Element of a sequence.
  YamlNode operator[](size_t index) const;
  // Entry of a mapping.
  YamlNode key(size_t index) const;
  YamlNode value(size_t index) const;
  // The value of a mapping's key; looks at one entry after the other.
  std::optional<YamlNode> Find(std::string_view key) const;

 private:
  friend class YamlDocument;

  YamlNode(const YamlDocument* document, uint32_t index) : document_(document), index_(index) {}

  const YamlDocument* document_;
  uint32_t index_;
};

// The first document of a text.
class YamlDocument {
 public:
  YamlDocument(YamlDocument&&) = default;
  YamlDocument& operator=(YamlDocument&&) = default;

  // A null where the text has no document.
  YamlNode root() const { return {this, root_}; }

  // Where a second document begins, if there is one. Nothing behind that point was looked at.
  std::optional<YamlPosition> next_document() const { return next_document_; }

 private:
  friend class YamlNode;
  friend class YamlBuilder;

  struct Node {
    YamlKind kind;
    bool quoted;
    uint16_t height;  // levels below and including this one
    uint32_t line;
    uint32_t column;
    uint32_t begin;     // into text_ or children_
    uint32_t count;     // bytes, elements, or entries (two children each)
    uint32_t expanded;  // nodes below and including this one
  };

  YamlDocument() = default;

  std::vector<Node> nodes_;
  std::vector<uint32_t> children_;
  std::string text_;
  uint32_t root_ = 0;
  std::optional<YamlPosition> next_document_;
};

// Throws kInvalid naming `file` with line and column. Tags other than YAML's own for the kinds
// above are refused, as PyYAML's safe loader does.
YamlDocument ParseYaml(std::string_view text, const std::string& file,
                       const YamlLimits& limits = {});

}  // namespace lbrx
