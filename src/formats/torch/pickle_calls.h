// What the calls of a pickle stand for.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "formats/torch/pickle_globals.h"
#include "formats/torch/pickle_site.h"
#include "formats/torch/pickle_value.h"

namespace lbrx {

// The value of `global(*arguments)`, `arguments` a tuple. Throws kInvalid where it is nothing that
// may be called, or its arguments are not those that torch writes.
PickleValue CallPickleGlobal(const PickleGlobal& global, const PickleValue& arguments,
                             PickleHeap& heap, const PickleSite& site);

// The storage that a persistent id names. `known` has those met before, by key and view.
PickleValue LoadPickleStorage(const PickleValue& id, PickleHeap& heap,
                              std::unordered_map<std::string, uint32_t>& known,
                              const PickleSite& site);

// "an integer", for messages.
std::string_view PickleKindName(PickleKind kind);

}  // namespace lbrx
