// Merge methods: the registry, and what a method does with one tensor.
//
// A method sees a tensor of every model as floats and gives the merged one's. Where it needs a
// figure of the whole tensor (a norm, a threshold), it asks for passes over the data before any
// element is put together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/tensor/dtype.h"
#include "core/tensor/shape.h"

namespace lbrx {

// Values of a method's parameters, by the names that the configuration has for them.
class MergeParameters {
 public:
  void Set(std::string_view name, double value);
  bool Has(std::string_view name) const;
  // kInternal where it was not set: the planner fills in defaults and refuses what is missing.
  double Get(std::string_view name) const;

  bool Flag(std::string_view name) const { return Get(name) != 0; }

  const std::vector<std::pair<std::string, double>>& all() const { return values_; }

 private:
  std::vector<std::pair<std::string, double>> values_;
};

// Elements [first, first + count) of a tensor, of every model.
struct MergeTile {
  uint64_t first = 0;
  size_t count = 0;
  std::span<const float* const> members;  // in the order of the configuration
  const float* base = nullptr;            // where the method has a base apart from the members
};

// The tiles of a piece of the tensor, one after another.
class MergeTiles {
 public:
  virtual ~MergeTiles() = default;
  // nullptr after the last. Valid until the next call.
  virtual const MergeTile* Next() = 0;
};

// How a tensor of `elements` elements is cut for passes: pieces of whole `granule`s, the same for
// any number of threads and any memory.
struct MergePieces {
  uint64_t elements = 0;  // of each piece but the last
  size_t count = 0;
};

MergePieces CutIntoPieces(uint64_t elements, uint64_t granule);

// What one method does with one tensor. Made when the plan is; holds the figures that passes find.
class MergeKernel {
 public:
  virtual ~MergeKernel() = default;

  // Tiles begin at multiples of this: 1, or the row length of methods that need whole rows.
  virtual uint64_t granule() const { return 1; }

  // Asked again after each FinishPass: where that found enough, there may be fewer.
  virtual int passes() const { return 0; }

  // Looks at piece `piece` in pass `pass`. Called once for each piece, from any thread, in any
  // order; pieces are the same for any number of threads and any memory. What is not exact whatever
  // the order is kept for each piece, and added up in FinishPass.
  virtual void Observe(int pass, size_t piece, MergeTiles& tiles);

  // All pieces of the pass were seen; nothing else runs meanwhile.
  virtual void FinishPass(int pass);

  // The merged elements of a tile. Thread-safe, after all passes.
  virtual void Combine(const MergeTile& tile, float* out) const = 0;

  // Bytes that the kernel holds at most, while passes run on `threads` threads as well.
  virtual uint64_t StateBytes(unsigned threads) const;
};

// How arithmetic rounds: not at all beyond float32, or each operation in the dtype that the peer
// works in (--compat mergekit).
enum class MergeRounding : uint8_t { kNone, kBF16, kF16 };

// One tensor that is to be merged.
struct MergeTensor {
  std::string name;  // in the output: random draws depend on it
  Shape shape;
  MergeParameters parameters;            // those of the method
  std::vector<MergeParameters> members;  // those of each member
  bool has_base = false;                 // MergeTile::base is there
  uint64_t seed = 0;
  bool compat = false;  // as mergekit computes it: its random stream, its order
  MergeRounding rounding = MergeRounding::kNone;
  uint64_t stream_position = 0;  // 32-bit draws of mergekit's stream before this tensor's
};

// Which part the base model plays.
enum class BaseRole : uint8_t {
  kNone,      // none: where it is named, it is a member as any other
  kOptional,  // apart from the members, where it is named
  kRequired,  // apart from the members
};

// What becomes of a tensor that only one model has.
enum class LoneTensor : uint8_t { kMerge, kAsItIs, kError };

struct MergeParameterInfo {
  enum class Kind : uint8_t { kNumber, kInteger, kBoolean };

  std::string_view name;
  Kind kind = Kind::kNumber;
  bool of_member = false;  // a value for each model; else one for the tensor
  bool required = false;
  double standard = 0;  // where it is not given and not required
  std::string_view summary;
};

struct MergeMethod {
  std::string_view name;  // "ties"
  std::string_view summary;
  std::string_view reference;  // paper
  std::span<const MergeParameterInfo> parameters;
  BaseRole base = BaseRole::kNone;
  // Members without the base.
  size_t least_members = 1;
  size_t most_members = SIZE_MAX;
  LoneTensor lone = LoneTensor::kMerge;
  // Of shapes that differ in an embedding: cut all to the common rows and columns (else to those of
  // the base).
  bool cuts_to_common = false;
  // Elsewhere, a member whose shape is not the base's is left out; else it is an error.
  bool drops_misfits = false;
  // Its only member's tensor is the result as it is, codes and all, where the member's parameters
  // have their standard values.
  bool carries = false;
  bool widens = false;  // under --compat the result is float32 whatever the inputs are
  // Throws Error (kInvalid) for parameters outside their range, naming the tensor.
  std::unique_ptr<MergeKernel> (*make)(const MergeTensor& tensor);
  // 32-bit draws that this tensor takes from mergekit's random stream; nullptr: none.
  uint64_t (*draws)(const MergeTensor& tensor) = nullptr;
};

// All methods, in the order in which they are listed.
std::span<const MergeMethod* const> MergeMethods();
// kInvalid with a suggestion where there is none.
const MergeMethod& FindMergeMethod(std::string_view name);

}  // namespace lbrx
