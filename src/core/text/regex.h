// Regular expressions in PCRE2's syntax, searched (not anchored), case-sensitive, UTF-8.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace lbrx {

class Regex {
 public:
  // kUsage naming the pattern and the position of what is wrong.
  explicit Regex(const std::string& pattern);
  ~Regex();
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;

  // Whether it matches anywhere in `text`. Text that is not UTF-8 does not match. A pattern that
  // backtracks without end is kLimit.
  bool Search(std::string_view text) const;

  const std::string& pattern() const { return pattern_; }

 private:
  struct Code;
  std::string pattern_;
  std::unique_ptr<Code> code_;
};

}  // namespace lbrx
