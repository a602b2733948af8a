// Which row of which model each row of a matrix is that is brought to the vocabulary of the result.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "merge/tokenizer/output_vocabulary.h"
#include "stream/value.h"

namespace lbrx {

struct RowSource {
  enum class Kind : uint8_t { kRow, kZero, kMean, kPadding };

  Kind kind = Kind::kZero;
  uint32_t model = 0;  // of kRow
  uint64_t row = 0;    // of kRow: in the matrix of `model`

  bool operator==(const RowSource&) const = default;
};

// Elements of a row: of all dimensions but the first.
uint64_t ColumnsOf(const Shape& shape);

// The rules of AlignRows (merge/tokenizer/aligned_rows.h).
class RowRules {
 public:
  // Throws as AlignRows.
  RowRules(std::shared_ptr<const OutputVocabulary> vocabulary, std::vector<ValuePtr> matrices,
           std::optional<uint32_t> base);

  const OutputVocabulary& vocabulary() const { return *vocabulary_; }

  // Whole rows of them can be read.
  const std::vector<ValuePtr>& matrices() const { return matrices_; }

  // What row `row` of model `model` is in the result.
  RowSource Of(uint32_t model, uint64_t row) const;

  bool IsToken(uint64_t row) const {
    return row < vocabulary_->is_token.size() && vocabulary_->is_token[row];
  }

  // -1 where the model has no such token, or not this tensor.
  int32_t IdIn(uint32_t model, uint64_t row) const {
    return matrices_[model] == nullptr ? -1 : vocabulary_->ids[model][row];
  }

 private:
  RowSource ByOwners(uint64_t row) const;
  const TokenSource* FindSource(uint64_t row) const;
  void CheckShape(const Value& matrix) const;
  void CheckIds(uint32_t model) const;
  void CheckSource(const OutputVocabulary::Explicit& entry) const;
  void CheckRow(uint32_t model, uint64_t row) const;

  std::shared_ptr<const OutputVocabulary> vocabulary_;
  std::vector<ValuePtr> matrices_;
  std::optional<uint32_t> base_;
  const Value* first_ = nullptr;  // of the matrices
};

}  // namespace lbrx
