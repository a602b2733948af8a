#include "determinism/locales.h"

#include <clocale>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "core/base/format.h"
#include "support/temp_dir.h"

namespace lbrx::determinism {
namespace {

// A single-byte Turkish one: there 'I' and 'i' are no pair even byte by byte.
const char* NameOf(Locale locale) {
  switch (locale) {
    case Locale::kGerman:
      return "de_DE.UTF-8";
    case Locale::kTurkish:
      return "tr_TR.ISO-8859-9";
    default:
      return "C";
  }
}

// By glibc's localedef, whose sources the package `locales` has.
void Define(const TempDir& folder, const char* name) {
  const std::string text = name;
  const std::string command = Format("localedef --no-archive -i {} -f {} {}/{}", text.substr(0, 5),
                                     text.substr(6), folder.path(), text);
  if (std::system(command.c_str()) != 0) {  // NOLINT(concurrency-mt-unsafe,cert-env33-c)
    throw std::runtime_error("no locale " + text + ", and localedef made none");
  }
}

bool Use(Locale locale) {
  return std::setlocale(LC_ALL, NameOf(locale)) != nullptr;  // NOLINT(concurrency-mt-unsafe)
}

// Both before any is looked for there: the C library remembers what it did not find.
bool MakeMissing() {
  if (Use(Locale::kGerman) && Use(Locale::kTurkish)) {
    return false;
  }
  static const TempDir folder;
  Define(folder, NameOf(Locale::kGerman));
  Define(folder, NameOf(Locale::kTurkish));
  setenv("LOCPATH", folder.path().c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
  return true;
}

}  // namespace

void UseLocale(Locale locale) {
  [[maybe_unused]] static const bool made = MakeMissing();
  if (!Use(locale)) {
    throw std::runtime_error(std::string("no locale ") + NameOf(locale));
  }
}

}  // namespace lbrx::determinism
