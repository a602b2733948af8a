// Tokens with roles (bos, eos, pad...) out of a Hugging Face folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/text/json.h"
#include "formats/gguf/keys.h"
#include "tokenizer/tokenizer_folder.h"

namespace lbrx {

// By role, in the order in which the keys are written.
class SpecialTokens {
 public:
  // The first id that a role gets stays.
  void SetId(const std::string& role, uint64_t id);
  bool HasId(const std::string& role) const;
  void SetAdd(const std::string& role, bool add);  // whether it is added to every text
  void AddUnlessSet(const std::string& role, bool add);
  std::optional<bool> Add(const std::string& role) const;
  // Sets the keys of the roles that have keys.
  void Write(GgufKeys& keys) const;

 private:
  std::vector<std::pair<std::string, uint64_t>> ids_;
  std::vector<std::pair<std::string, bool>> add_;
};

// As llama.cpp's converter finds them: the tokens that tokenizer_config.json names, by their ids in
// tokenizer.json, then the ids of config.json; whether they are added by the post-processor of
// tokenizer.json, then by tokenizer_config.json. Ids from `vocabulary` on are left out.
SpecialTokens ReadSpecialTokens(const TokenizerFolder& folder, const Json& config,
                                uint64_t vocabulary, std::vector<std::string>& notices);

}  // namespace lbrx
