// Letters, digits and numbers of ASCII. The C library's functions for them follow the process's
// locale, which a program that lbrx is part of may have set: to one with a comma in its numbers, or
// where 'I' is not the capital of 'i'.
#pragma once

#include <string>
#include <string_view>

namespace lbrx {

constexpr bool IsAsciiDigit(char c) {
  return c >= '0' && c <= '9';
}

constexpr bool IsAsciiLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Anything but a letter stays as it is.
constexpr char AsciiLower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr char AsciiUpper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

std::string AsciiLower(std::string_view text);
bool EqualIgnoringCase(std::string_view a, std::string_view b);

// As strtod and strtof are in the C locale: what stands at the beginning of `text`, `end` behind it
// (not set where it is nullptr).
double ParseDouble(const char* text, char** end);
float ParseFloat(const char* text, char** end);

}  // namespace lbrx
