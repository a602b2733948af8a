// Errors of tokenizers.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "core/base/error.h"

namespace lbrx {

// Throws kInvalid. `object`, a token or key out of a file, is made printable.
[[noreturn]] inline void FailTokenizer(const std::string& file, std::string_view object,
                                       std::string what, std::string expected = {},
                                       std::string found = {}, std::string advice = {}) {
  ErrorDetail detail;
  detail.file = file;
  detail.object = Printable(object, 60);
  detail.what = std::move(what);
  detail.expected = std::move(expected);
  detail.found = std::move(found);
  detail.advice = std::move(advice);
  throw Error(ErrorCode::kInvalid, std::move(detail));
}

}  // namespace lbrx
