// GPT-2's alphabet: each byte is one printable character, bytes that are printable themselves.
#pragma once

#include <string>
#include <string_view>

namespace lbrx {

// The bytes that a token's characters stand for, made valid UTF-8 (U+FFFD for what is not); the
// token itself where one of its characters stands for no byte.
std::string FromByteAlphabet(std::string_view token);

}  // namespace lbrx
