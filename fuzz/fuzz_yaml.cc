// YAML: what is refused is refused with its place; what is accepted has as many nodes as the text
// and the limits allow, each with a place, and reads the same twice.
#include <cstdint>
#include <string_view>

#include "check.h"
#include "core/base/error.h"
#include "core/text/yaml.h"
#include "target.h"

namespace lbrx {
namespace {

// Nodes below, every one visited: aliases make no more of them than the limits allow.
uint64_t Visit(const YamlNode& node) {
  uint64_t count = 1;
  FUZZ_CHECK(node.position().line > 0 && node.position().column > 0);
  for (size_t i = 0; i < node.size(); ++i) {
    if (node.is_mapping()) {
      count += Visit(node.key(i)) + Visit(node.value(i));
      FUZZ_CHECK(node.Find(node.key(i).text()).has_value());
    } else {
      count += Visit(node[i]);
    }
  }
  if (node.is_number()) {
    static_cast<void>(node.AsDouble());
  }
  return count;
}

void Run(std::string_view text) {
  YamlLimits limits;
  limits.max_repeated = 1000;
  try {
    const YamlDocument document = ParseYaml(text, "input", limits);
    const uint64_t nodes = Visit(document.root());
    FUZZ_CHECK(nodes <= 2 * text.size() + 2 + limits.max_repeated);
    const YamlDocument again = ParseYaml(text, "input", limits);
    FUZZ_CHECK(Visit(again.root()) == nodes);
    FUZZ_CHECK(again.next_document() == document.next_document());
  } catch (const Error& error) {
    FUZZ_CHECK(error.code() == ErrorCode::kInvalid);
    FUZZ_CHECK(error.detail().file == "input");
    FUZZ_CHECK(error.detail().object.starts_with("line "));
  }
}

}  // namespace
}  // namespace lbrx

FUZZ_TARGET(kText);
