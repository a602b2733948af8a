// A manifest: what a model's tensors and files hash to, so that it can be compared later, wherever
// it went.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "check/check.h"

namespace lbrx {

struct Manifest {
  std::string format;
  std::vector<TensorHash> tensors;
  std::vector<ModelFile> files;  // their paths are not written
};

// Reads everything of a checkpoint but the file `except`, which may be the manifest itself.
Manifest MakeManifest(const Checkpoint& checkpoint, const std::string& except,
                      const CheckOptions& options);
// Bytes that MakeManifest reads.
uint64_t ManifestReads(const Checkpoint& checkpoint);

// JSON with a checksum of itself: the SHA-256 of the same text with "" in its place. The same
// manifest has the same text.
std::string ManifestText(const Manifest& manifest);
// kInvalid where it is no manifest, or not every byte is as ManifestText wrote it. `file` is for
// the message.
Manifest ParseManifest(std::string_view text, const std::string& file);

// What of `found`, which was made of `path`, is not as `wanted` says. Tensors that are missing,
// new, of another shape or of other values are errors. So are files that differ or are missing; but
// where all tensors agree and lie in other files than they did (renamed, cut anew, another
// container), that and other small files are warnings. Files that were not there are warnings.
std::vector<Problem> CompareManifests(const Manifest& wanted, const Manifest& found,
                                      const std::string& path);
// The same for the files alone, of what cannot be opened as a checkpoint.
std::vector<Problem> CompareFiles(const Manifest& wanted, const std::string& path,
                                  const CheckOptions& options);

}  // namespace lbrx
