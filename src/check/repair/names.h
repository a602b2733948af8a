// The names that a checkpoint should have, and what they tell about names that were damaged.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "check/repair/salvage.h"

namespace lbrx {

// All names that the checkpoint's arrays should have, as far as that is known.
class NameBook {
 public:
  // From an index, a reference: whoever knows names.
  void Expect(const std::string& name) { expected_.insert(name); }

  // What at least half of the layers have all have: `names` are those found, `plausible` says
  // whether one can be a tensor of the model.
  void ExpectLayers(const std::vector<std::string>& names,
                    const std::function<bool(const std::string&)>& plausible);

  bool Expected(const std::string& name) const { return expected_.count(name) != 0; }

  const std::set<std::string>& expected() const { return expected_; }

 private:
  std::set<std::string> expected_;
};

// Whether a name can be written to a header: one with a damaged byte may be no UTF-8.
bool IsWritableName(const std::string& name);

// Puts right names that differ in one byte from the only expected one that is missing. A name that
// two arrays of a file have is put right by the order of the header. Both change `file.arrays` and
// add to `file.mended`; `present` counts the names of all files.
void MendNames(const NameBook& book, std::map<std::string, int>& present, SalvagedFile& file);

}  // namespace lbrx
