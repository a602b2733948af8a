// Codes carried over between GGUF's blocks and MLX's schemes without loss: the same numbers, packed
// in another order; scales are copied, doubled or repeated, and nothing is decoded. A zero may come
// with the other sign. Of K formats codes alone are without loss: their scales are products, which
// are rounded. Sources: ggml-common.h (GGML's blocks), MLX's quantized.h and gguf loader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/tensor/encoding.h"

namespace lbrx {

// The scheme of MLX's that has all codes of a block type, affine ones with scales of F16. nullopt:
// there is none.
std::optional<Encoding> MlxTwin(Scheme block);

// The scheme of MLX's that has all codes of a block type (Q4_K, Q5_K) and its scales and minima
// rounded to F16, each by at most 2^-11 of itself. nullopt: there is none, or there is a twin.
std::optional<Encoding> MlxNeighbour(Scheme block);

// The first of `count` blocks (of a type that has a twin or neighbour) whose scales cannot be
// carried: not finite, or a bias would overflow F16 (with the largest factors that a format has),
// or a byte means another number to MLX. nullopt: all can.
std::optional<uint64_t> FirstUncarried(Scheme block, const std::byte* blocks, uint64_t count);

// Writes plane `plane` of MlxTwin(block), or MlxNeighbour(block), from `count` blocks. kInvalid
// where scales or biases are written and FirstUncarried finds a block.
void PlaneFromBlocks(Scheme block, const std::byte* blocks, uint64_t count, size_t plane,
                     std::byte* out);

// Finds the block type that holds an MLX tensor's numbers, which depends on its scales and biases:
// of those that do, the smallest one.
class BlockTwinScan {
 public:
  explicit BlockTwinScan(const Encoding& mlx);

  // Scales and biases (nullptr where the scheme has none) of further groups.
  void Add(const std::byte* scales, const std::byte* biases, uint64_t groups);

  // For what was added so far; once it is nullopt, it stays so.
  std::optional<Scheme> Twin() const;

 private:
  Encoding mlx_;
  uint32_t left_ = 0;  // a bit for each pair of schemes that is possible
};

// A run of blocks to be made from MLX's planes.
struct BlockJob {
  Encoding mlx;
  Scheme block = Scheme::kPlain;
  // As in PlanesOf. The codes begin with the first block, scales and biases with its group.
  std::span<const std::byte* const> planes;
  uint64_t skip = 0;  // elements of that group before the first block, whole blocks
  uint64_t count = 0;
  std::byte* blocks = nullptr;
};

// kInvalid where scales or biases have no place in such blocks (BlockTwinScan would have refused
// them), kInternal for a pair of schemes that is never possible.
void BlocksFromPlanes(const BlockJob& job);

}  // namespace lbrx
