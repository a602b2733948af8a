// A folder with every source that the matrix converts, merges and repairs.
#pragma once

#include <string>

#include "support/temp_dir.h"

namespace lbrx::determinism {

// Rows of the matrix name their sources relative to a place and write into its folder "run". Two
// places have the same content under other paths, made at another time.
class Place {
 public:
  Place();                                     // makes the sources
  explicit Place(const std::string& sources);  // copies them

  const std::string& path() const { return path_; }

 private:
  TempDir dir_;
  std::string path_;  // within it, under a name that few programs expect
};

// Made at first use. The sources in a place:
//   small, small-f16, small-f32   folders: a Llama of one layer whose rows hold K quants' blocks
//   small-4bit, small-bf16.gguf, small-Q4_K_M.gguf, small.safetensors, parts (a folder in shards),
//   set-0000N-of-0000M.gguf       the same in other containers
//   base, a, b, c                 of one architecture, an embedding of several bands and pieces
//   damaged, damaged.gguf         cut off before their end
//   imatrix.gguf                  importance for the layer of `small`
const Place& FirstPlace();
const Place& SecondPlace();

}  // namespace lbrx::determinism
