#include "merge/tokenizer/row_rules.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/format.h"
#include "stream/rearrange.h"

namespace lbrx {
namespace {

// Runs of whole rows can be read of the result.
ValuePtr ByRows(ValuePtr matrix) {
  const uint64_t columns = ColumnsOf(matrix->shape());
  if (columns == 0 || columns % matrix->granule() == 0) {
    return matrix;
  }
  const Shape shape = matrix->shape();
  ValuePtr rows = ViewOf(std::move(matrix), 0, Shape{shape[0], columns}, {columns, 1});
  return Reshape(std::move(rows), shape);
}

}  // namespace

uint64_t ColumnsOf(const Shape& shape) {
  uint64_t columns = 1;
  for (size_t i = 1; i < shape.rank(); ++i) {
    columns *= shape[i];
  }
  return columns;
}

RowRules::RowRules(std::shared_ptr<const OutputVocabulary> vocabulary,
                   std::vector<ValuePtr> matrices, std::optional<uint32_t> base)
    : vocabulary_(std::move(vocabulary)), matrices_(std::move(matrices)), base_(base) {
  for (ValuePtr& matrix : matrices_) {
    if (matrix != nullptr) {
      CheckShape(*matrix);
      matrix = ByRows(std::move(matrix));
      first_ = first_ == nullptr ? matrix.get() : first_;
    }
  }
  for (uint32_t i = 0; i < matrices_.size(); ++i) {
    CheckIds(i);
  }
  for (const OutputVocabulary::Explicit& entry : vocabulary_->sources) {
    CheckSource(entry);
  }
}

RowSource RowRules::Of(uint32_t model, uint64_t row) const {
  if (!IsToken(row)) {
    return {RowSource::Kind::kPadding, 0, 0};
  }
  const TokenSource* source = FindSource(row);
  const int32_t own = IdIn(model, row);
  if (own >= 0 && (source == nullptr || !source->force)) {
    return {RowSource::Kind::kRow, model, static_cast<uint64_t>(own)};
  }
  if (source != nullptr && source->kind == TokenSource::Kind::kZero) {
    return {};
  }
  if (source != nullptr && source->kind == TokenSource::Kind::kId) {
    return {RowSource::Kind::kRow, source->model, source->id};
  }
  return ByOwners(row);
}

RowSource RowRules::ByOwners(uint64_t row) const {
  std::optional<uint32_t> owner;
  bool many = false;
  for (uint32_t i = 0; i < matrices_.size(); ++i) {
    if (IdIn(i, row) >= 0) {
      many = owner.has_value();
      owner = owner.value_or(i);
      if (many) {
        break;
      }
    }
  }
  if (!owner.has_value()) {
    return {};
  }
  if (many && base_.has_value() && IdIn(*base_, row) >= 0) {
    owner = base_;
    many = false;
  }
  return many ? RowSource{RowSource::Kind::kMean, 0, 0}
              : RowSource{RowSource::Kind::kRow, *owner, static_cast<uint64_t>(IdIn(*owner, row))};
}

const TokenSource* RowRules::FindSource(uint64_t row) const {
  const auto& sources = vocabulary_->sources;
  const auto found = std::lower_bound(sources.begin(), sources.end(), row,
                                      [](const auto& entry, uint64_t id) { return entry.id < id; });
  return found == sources.end() || found->id != row ? nullptr : &found->source;
}

void RowRules::CheckShape(const Value& matrix) const {
  if (matrix.shape().rank() == 0 || (first_ != nullptr && matrix.dtype() != first_->dtype())) {
    throw Error(ErrorCode::kInternal, "rows of a value that has none, or of several dtypes");
  }
  bool same = first_ == nullptr || matrix.shape().rank() == first_->shape().rank();
  for (size_t i = 1; same && first_ != nullptr && i < matrix.shape().rank(); ++i) {
    same = matrix.shape()[i] == first_->shape()[i];
  }
  if (!same) {
    throw Error(ErrorCode::kInvalid,
                {.file = {},
                 .object = {},
                 .what = "tensors with a row for each token differ in another dimension",
                 .expected = first_->shape().ToString(),
                 .found = matrix.shape().ToString(),
                 .offset = {},
                 .advice = "models that are merged need the same hidden size"});
  }
}

void RowRules::CheckIds(uint32_t model) const {
  const ValuePtr& matrix = matrices_[model];
  const std::vector<int32_t>& ids = vocabulary_->ids[model];
  const auto largest = std::max_element(ids.begin(), ids.end());
  if (matrix != nullptr && largest != ids.end() && *largest >= 0) {
    CheckRow(model, static_cast<uint64_t>(*largest));
  }
}

void RowRules::CheckSource(const OutputVocabulary::Explicit& entry) const {
  const TokenSource& source = entry.source;
  if (source.kind != TokenSource::Kind::kId) {
    return;
  }
  if (source.model >= matrices_.size() || matrices_[source.model] == nullptr) {
    throw Error(ErrorCode::kInvalid,
                {.file = vocabulary_->names[source.model],
                 .object = Format("token {}", entry.id),
                 .what = "its row is taken from this model, which does not have the tensor",
                 .expected = {},
                 .found = {},
                 .offset = {},
                 .advice = "name a model with the tensor as the token's source"});
  }
  CheckRow(source.model, source.id);
}

void RowRules::CheckRow(uint32_t model, uint64_t row) const {
  if (row >= matrices_[model]->shape()[0]) {
    throw Error(ErrorCode::kInvalid,
                {.file = vocabulary_->names[model],
                 .object = Format("token {}", row),
                 .what = "the tensor has no row for this token",
                 .expected = Format("an id below {}", matrices_[model]->shape()[0]),
                 .found = {},
                 .offset = {},
                 .advice = "vocab_size in its config.json, its tokenizer "
                           "and its tensors must agree"});
  }
}

}  // namespace lbrx
