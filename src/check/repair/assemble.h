// Puts the salvaged files of a checkpoint together, each helping the others.
#pragma once

#include <memory>
#include <vector>

#include "check/repair/gather.h"
#include "check/repair/repair.h"

namespace lbrx {

struct Assembled {
  Checkpoint checkpoint;  // what is whole; config as it was found
  std::vector<Repair::File> files;
  std::vector<Mended> mended;
  std::vector<Lost> lost;
  std::vector<ForeignFile> foreign;  // what files are that hold nothing
};

// `reference` may be null. Lost are all tensors that a header, the index, the reference or the
// other layers name.
Assembled Assemble(const Gathered& gathered, const Checkpoint* reference);

}  // namespace lbrx
