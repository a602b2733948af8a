// Text formatting: fmt's syntax, checked at compile time. fmt itself is compiled in one file.
#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>

namespace lbrx {

std::string VFormat(fmt::string_view format, fmt::format_args args);

template <typename... T>
std::string Format(fmt::format_string<T...> format, T&&... args) {
  return VFormat(format, fmt::make_format_args(args...));
}

// "4.5 MB", "141 GB": decimal units, three significant digits.
std::string FormatBytes(uint64_t bytes);

// "5GB" = 5e9, "512MiB" = 512 * 2^20, a bare number = bytes. Throws kUsage.
uint64_t ParseBytes(std::string_view text);

}  // namespace lbrx
