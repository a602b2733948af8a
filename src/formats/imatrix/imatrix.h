// Importance matrices: how much each column of a weight matrix matters, as llama-imatrix measured
// it (the mean square of what the column is multiplied by). Both of its file formats are read:
// GGUF, and the older .dat. Source: llama.cpp, imatrix-loader.cpp and tools/quantize.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/io/file.h"
#include "core/tensor/shape.h"
#include "formats/gguf/keys.h"

namespace lbrx {

// Where the weights of one tensor are. A tensor of several matrices (experts) has its columns for
// each, one after another.
struct ImportanceEntry {
  uint64_t offset = 0;  // in the file, of the sums (F32)
  uint64_t values = 0;  // sums: columns x matrices
  // Weight = sum / count; values are divided evenly among the counts.
  std::vector<float> counts;

  uint64_t PerCount() const { return values / counts.size(); }
};

class ImportanceMatrix {
 public:
  // Which of the two formats it is, its content tells. The whole file is read once and checked; the
  // weights themselves are not held. kInvalid: the file is damaged, no importance matrix, or holds
  // a sum or count that is negative, NaN or infinite.
  static ImportanceMatrix Open(const std::string& path);

  const std::string& path() const { return file_->path(); }

  Fingerprint GetFingerprint() const { return file_->GetFingerprint(); }

  const std::map<std::string, ImportanceEntry, std::less<>>& entries() const { return entries_; }

  // What the collector read. Empty where the file does not say.
  const std::vector<std::string>& datasets() const { return datasets_; }

  uint32_t chunks() const { return chunks_; }  // pieces of text; 0: the file does not say

  // Counts of 0, of experts that the collector never saw: their weights are 1.
  uint64_t neutral() const;

  // The entry of a tensor of this shape (outermost first); nullptr where there is none. kInvalid:
  // the entry is of another size, so the matrix of another model. Token embeddings are looked up
  // rather than multiplied, so theirs counts as none then.
  const ImportanceEntry* Find(std::string_view tensor, const Shape& shape) const;

  // The weights of columns first, first + 1... of an entry of this matrix. May be called from
  // several threads. kInvalid, kIo: the file has changed since.
  void Read(const ImportanceEntry& entry, uint64_t first, std::span<float> out) const;

  // --include-weights, --exclude-weights: keeps the entries whose names contain one of `include`
  // (all, where it is empty) and none of `exclude`. Returns the parts that no name contains.
  std::vector<std::string> Filter(const std::vector<std::string>& include,
                                  const std::vector<std::string>& exclude);

  // Where the weights came from, as llama-quantize tells it in the file that it writes: the keys
  // quantize.imatrix.{file,dataset,entries_count,chunks_count}, at the end.
  void AddProvenance(GgufKeys& keys) const;

 private:
  friend class ImatrixReader;
  ImportanceMatrix() = default;

  std::shared_ptr<const File> file_;
  std::map<std::string, ImportanceEntry, std::less<>> entries_;
  std::vector<std::string> datasets_;
  uint32_t chunks_ = 0;
};

}  // namespace lbrx
