#include "adapt/low_rank.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "adapt/low_rank_kernel.h"
#include "core/base/error.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

// What is held of R at once: it stays in a core's cache while the rows of a run go by.
constexpr uint64_t kPanelBytes = uint64_t{512} << 10;

// A factor in float32, of `experts` experts.
class Factor {
 public:
  Factor(const LowRankFactor& factor, uint64_t experts)
      : value_(CastTo(factor.value, DType::kF32)), rank_first_(factor.rank_first) {
    const Shape& shape = value_->shape();
    const size_t rank = shape.rank();
    if (rank < 2 || shape.elements() != experts * shape[rank - 2] * shape[rank - 1]) {
      throw Error(ErrorCode::kInternal, "a factor of a wrong shape: " + shape.ToString());
    }
    rank_ = shape[rank - (rank_first_ ? 2 : 1)];
    length_ = shape[rank - (rank_first_ ? 1 : 2)];
  }

  uint64_t rank() const { return rank_; }

  uint64_t length() const { return length_; }

  uint64_t SourceBytes() const { return value_->SourceBytes(); }

  std::string Describe() const {
    return Format("{}{}", value_->Describe(), rank_first_ ? "" : "'");
  }

  // [rank, count] of one expert, from `first` on along the side that it spans.
  Pool::Buffer Read(ReadContext& context, uint64_t expert, uint64_t first, uint64_t count) const {
    Pool::Buffer panel = context.pool.Get(rank_ * count * sizeof(float));
    const uint64_t begin = expert * rank_ * length_;
    if (rank_first_ && count == length_) {
      value_->Read(context, begin, rank_ * length_, panel.data());
    } else if (rank_first_) {
      for (uint64_t k = 0; k < rank_; ++k) {
        value_->Read(context, begin + k * length_ + first, count,
                     panel.data() + k * count * sizeof(float));
      }
    } else {
      Pool::Buffer stored = context.pool.Get(panel.size());
      value_->Read(context, begin + first * rank_, rank_ * count, stored.data());
      Transpose(reinterpret_cast<const float*>(stored.data()), count,
                reinterpret_cast<float*>(panel.data()));
    }
    return panel;
  }

  uint64_t WorkingBytes(uint64_t count) const {
    return (rank_first_ ? 1 : 2) * Pool::ClassSize(rank_ * count * sizeof(float)) +
           value_->WorkingBytes(rank_ * count);
  }

 private:
  void Transpose(const float* in, uint64_t count, float* out) const {
    for (uint64_t i = 0; i < count; ++i) {
      for (uint64_t k = 0; k < rank_; ++k) {
        out[k * count + i] = in[i * rank_ + k];
      }
    }
  }

  ValuePtr value_;
  bool rank_first_;
  uint64_t rank_ = 0;
  uint64_t length_ = 0;
};

// The length of a row: squares in float64, in eight sums by column, which are added from the left.
float LengthOf(const float* row, uint64_t columns) {
  constexpr size_t kSums = 8;
  double sums[kSums] = {};
  for (uint64_t i = 0; i < columns; ++i) {
    sums[i % kSums] += static_cast<double>(row[i]) * row[i];
  }
  return static_cast<float>(std::sqrt(std::accumulate(sums, sums + kSums, 0.0)));
}

class LowRankSum final : public Value {
 public:
  LowRankSum(const ValuePtr& base, const LowRankUpdate& update)
      : Value(DType::kF32, base->shape()),
        base_(CastTo(base, DType::kF32)),
        experts_(base->shape().rank() == 3 ? base->shape()[0] : 1),
        rows_(base->shape()[base->shape().rank() - 2]),
        columns_(base->shape().back()),
        left_(update.left, experts_),
        right_(update.right, experts_),
        scale_(static_cast<float>(update.scale)),
        lengths_(update.row_lengths ? CastTo(update.row_lengths, DType::kF32) : nullptr) {
    if (left_.rank() != right_.rank() || left_.length() != rows_ || right_.length() != columns_ ||
        (lengths_ && (experts_ != 1 || lengths_->shape() != Shape{rows_}))) {
      throw Error(ErrorCode::kInternal, "factors that do not fit " + shape().ToString());
    }
  }

  uint64_t granule() const override {
    return lengths_ ? std::lcm(base_->granule(), std::max<uint64_t>(columns_, 1))
                    : base_->granule();
  }

