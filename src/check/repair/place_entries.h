// Where the arrays lie whose entries in the header are damaged: arrays follow each other without
// gaps, so what is sound tells about what is not.
#pragma once

#include <string>
#include <vector>

#include "check/repair/loose_header.h"
#include "check/repair/lore.h"

namespace lbrx {

struct EntryNote {
  std::string mended;  // what was put right; empty: nothing was wrong
  std::string lost;    // why the entry cannot be trusted; empty: it can, if it is sound
};

// Completes `entries` (in header order) so that they are Sound(), as far as that follows from their
// neighbours, their own rest and `lore`; `notes` (as many) say what was done. `data_bytes`: of the
// data part that is there.
void PlaceEntries(std::vector<LooseEntry>& entries, uint64_t data_bytes, const Lore& lore,
                  std::vector<EntryNote>& notes);

// The kind that an entry of `bytes` bytes has, by what is left of it and by lore.
std::optional<ArrayKind> DeriveKind(const LooseEntry& entry, uint64_t bytes, const Lore& lore);

}  // namespace lbrx
