// Reads JSON that is damaged: cut off, with a wrong byte, with something behind it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/text/json.h"

namespace lbrx {

struct MendedJson {
  Json json;                       // null: nothing could be saved
  std::vector<std::string> wrong;  // what was wrong, for people; empty: nothing
  bool complete = true;            // nothing of the value is missing
};

// An object's members are saved one by one, and so are those of objects in it; a member that does
// not parse is left out. Commas too many, a byte order mark and bytes behind the value lose
// nothing.
MendedJson MendJson(std::string_view text);

}  // namespace lbrx
