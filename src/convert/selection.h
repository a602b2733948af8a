// Which scheme each tensor gets.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "convert/convert.h"
#include "core/text/regex.h"
#include "model/architecture.h"
#include "quant/recipes.h"

namespace lbrx {

// What the user's options say about encodings, parsed and checked once.
class Selection {
 public:
  // kUsage for an unknown scheme, a bad group or a bad regular expression.
  explicit Selection(const ConvertRequest& request);

  // A tensor of the output that may be quantized.
  struct Candidate {
    const std::string& name;         // in the output
    const std::string& source_name;  // where it was read from, if from one tensor
    const Shape& shape;
    bool known_architecture;
    TensorMeaning meaning;  // of the output's name in a known architecture
    uint64_t layers;
  };

  // Whether any option asks for a scheme.
  bool wants_schemes() const;

  // Whether a size is given and the schemes that meet it with the least error are to be chosen.
  bool is_target() const { return !families_.empty(); }

  // The schemes among which to choose for a tensor, their dtype still open; empty where options or
  // the architecture have decided, or there is no target.
  std::vector<Encoding> CandidatesFor(const Candidate& tensor);

  // -q as an encoding (of a recipe: its low bits); nullopt without -q, or where it names a family.
  const std::optional<Encoding>& global() const { return global_; }

  // What was asked for, for people: "4bit/64", "mixed_3_6", "4.5 bits per weight".
  std::string label() const;

  bool is_recipe() const { return recipe_.has_value(); }

  // The scheme for a tensor, its dtype still open: nullopt = stays float. What mlx-lm quantizes is
  // quantized: linear and embedding weights whose rows divide by the global group. Under a target:
  // what was chosen.
  std::optional<Encoding> For(const Candidate& tensor);

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

  // The first rule that matches, counting the match; nullptr: none.
  const Rule* Match(const Candidate& tensor);
  // 8 bits for a tensor that the architecture or --protect-routers wants so.
  std::optional<Encoding> Protected(const Candidate& tensor) const;
  std::optional<Encoding> ByDefault(const Candidate& tensor) const;

  std::string label_;
  std::optional<Encoding> global_;
  std::optional<MixedRecipe> recipe_;
  std::vector<Encoding> families_;           // the candidates under a target
  std::map<std::string, Encoding> choices_;  // by tensor
  bool protect_routers_ = false;
  std::vector<Rule> rules_;
};

// Parses "4bit" or "4bit/32"; `group` 0 = the scheme's default. kUsage with a suggestion.
Encoding ParseSchemeOption(const std::string& text, uint16_t group);

}  // namespace lbrx
