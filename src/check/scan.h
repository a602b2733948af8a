// Reading the values of checkpoints band by band: on all threads, under a memory limit, in a cut
// that depends on neither.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "check/check.h"
#include "core/memory/pool.h"
#include "stream/sources.h"
#include "stream/value.h"

namespace lbrx {

// Elements of a band: 1 MiB of f32, which stays in a core's cache between decoding and use. A
// multiple of every scheme's group.
inline constexpr uint64_t kBandElements = uint64_t{1} << 18;

// A run of elements of one of the things that a scan goes over.
struct ScanBand {
  size_t item = 0;
  uint64_t index = 0;  // of the band in its item
  uint64_t first = 0;
  uint64_t count = 0;
};

// Bands that `elements` elements are cut into.
uint64_t CountBands(uint64_t elements);

// Memory that reading one band of `value` takes.
uint64_t BandMemory(const Value& value);

// The type in which elements of `dtype` are looked at as numbers: f32, or f64 where f32 lacks some
// of its values; nullopt where they are no numbers (complex, 6-bit).
std::optional<DType> NumberType(DType dtype);

// The elements that a band was read into.
template <typename T>
std::span<const T> ValuesIn(const Pool::Buffer& buffer, uint64_t count) {
  return {reinterpret_cast<const T*>(buffer.data()), count};
}

class Scanner {
 public:
  // The checkpoints must outlive the scanner and every value that it loads.
  Scanner(const std::vector<const Checkpoint*>& checkpoints, const CheckOptions& options);

  // What values are loaded from; the checkpoints by number, in the order given.
  const SourceFiles::Checkpoints& sources() const { return sources_; }

  // Elements [first, first + count) of `value`, NaN and infinities as they are. Thread-safe.
  Pool::Buffer Read(const Value& value, uint64_t first, uint64_t count);

  // Reports that a run of `value` is done with.
  void Advance(const Value& value, uint64_t first, uint64_t count) const;
  void Advance(uint64_t bytes) const;

  // Calls step(i) for i in [0, count), as many at once as there are threads and as steps of
  // `step_memory` bytes fit the memory. kLimit where not even one does. Then makes sure that no
  // file changed meanwhile.
  void Run(uint64_t count, uint64_t step_memory, const std::function<void(uint64_t)>& step);

  // The same for all bands of items with so many elements.
  void ForEachBand(const std::vector<uint64_t>& elements, uint64_t step_memory,
                   const std::function<void(const ScanBand&)>& step);

 private:
  const CheckOptions& options_;
  SourceFiles::Checkpoints sources_;
  SourceFiles files_;
  Pool pool_;
};

}  // namespace lbrx
