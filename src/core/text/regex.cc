#include "core/text/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>

#include "core/base/error.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

// Steps of the matcher; a tensor's name needs a few hundred at most.
constexpr uint32_t kMatchLimit = 1'000'000;

template <typename T, void (*kFree)(T*)>
struct Deleter {
  void operator()(T* pointer) const { kFree(pointer); }
};

using CodePtr = std::unique_ptr<pcre2_code, Deleter<pcre2_code, pcre2_code_free>>;
using DataPtr = std::unique_ptr<pcre2_match_data, Deleter<pcre2_match_data, pcre2_match_data_free>>;
using ContextPtr =
    std::unique_ptr<pcre2_match_context, Deleter<pcre2_match_context, pcre2_match_context_free>>;

std::string MessageOf(int code) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(code, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

}  // namespace

struct Regex::Code {
  CodePtr compiled;
  ContextPtr context;
};

Regex::Regex(const std::string& pattern) : pattern_(pattern), code_(std::make_unique<Code>()) {
  int error = 0;
  PCRE2_SIZE at = 0;
  code_->compiled.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                      PCRE2_UTF | PCRE2_UCP, &error, &at, nullptr));
  if (code_->compiled == nullptr) {
    throw Error(ErrorCode::kUsage, Format("regular expression \"{}\": {} at position {}",
                                          Printable(pattern), MessageOf(error), at));
  }
  code_->context.reset(pcre2_match_context_create(nullptr));
  pcre2_set_match_limit(code_->context.get(), kMatchLimit);
}

Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;

bool Regex::Search(std::string_view text) const {
  const DataPtr data(pcre2_match_data_create_from_pattern(code_->compiled.get(), nullptr));
  const int result = pcre2_match(code_->compiled.get(), reinterpret_cast<PCRE2_SPTR>(text.data()),
                                 text.size(), 0, 0, data.get(), code_->context.get());
  if (result == PCRE2_ERROR_MATCHLIMIT || result == PCRE2_ERROR_DEPTHLIMIT) {
    throw Error(ErrorCode::kLimit, Format("regular expression \"{}\" backtracks without end on "
                                          "\"{}\"; write it with fewer nested repetitions",
                                          Printable(pattern_), Printable(text)));
  }
  return result >= 0;
}

}  // namespace lbrx
