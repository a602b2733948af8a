// Opening an importance matrix: imatrix.cc holds what both formats share.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/base/error.h"
#include "formats/imatrix/imatrix.h"

namespace lbrx {

struct StoredArray;

class ImatrixReader {
 public:
  explicit ImatrixReader(std::shared_ptr<const File> file);

  ImportanceMatrix Read();

 private:
  // read_gguf.cc, read_dat.cc
  void ReadGguf();
  void AddGgufEntry(const std::string& tensor, const StoredArray* sums, const StoredArray* counts);
  void ReadDat();
  void ReadDatEntry(uint64_t* at);
  void ReadDatTail(uint64_t at);

  // One of the .dat format's numbers.
  int32_t Number(uint64_t* at, const std::string& what) const;
  std::string Text(uint64_t* at, uint64_t length, const std::string& what) const;

  void Add(const std::string& tensor, ImportanceEntry entry, uint64_t at);
  void CheckSums(const std::string& tensor, const ImportanceEntry& entry) const;
  [[noreturn]] void Fail(
      uint64_t offset, std::string object, std::string what, std::string expected = "",
      std::string found = "",
      std::string advice = "download it, or make it again with llama-imatrix") const;

  ImportanceMatrix matrix_;
  const File& file_;
  uint64_t size_;
};

}  // namespace lbrx
