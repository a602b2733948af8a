// The files that a plan reads.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "formats/checkpoint.h"
#include "stream/file_cache.h"

namespace lbrx {

// Throws kInvalid ("changed while being read") where the two differ.
void RequireUnchanged(const std::string& path, const Fingerprint& expected,
                      const Fingerprint& found);

// Thread-safe. A file whose fingerprint is no longer the one seen when the checkpoint was opened is
// kInvalid ("changed while being read").
class SourceFiles {
 public:
  using Checkpoints = std::vector<std::shared_ptr<const Checkpoint>>;

  explicit SourceFiles(const Checkpoints& checkpoints);

  // Fills `out` from the stored array's bytes [offset, offset + out.size()).
  void Read(uint32_t source, const StoredArray& array, uint64_t offset, std::span<std::byte> out);
  // Asks the system to read a part of an array ahead.
  void WillNeed(uint32_t source, const StoredArray& array, uint64_t offset, uint64_t length);
  // Throws where any file changed since it was opened by OpenCheckpoint.
  void CheckUnchanged() const;

 private:
  std::shared_ptr<File> Open(uint32_t source, uint32_t file);

  Checkpoints checkpoints_;
  FileCache cache_;
};

}  // namespace lbrx
