#include "merge/tokenizer/aligned_rows.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <span>

#include "core/base/error.h"
#include "core/base/format.h"
#include "core/base/hash.h"
#include "core/tensor/convert.h"
#include "merge/tokenizer/row_rules.h"

namespace lbrx {
namespace {

// What the mean of all rows reads at once, if a row is no larger.
constexpr uint64_t kPieceBytes = uint64_t{1} << 20;

// sum += the `count` elements of `dtype` at `in`. `wide` is room for as many of T.
template <typename T>
void AddRow(DType dtype, const std::byte* in, uint64_t count, T* wide, T* sum) {
  Convert(dtype, in, sizeof(T) == 4 ? DType::kF32 : DType::kF64, reinterpret_cast<std::byte*>(wide),
          count);
  for (uint64_t i = 0; i < count; ++i) {
    sum[i] += wide[i];
  }
}

// The sums divided by `rows`, rounded once to `dtype`.
template <typename T>
void FinishMean(DType dtype, uint64_t rows, uint64_t count, T* sum, std::byte* out) {
  for (uint64_t i = 0; i < count; ++i) {
    sum[i] /= static_cast<T>(rows);
  }
  Convert(sizeof(T) == 4 ? DType::kF32 : DType::kF64, reinterpret_cast<const std::byte*>(sum),
          dtype, out, count);
}

template <typename T>
T* Zeros(Pool::Buffer& buffer) {
  std::memset(buffer.data(), 0, buffer.size());
  return reinterpret_cast<T*>(buffer.data());
}

Shape WithRows(Shape shape, uint64_t rows) {
  shape[0] = rows;
  return shape;
}

class AlignedRows final : public Value {
 public:
  AlignedRows(std::shared_ptr<const RowRules> rules, uint32_t model)
      : Value(rules->matrices()[model]->dtype(),
              WithRows(rules->matrices()[model]->shape(), rules->vocabulary().rows)),
        rules_(std::move(rules)),
        model_(model),
        columns_(ColumnsOf(shape())),
        row_bytes_(ElementBytes(dtype(), columns_)) {}

  uint64_t granule() const override { return std::max<uint64_t>(columns_, 1); }

  uint64_t WorkingBytes(uint64_t count) const override {
    const uint64_t piece = std::max(kPieceBytes / std::max<uint64_t>(row_bytes_, 1), uint64_t{1});
    uint64_t most = 0;
    for (const ValuePtr& matrix : rules_->matrices()) {
      if (matrix != nullptr) {
        most = std::max({most, matrix->WorkingBytes(count),
                         HasPadding() ? matrix->WorkingBytes(piece * columns_) : 0});
      }
    }
    // Of a mean: a row, its wide form and the sum; of the mean of all rows also a piece.
    const uint64_t wide = Pool::ClassSize(columns_ * sizeof(double));
    const uint64_t rows = Pool::ClassSize(row_bytes_) + 2 * wide;
    return most + (HasPadding() ? 2 * rows + Pool::ClassSize(piece * row_bytes_) : rows);
  }

  uint64_t SourceBytes() const override {
    std::vector<uint64_t> counts(rules_->matrices().size(), 0);
    for (uint64_t row = 0; row < shape()[0]; ++row) {
      const RowSource source = rules_->Of(model_, row);
      for (uint32_t i = 0; i < counts.size(); ++i) {
        const bool owner = source.kind == RowSource::Kind::kMean && rules_->IdIn(i, row) >= 0;
        counts[i] += owner || (source.kind == RowSource::Kind::kRow && source.model == i) ? 1 : 0;
      }
    }
    uint64_t bytes = 0;
    for (size_t i = 0; i < counts.size(); ++i) {
      if (const ValuePtr& matrix = rules_->matrices()[i]; matrix != nullptr && counts[i] != 0) {
        bytes += matrix->SourceBytes() / matrix->shape()[0] * counts[i];
      }
    }
    return HasPadding() ? 2 * bytes : bytes;
  }

  void Read(ReadContext& context, uint64_t first, uint64_t count, std::byte* out) const override {
    if (columns_ != 0) {
      ReadRows(context, first / columns_, count / columns_, out);
    }
  }

  void WillNeed(SourceFiles& files, uint64_t first, uint64_t count) const override {
    if (columns_ == 0) {
      return;
    }
    for (uint64_t row = first / columns_, end = row + count / columns_; row < end;) {
      const RowSource source = rules_->Of(model_, row);
      const uint64_t rows = RunFrom(source, row, end);
      if (source.kind == RowSource::Kind::kRow && rows * row_bytes_ >= kWorthAsking) {
        Matrix(source.model).WillNeed(files, source.row * columns_, rows * columns_);
      }
      row += rows;
    }
  }

  std::string Describe() const override {
    const std::vector<ValuePtr>& matrices = rules_->matrices();
    Sha256 hash;
    for (uint64_t row = 0; row < shape()[0]; ++row) {
      const RowSource source = rules_->Of(model_, row);
      const uint64_t words[] = {static_cast<uint64_t>(source.kind), source.model, source.row};
      hash.Update(std::as_bytes(std::span(words)));
      for (uint32_t i = 0; source.kind == RowSource::Kind::kMean && i < matrices.size(); ++i) {
        const int32_t id = rules_->IdIn(i, row);
        hash.Update(std::as_bytes(std::span(&id, 1)));
      }
    }
    std::string text = Format("rows({}, {}", shape()[0], hash.FinishHex());
    for (const ValuePtr& matrix : matrices) {
      text += ", " + (matrix == nullptr ? std::string("none") : matrix->Describe());
    }
    return text + ")";
  }

