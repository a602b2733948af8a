#include "core/base/plain_text.h"

#include <algorithm>
#include <clocale>
#include <cstdlib>

#if defined(__APPLE__)  // elsewhere <clocale> has what POSIX adds
#include <xlocale.h>
#endif

namespace lbrx {
namespace {

// Never freed: numbers may be read until the process ends.
locale_t CLocale() {
  static const locale_t locale = newlocale(LC_ALL_MASK, "C", nullptr);
  return locale;
}

}  // namespace

std::string AsciiLower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    c = AsciiLower(c);
  }
  return out;
}

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return AsciiLower(x) == AsciiLower(y); });
}

double ParseDouble(const char* text, char** end) {
  return strtod_l(text, end, CLocale());
}

float ParseFloat(const char* text, char** end) {
  return strtof_l(text, end, CLocale());
}

}  // namespace lbrx
