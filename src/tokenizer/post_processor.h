// The post_processor of tokenizer.json: which special tokens are put around every text.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/text/json.h"

namespace lbrx {

class SpecialTokens;

// Which token has which role, by tokenizer_config.json and, where that is silent, by what the
// post-processor puts first and last.
class TokenRoles {
 public:
  explicit TokenRoles(const Json& tokenizer_config);

  // Also sets in `out` what is added to every text.
  void ReadPostProcessor(const Json& outline, SpecialTokens& out);

  // bos, eos, unk, sep, pad, cls, mask, and eot and eom where the end of a text is another token
  // than tokenizer_config.json's eos.
  const std::vector<std::string>& roles() const { return roles_; }

  // Empty where no token has the role.
  std::string Token(std::string_view role) const;

 private:
  void SetToken(std::string_view role, const std::string& token);
  void ReadProcessor(const Json& processor, SpecialTokens& out);
  void ReadRoberta(const Json& processor, SpecialTokens& out);
  void ReadTemplate(const Json& processor, SpecialTokens& out);
  void ReadFirst(const std::string& first, SpecialTokens& out);
  void ReadLast(const std::string& last, SpecialTokens& out);
  void ReadPair(const Json& pair, const std::string& first, const std::string& last,
                SpecialTokens& out);

  bool configured_;  // there is a tokenizer_config.json
  std::vector<std::string> roles_;
  std::vector<std::pair<std::string, std::string>> tokens_;
};

}  // namespace lbrx