 private:
  static constexpr uint64_t kWorthAsking = uint64_t{64} << 10;

  const Value& Matrix(uint32_t model) const { return *rules_->matrices()[model]; }

  bool HasPadding() const { return rules_->vocabulary().tokens < shape()[0]; }

  // How many rows from `row` on lie one after another in the same matrix.
  uint64_t RunFrom(RowSource source, uint64_t row, uint64_t end) const {
    uint64_t rows = 1;
    while (source.kind == RowSource::Kind::kRow && row + rows < end) {
      ++source.row;
      if (rules_->Of(model_, row + rows) != source) {
        break;
      }
      ++rows;
    }
    return rows;
  }

  void ReadRows(ReadContext& context, uint64_t row, uint64_t count, std::byte* out) const {
    for (const uint64_t end = row + count; row < end;) {
      const RowSource source = rules_->Of(model_, row);
      const uint64_t rows = RunFrom(source, row, end);
      switch (source.kind) {
        case RowSource::Kind::kRow:
          Matrix(source.model).Read(context, source.row * columns_, rows * columns_, out);
          break;
        case RowSource::Kind::kZero:
          std::memset(out, 0, row_bytes_);
          break;
        case RowSource::Kind::kMean:
          if (dtype() == DType::kF64) {
            ReadMean<double>(context, row, out);
          } else {
            ReadMean<float>(context, row, out);
          }
          break;
        case RowSource::Kind::kPadding:
          CopyPadding(context, out);
          break;
      }
      row += rows;
      out += rows * row_bytes_;
    }
  }

  // The mean over the models that have the token. In float64 where the matrices are.
  template <typename T>
  void ReadMean(ReadContext& context, uint64_t row, std::byte* out) const {
    Pool::Buffer read = context.pool.Get(row_bytes_);
    Pool::Buffer wide = context.pool.Get(columns_ * sizeof(T));
    Pool::Buffer sum = context.pool.Get(columns_ * sizeof(T));
    T* total = Zeros<T>(sum);
    uint64_t owners = 0;
    for (uint32_t i = 0; i < rules_->matrices().size(); ++i) {
      const int32_t id = rules_->IdIn(i, row);
      if (id >= 0) {
        Matrix(i).Read(context, static_cast<uint64_t>(id) * columns_, columns_, read.data());
        AddRow(dtype(), read.data(), columns_, reinterpret_cast<T*>(wide.data()), total);
        ++owners;
      }
    }
    FinishMean(dtype(), owners, columns_, total, out);
  }

  void CopyPadding(ReadContext& context, std::byte* out) const {
    const std::lock_guard lock(mutex_);
    if (padding_.empty()) {
      padding_ = MeanOfTokens(context);
    }
    std::memcpy(out, padding_.data(), row_bytes_);
  }

  std::vector<std::byte> MeanOfTokens(ReadContext& given) const {
    // What is not finite is reported where the rows themselves are read.
    ReadContext context{
        given.files, given.pool,
        given.policy == NonFinitePolicy::kZero ? NonFinitePolicy::kZero : NonFinitePolicy::kKeep,
        nullptr};
    const uint64_t piece = std::max(kPieceBytes / row_bytes_, uint64_t{1});
    Pool::Buffer rows = context.pool.Get(piece * row_bytes_);
    Pool::Buffer wide = context.pool.Get(columns_ * sizeof(double));
    Pool::Buffer sum = context.pool.Get(columns_ * sizeof(double));
    auto* total = Zeros<double>(sum);
    for (uint64_t row = 0; row < shape()[0];) {
      uint64_t count = 0;
      while (count < piece && rules_->IsToken(row + count)) {
        ++count;
      }
      ReadRows(context, row, count, rows.data());
      for (uint64_t i = 0; i < count; ++i) {
        AddRow(dtype(), rows.data() + i * row_bytes_, columns_,
               reinterpret_cast<double*>(wide.data()), total);
      }
      row += std::max<uint64_t>(count, 1);
    }
    std::vector<std::byte> mean(row_bytes_);
    FinishMean(dtype(), rules_->vocabulary().tokens, columns_, total, mean.data());
    return mean;
  }

  std::shared_ptr<const RowRules> rules_;
  uint32_t model_;
  uint64_t columns_;
  uint64_t row_bytes_;
  mutable std::mutex mutex_;
  mutable std::vector<std::byte> padding_;  // a row; empty until the first is read
};

// Whether the model's matrix is the result.
bool IsUnchanged(const RowRules& rules, uint32_t model) {
  const uint64_t rows = rules.matrices()[model]->shape()[0];
  bool same = rows == rules.vocabulary().rows;
  for (uint64_t row = 0; same && row < rows; ++row) {
    same = rules.Of(model, row) == RowSource{RowSource::Kind::kRow, model, row};
  }
  return same;
}

}  // namespace

std::vector<ValuePtr> AlignRows(std::shared_ptr<const OutputVocabulary> vocabulary,
                                std::vector<ValuePtr> matrices, std::optional<uint32_t> base) {
  const auto rules =
      std::make_shared<const RowRules>(std::move(vocabulary), std::move(matrices), base);
  std::vector<ValuePtr> aligned;
  for (uint32_t i = 0; i < rules->matrices().size(); ++i) {
    if (rules->matrices()[i] == nullptr) {
      aligned.push_back(nullptr);
    } else if (IsUnchanged(*rules, i)) {
      aligned.push_back(rules->matrices()[i]);
    } else {
      aligned.push_back(std::make_shared<AlignedRows>(rules, i));
    }
  }
  return aligned;
}

}  // namespace lbrx
