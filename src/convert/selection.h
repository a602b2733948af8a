// Which scheme each tensor gets.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "convert/convert.h"
#include "core/text/regex.h"
#include "model/architecture.h"

namespace lbrx {

// What the user's options say about encodings, parsed and checked once.
class Selection {
 public:
  // kUsage for an unknown scheme, a bad group or a bad regular expression.
  explicit Selection(const ConvertRequest& request);

  // The encoding that -q asks for; nullopt without -q.
  const std::optional<Encoding>& global() const { return global_; }

  // The scheme for a tensor, its dtype still open: nullopt = stays float. `architecture` may be
  // nullptr: then matrices are told by shape. What mlx-lm quantizes is quantized: linear and
  // embedding weights whose rows divide by the global group.
  std::optional<Encoding> For(const Architecture* architecture, const std::string& output_name,
                              const std::string& source_name, const Shape& shape);

  // Notices about rules that matched nothing, or only a source's name; with `strict` the first kind
  // throws kInvalid.
  void Finish(bool strict, std::vector<std::string>& notices) const;

 private:
  struct Rule {
    Regex regex;
    std::optional<Encoding> encoding;  // nullopt: keep
    uint64_t matches = 0;
    uint64_t source_only = 0;
  };

  std::optional<Encoding> global_;
  std::vector<Rule> rules_;
};

// Parses "4bit" or "4bit/32"; `group` 0 = the scheme's default. kUsage with a suggestion.
Encoding ParseSchemeOption(const std::string& text, uint16_t group);

}  // namespace lbrx
