// Completes a damaged config.json from what the shapes of the tensors tell, and from a reference.
#pragma once

#include <vector>

#include "check/repair/salvage.h"

namespace lbrx {

struct ConfigEvidence {
  const Json* reference = nullptr;  // config of the reference model; nullptr: none
  bool damaged = false;             // config.json was missing, or parts of it are
  bool tensors_lost = false;        // so layers may be missing
};

// Fills and corrects checkpoint.config (an object, perhaps an empty one). What remains unknown is
// added to `lost` as "config.json: key".
void CompleteConfigFromShapes(Checkpoint& checkpoint, const ConfigEvidence& evidence,
                              std::vector<Mended>& mended, std::vector<Lost>& lost);

}  // namespace lbrx
