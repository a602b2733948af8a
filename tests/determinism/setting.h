// What a result must not depend on.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "determinism/locales.h"
#include "determinism/place.h"
#include "determinism/rows.h"

namespace lbrx::determinism {

struct Setting {
  unsigned threads = 1;
  std::optional<uint64_t> memory = {};  // bytes; nullopt: the least with which the row works
  int64_t simd = 0;                     // for ForceSimdTarget
  Locale locale = Locale::kC;           // another: in another folder, umask and time zone as well
  bool again = false;                   // over a result that is there, exchanged for it by --force
  bool durable = false;                 // without --no-sync

  std::string Name() const;
};

// One that all others are compared with, and at least one more of everything.
std::vector<Setting> FewSettings();
// Every number of threads with every memory and with every SIMD target, every memory with every
// target, and each of the rest.
std::vector<Setting> AllSettings();

// Files and what is printed, by name.
using Result = std::map<std::string, std::string>;

// Runs a row under a setting. Throws std::runtime_error with what the program said where the exit
// code is another than the row's.
Result RunRow(const Row& row, const Setting& setting);

}  // namespace lbrx::determinism
