// How llama.cpp writes an architecture's config: one table each, read in both directions.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/gguf/gguf_config.h"

namespace lbrx {

struct GgufFamily;

// config.json on its way to keys. Absent members already have the family's defaults.
class KeyWriter {
 public:
  KeyWriter(const GgufFamily& family, const Architecture& architecture, const Json& config,
            GgufKeys& keys, std::vector<std::string>& notices);

  const GgufFamily& family() const { return family_; }

  const Json& config() const { return config_; }

  // The member of config that says a size.
  uint64_t Size(std::string_view ConfigKeys::*size) const;
  std::optional<uint64_t> Count(std::string_view member) const;  // nullopt: absent or null
  std::optional<double> Real(std::string_view member) const;

  bool Has(std::string_view key) const;
  void SetUint(std::string_view key, uint64_t value);  // kInvalid where it is beyond 32 bits
  void SetFloat(std::string_view key, double value);
  void SetBool(std::string_view key, bool value);
  void Set(std::string_view key, GgufValue value);

  void Notice(std::string text) { notices_.push_back(std::move(text)); }

 private:
  const GgufFamily& family_;
  const Architecture& architecture_;
  Json config_;
  GgufKeys& keys_;
  std::vector<std::string>& notices_;
};

// Keys on their way to config.json.
class KeyReader {
 public:
  KeyReader(const GgufFamily& family, const Architecture& architecture, const GgufKeys& keys,
            const GgufTensorFacts& facts, std::vector<std::string>& notices);

  const GgufFamily& family() const { return family_; }

  const GgufTensorFacts& facts() const { return facts_; }

  Json& config() { return config_; }

  void Set(std::string_view member, Json value) { config_.Set(member, std::move(value)); }

  void SetSize(std::string_view ConfigKeys::*size, uint64_t value);
  uint64_t Size(std::string_view ConfigKeys::*size) const;  // one that was set before

  // A list with one and the same value for every layer counts as that value. nullopt: no such key;
  // kInvalid: of another type.
  std::optional<uint64_t> Uint(std::string_view key) const;
  std::optional<double> Float(std::string_view key) const;  // the shortest decimal of a float
  std::optional<bool> Bool(std::string_view key) const;
  const GgufValue* Find(std::string_view key) const;
  bool Has(std::string_view key) const;           // does not count as asking for it
  uint64_t NeedUint(std::string_view key) const;  // kInvalid where there is none
  double NeedFloat(std::string_view key) const;
  [[noreturn]] void Fail(std::string_view key, std::string what, std::string expected = "",
                         std::string found = "") const;

  void Notice(std::string text) { notices_.push_back(std::move(text)); }

  // Sets a member that no key carries to the family's own value.
  void Assume(std::string_view member, Json value);
  // Notices about what was assumed, and about keys that nobody asked for.
  void Finish();

 private:
  std::string Name(std::string_view key) const;  // with the architecture before it

  const GgufFamily& family_;
  const Architecture& architecture_;
  const GgufKeys& keys_;
  const GgufTensorFacts& facts_;
  Json config_;
  std::vector<std::string>& notices_;
  std::vector<std::string> assumed_;
  mutable std::set<std::string, std::less<>> asked_;
};

// What is not one key for one member of config.json. Rules are read after all other rows.
struct KeyRule {
  void (*write)(KeyWriter& writer);
  void (*read)(KeyReader& reader);
};

// One key, or a rule.
struct KeyRow {
  std::string_view key = "";                     // behind "llama.": "attention.head_count"
  std::string_view member = "";                  // of config.json
  std::string_view ConfigKeys::*size = nullptr;  // instead of `member`
  std::string_view absent = "";   // JSON: what the file means where it has no such key
  const KeyRule* rule = nullptr;  // instead of all others
  GgufType type = GgufType::kU32;
  bool required = false;  // in a file to be read
};

// A member of config.json that the presence of tensors decides.
struct FactRow {
  std::string_view member;
  bool GgufTensorFacts::*fact;
};

struct GgufFamily {
  std::string_view architecture;  // Architecture::name
  std::string_view name;          // general.architecture
  std::span<const KeyRow> rows;   // in the converter's order
  std::span<const FactRow> facts = {};
  // JSON objects. What llama.cpp computes with and no key carries: config.json differing is told.
  std::string_view fixed;
  // transformers' values where config.json or the file says nothing.
  std::string_view defaults = "{}";
  double rope_theta = 1e4;        // transformers' default
  double rope_local_theta = 0;    // of layers with a window, where they have their own
  double rotary_factor = 1;       // of partial_rotary_factor, likewise
  bool rotary_part = false;       // part of a head can be left unrotated
  bool rope_frequencies = false;  // llama.cpp reads rope_freqs.weight
};

// nullptr where there is none.
const GgufFamily* FamilyOf(const Architecture& architecture);
std::span<const GgufFamily> GgufFamilies();

// kInvalid about a member of config.json.
[[noreturn]] void FailMember(std::string_view member, std::string what, std::string expected = "",
                             std::string found = "");

// Throws where a size is out of range or does not fit the others (key_checks.cc).
void CheckSizes(const KeyReader& reader);

// The decimal with the fewest digits that is the same float: 1e-05 rather than 9.99999974e-06.
double ShortestDecimal(float value);

// Dimensions of a head: head_dim, else an equal part of hidden_size.
uint64_t HeadSize(const Json& config);

// Rules (head_rules.cc, expert_rules.cc, layer_rules.cc, rope.cc).
extern const KeyRule kHeadDimRule;         // key_length, value_length where config has head_dim
extern const KeyRule kHeadDimAlwaysRule;   // and where it has not
extern const KeyRule kHeadDimUnusualRule;  // only where it is not hidden_size / heads
extern const KeyRule kContextRule;         // context_length of Cohere
extern const KeyRule kWideningRule;        // feed_forward_length of GPT-2
extern const KeyRule kLatentRule;          // DeepSeek's low-rank attention: one head of keys,
extern const KeyRule kLatentWidthRule;     // its widths as stored,
extern const KeyRule kLatentHeadsRule;     // and as computed
extern const KeyRule kGatingRule;          // expert_gating_func
extern const KeyRule kTopNormRule;         // expert_weights_norm, written where true
extern const KeyRule kQueryScaleRule;      // Gemma's query_pre_attn_scalar
extern const KeyRule kRopeRule;            // scaling and base
extern const KeyRule kQuietRopeRule;       // the same; the usual base is not written
extern const KeyRule kUnscaledRule;        // Cohere's rope.scaling.type
extern const KeyRule kRotaryRule;          // rope.dimension_count
extern const KeyRule kLongRopeRule;        // Phi-3's two lists of factors
extern const KeyRule kLongRopeBaseRule;    // and its base
extern const KeyRule kYarnLogRule;         // yarn_log_multiplier
extern const KeyRule kWindowRule;          // sliding_window and layer_types
extern const KeyRule kWindowOrZeroRule;    // Phi-3's sliding_window
extern const KeyRule kNoWindowRule;        // sliding_window that llama.cpp leaves out
extern const KeyRule kNoRopeLayersRule;    // SmolLM3's layers without rope

}  // namespace lbrx
