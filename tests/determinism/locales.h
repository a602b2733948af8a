// Locales whose numbers have a comma and whose letters fold otherwise, made for the test where the
// system has none.
#pragma once

#include <cstdint>

namespace lbrx::determinism {

enum class Locale : uint8_t { kC, kGerman, kTurkish };

// Makes it the process's. Throws where it cannot be had.
void UseLocale(Locale locale);

}  // namespace lbrx::determinism