  uint64_t WorkingBytes(uint64_t count) const override {
    const uint64_t rows = std::min(rows_, count / std::max<uint64_t>(columns_, 1) + 2);
    return base_->WorkingBytes(count) + left_.WorkingBytes(rows) +
           right_.WorkingBytes(std::min(columns_, PanelColumns())) +
           (lengths_ ? Pool::ClassSize(rows * sizeof(float)) + lengths_->WorkingBytes(rows) : 0);
  }

  uint64_t SourceBytes() const override {
    return base_->SourceBytes() + left_.SourceBytes() + right_.SourceBytes() +
           (lengths_ ? lengths_->SourceBytes() : 0);
  }

  void Read(ReadContext& context, uint64_t first, uint64_t count, std::byte* out) const override {
    base_->Read(context, first, count, out);
    auto* values = reinterpret_cast<float*>(out);
    const uint64_t matrix = rows_ * columns_;
    for (uint64_t done = 0; done < count;) {
      const uint64_t begin = (first + done) % matrix;
      const uint64_t end = std::min(matrix, begin + count - done);
      Add(context, (first + done) / matrix, begin, end, values + done);
      done += end - begin;
    }
    if (lengths_) {
      SetLengths(context, first / columns_, count / columns_, values);
    }
    CheckFinite(context, dtype(), out, first, count, /*from_cast=*/false);
  }

  void WillNeed(SourceFiles& files, uint64_t first, uint64_t count) const override {
    base_->WillNeed(files, first, count);
  }

  std::string Describe() const override {
    const std::string sum = Format("low_rank({}, {}, {}, {})", base_->Describe(), left_.Describe(),
                                   right_.Describe(), scale_);
    return lengths_ ? Format("rows_of_length({}, {})", sum, lengths_->Describe()) : sum;
  }

 private:
  // Whole vectors of columns of R, as many as its panel holds.
  uint64_t PanelColumns() const {
    constexpr uint64_t kAtLeast = 128;
    return std::max(kAtLeast, kPanelBytes / sizeof(float) / right_.rank() / kAtLeast * kAtLeast);
  }

  // Elements [begin, end) of one expert's matrix, which begin at `values`.
  void Add(ReadContext& context, uint64_t expert, uint64_t begin, uint64_t end,
           float* values) const {
    const uint64_t first_row = begin / columns_;
    const uint64_t rows = (end - 1) / columns_ + 1 - first_row;
    // Columns of the first row that come before, and of the last that come after, are not asked
    // for; of a run within one row, neither is the rest of R.
    const uint64_t from = rows == 1 ? begin % columns_ : 0;
    const uint64_t to = rows == 1 ? from + (end - begin) : columns_;
    Pool::Buffer left = left_.Read(context, expert, first_row, rows);
    for (uint64_t column = from; column < to;) {
      const uint64_t width = std::min(PanelColumns(), to - column);
      Pool::Buffer right = right_.Read(context, expert, column, width);
      for (uint64_t i = 0; i < rows; ++i) {
        const uint64_t row = (first_row + i) * columns_;  // its index
        const uint64_t low = std::max(row + column, begin);
        const uint64_t high = std::min(row + column + width, end);
        if (low < high) {
          AddRow({.left = reinterpret_cast<const float*>(left.data()) + i,
                  .left_step = rows,
                  .right = reinterpret_cast<const float*>(right.data()) + (low - row - column),
                  .right_step = width,
                  .rank = right_.rank(),
                  .scale = scale_},
                 values + (low - begin), high - low);
        }
      }
      column += width;
    }
  }

  void SetLengths(ReadContext& context, uint64_t first_row, uint64_t rows, float* values) const {
    Pool::Buffer buffer = context.pool.Get(rows * sizeof(float));
    lengths_->Read(context, first_row, rows, buffer.data());
    const auto* wanted = reinterpret_cast<const float*>(buffer.data());
    for (uint64_t i = 0; i < rows; ++i, values += columns_) {
      const float factor = wanted[i] / LengthOf(values, columns_);
      for (uint64_t column = 0; column < columns_; ++column) {
        values[column] *= factor;
      }
    }
  }

  ValuePtr base_;
  uint64_t experts_;
  uint64_t rows_;
  uint64_t columns_;
  Factor left_;
  Factor right_;
  float scale_;
  ValuePtr lengths_;
};

}  // namespace

ValuePtr AddLowRank(const ValuePtr& base, const LowRankUpdate& update) {
  return CastTo(std::make_shared<LowRankSum>(base, update), base->dtype());
}

}  // namespace lbrx
