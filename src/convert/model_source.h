// What a conversion begins with: a model whose tensors are stored, or computed from those of
// others.
#pragma once

#include <memory>
#include <vector>

#include "formats/writer.h"
#include "stream/layout.h"

namespace lbrx {

struct ModelSource {
  // What the model is: configuration, names and shapes of tensors, small files. Of a computed model
  // the tensors have no planes.
  std::shared_ptr<const Checkpoint> model;
  SourceFiles::Checkpoints files;   // what the values read
  std::vector<NamedValue> tensors;  // named and shaped as `model` has them
  std::vector<OutputText> texts;    // small files in place of the folder's, or beside them
};

// All of `stored`, as it is.
ModelSource SourceOf(std::shared_ptr<const Checkpoint> stored);

}  // namespace lbrx
