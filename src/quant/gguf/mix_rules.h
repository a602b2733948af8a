// The rules by which some kinds of tensors get another type than the file type's base.
#pragma once

#include <cstdint>
#include <optional>

#include "core/tensor/encoding.h"
#include "quant/gguf/file_types.h"
#include "quant/gguf/tensor_names.h"

namespace lbrx {

// What a rule may ask of a tensor and its model. `i` is the tensor's position among those of its
// kind and `n` the number of positions: for kValue counted over the tensors of that kind, for the
// feed-forward kinds the layers. Divisions are of integers.
enum MixCondition : uint32_t {
  kFirstTwo = 1U << 0,        // i < 2
  kFirstFour = 1U << 1,       // i < 4
  kFirstSixteenth = 1U << 2,  // i < n/16
  kFirstEighth = 1U << 3,     // i < n/8
  kMiddle = 1U << 4,          // n/8 <= i < 7n/8
  kMoreBits = 1U << 5,        // the first and last eighth, and every third between
  kSharedHeads = 1U << 6,     // at least 4 query heads a key head
  kManyExperts = 1U << 7,     // at least 4
  kEightExperts = 1U << 8,
  kNotEightExperts = 1U << 9,
  kFalcon = 1U << 10,
  kNotFalcon = 1U << 11,
  kImportance = 1U << 12,
  kNoImportance = 1U << 13,
  kUneven = 1U << 14,       // a row does not divide into blocks of the base type
  kStacked = 1U << 15,      // more than one matrix
  kGlm5Next = 1U << 16,     // one of the tensors that this architecture wants in 8 bits
  kBailingMoe3 = 1U << 17,  // whose stacked attention is not of experts
};

// The type that the rules give a tensor of `kind` in a file of type `file_type`, `conditions` being
// those that hold; nullopt: the base type.
std::optional<Scheme> RuledScheme(TensorKind kind, FileTypeId file_type, uint32_t conditions);

// A set of file types, by number.
constexpr uint64_t FileTypeSet(std::initializer_list<FileTypeId> ids) {
  uint64_t set = 0;
  for (const FileTypeId id : ids) {
    set |= uint64_t{1} << static_cast<uint32_t>(id);
  }
  return set;
}

// File types below 3 bits, which have rules of their own.
constexpr uint64_t kTinyFileTypes =
    FileTypeSet({FileTypeId::kIq1S, FileTypeId::kIq1M, FileTypeId::kIq2Xxs, FileTypeId::kIq2Xs,
                 FileTypeId::kIq2S, FileTypeId::kIq2M});

}  // namespace lbrx
