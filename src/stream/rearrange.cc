#include "stream/rearrange.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "core/base/checked.h"
#include "core/base/error.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

void Require(bool holds, const char* what) {
  if (!holds) {
    throw Error(ErrorCode::kInternal, what);
  }
}

uint64_t BytesPerElement(DType dtype) {
  return Info(dtype).bits / 8;
}

// Reads elements [first, first + count) of `base`, whatever its granule.
void ReadAligned(const Value& base, ReadContext& context, uint64_t first, uint64_t count,
                 std::byte* out) {
  const uint64_t granule = base.granule();
  const uint64_t begin = first / granule * granule;
  const uint64_t end = std::min(RoundUp(first + count, granule), base.shape().elements());
  if (begin == first && end == first + count) {
    base.Read(context, first, count, out);
    return;
  }
  const uint64_t width = BytesPerElement(base.dtype());
  Pool::Buffer buffer = context.pool.Get((end - begin) * width);
  base.Read(context, begin, end - begin, buffer.data());
  std::memcpy(out, buffer.data() + (first - begin) * width, count * width);
}

// What a view reads of its base at once to pick elements out of it.
constexpr uint64_t kWindowBytes = uint64_t{64} << 10;

class View final : public Value {
 public:
  View(ValuePtr base, uint64_t offset, const Shape& shape, const std::vector<uint64_t>& strides)
      : Value(base->dtype(), shape), base_(std::move(base)), offset_(offset), strides_(strides) {
    Require(Info(dtype()).bits % 8 == 0 && shape.rank() == strides.size() && shape.rank() > 0,
            "a view of a dtype or shape that it cannot have");
    uint64_t last = offset;
    for (size_t i = 0; i < shape.rank(); ++i) {
      last += shape[i] == 0 ? 0 : (shape[i] - 1) * strides[i];
    }
    Require(shape.elements() == 0 || last < base_->shape().elements(), "a view beyond its base");
    // Rows that lie one after another in the base are read in one go.
    run_ = strides_.back() == 1 ? shape.back() : 1;
    for (size_t i = shape.rank() - 1; run_ > 1 && i > 0 && strides_[i - 1] == run_; --i) {
      run_ *= shape[i - 1];
    }
  }

  uint64_t granule() const override { return 1; }

  uint64_t WorkingBytes(uint64_t count) const override {
    const uint64_t slack = 2 * base_->granule() + 64;
    const uint64_t block = IsTransposed() ? 2 * count + Columns() * slack : count + slack;
    return Pool::ClassSize(block * BytesPerElement(dtype())) + Pool::ClassSize(kWindowBytes) +
           base_->WorkingBytes(count + slack);
  }

  uint64_t SourceBytes() const override {
    const auto share = static_cast<double>(shape().elements()) /
                       static_cast<double>(std::max<uint64_t>(base_->shape().elements(), 1));
    return static_cast<uint64_t>(static_cast<double>(base_->SourceBytes()) * share);
  }

  void Read(ReadContext& context, uint64_t first, uint64_t count, std::byte* out) const override {
    const uint64_t width = BytesPerElement(dtype());
    for (const uint64_t end = first + count; first < end;) {
      const bool whole_row = first % Columns() == 0 && end - first >= Columns();
      const uint64_t done = IsTransposed() && whole_row ? ReadTransposed(context, first, end, out)
                            : StepsInWindow() > 1       ? ReadGathered(context, first, end, out)
                                                        : ReadRun(context, first, end, out);
      first += done;
      out += done * width;
    }
  }

  void WillNeed(SourceFiles& files, uint64_t first, uint64_t count) const override {
    if (run_ > 1) {  // else too scattered to be worth asking for
      base_->WillNeed(files, BaseIndex(first), std::min(count, run_ - first % run_));
    }
  }

  // A view of this view as one of the base, so that what is transposed twice is read in runs.
  // nullptr where its steps do not follow the dimensions of this one.
  ValuePtr Through(uint64_t offset, const Shape& over, const std::vector<uint64_t>& steps) const {
    const size_t rank = shape().rank();
    std::vector<uint64_t> step(rank, 1);  // of this view's dimensions, in its elements
    for (size_t i = rank - 1; i > 0; --i) {
      step[i - 1] = step[i] * shape()[i];
    }
    std::vector<uint64_t> last(rank, 0);  // the furthest index in each dimension
    for (size_t i = 0; i < rank && shape().elements() != 0; ++i) {
      last[i] = offset / step[i] % shape()[i];
    }
    std::vector<uint64_t> strides(over.rank(), 0);
    for (size_t k = 0; k < over.rank(); ++k) {
      size_t i = 0;
      while (i < rank && (step[i] == 0 || steps[k] % step[i] != 0)) {
        ++i;
      }
      if (i == rank || over[k] == 0) {
        return nullptr;
      }
      last[i] += steps[k] / step[i] * (over[k] - 1);
      strides[k] = steps[k] / step[i] * strides_[i];
    }
    for (size_t i = 0; i < rank; ++i) {
      if (last[i] >= shape()[i]) {
        return nullptr;
      }
    }
    return std::make_shared<View>(base_, BaseIndex(offset), over, strides);
  }

  std::string Describe() const override {
    std::string strides;
    for (const uint64_t stride : strides_) {
      strides += (strides.empty() ? "" : ", ") + std::to_string(stride);
    }
    return Format("view({}, {}, {}, [{}])", base_->Describe(), offset_, shape().ToString(),
                  strides);
  }

 private:
  // The last two dimensions swapped: runs in the base go down the columns.
  bool IsTransposed() const {
    const size_t rank = shape().rank();
    return rank >= 2 && strides_[rank - 1] != 1 && strides_[rank - 2] == 1;
  }

  uint64_t Columns() const { return shape().back(); }

  uint64_t BaseIndex(uint64_t index) const {
    uint64_t at = offset_;
    for (size_t i = shape().rank(); i-- > 0;) {
      at += index % shape()[i] * strides_[i];
      index /= shape()[i];
    }
    return at;
  }

  // Elements that lie together in the base from `first` on.
  uint64_t ReadRun(ReadContext& context, uint64_t first, uint64_t end, std::byte* out) const {
    const uint64_t count = std::min(end - first, run_ - first % run_);
    ReadAligned(*base_, context, BaseIndex(first), count, out);
    return count;
  }

  // How many elements of a row that is not contiguous one window of the base holds.
  uint64_t StepsInWindow() const {
    const uint64_t stride = strides_.back();
    const uint64_t window = kWindowBytes / BytesPerElement(dtype());
    if (stride == 1 || base_->granule() != 1) {
      return 1;
    }
    return stride == 0 ? Columns() : (window - 1) / stride + 1;
  }

  // A piece of a row whose elements are some elements apart, or all the same one: the base is read
  // in one go from the first to the last of them.
  uint64_t ReadGathered(ReadContext& context, uint64_t first, uint64_t end, std::byte* out) const {
    const uint64_t count = std::min({end - first, Columns() - first % Columns(), StepsInWindow()});
    const uint64_t width = BytesPerElement(dtype());
    const uint64_t step = strides_.back() * width;
    Pool::Buffer window = context.pool.Get((count - 1) * step + width);
    base_->Read(context, BaseIndex(first), (count - 1) * strides_.back() + 1, window.data());
    for (uint64_t i = 0; i < count; ++i) {
      std::memcpy(out + i * width, window.data() + i * step, width);
    }
    return count;
  }

  // Whole rows of one matrix: each column's piece is read in one go and spread over the rows.
  uint64_t ReadTransposed(ReadContext& context, uint64_t first, uint64_t end,
                          std::byte* out) const {
    const uint64_t columns = Columns();
    const uint64_t matrix_rows = shape()[shape().rank() - 2];
    const uint64_t row = first / columns % matrix_rows;
    const uint64_t rows = std::min((end - first) / columns, matrix_rows - row);
    const uint64_t width = BytesPerElement(dtype());
    Pool::Buffer column = context.pool.Get(rows * width);
    const uint64_t start = BaseIndex(first);
    for (uint64_t c = 0; c < columns; ++c) {
      ReadAligned(*base_, context, start + c * strides_.back(), rows, column.data());
      for (uint64_t r = 0; r < rows; ++r) {
        std::memcpy(out + (r * columns + c) * width, column.data() + r * width, width);
      }
    }
    return rows * columns;
  }

  ValuePtr base_;
  uint64_t offset_;
  std::vector<uint64_t> strides_;
  uint64_t run_ = 1;
};

class Reshaped final : public Value {
 public:
  Reshaped(ValuePtr value, const Shape& shape)
      : Value(value->dtype(), shape), value_(std::move(value)) {
    Require(shape.elements() == value_->shape().elements(), "a reshape to another size");
  }

  uint64_t granule() const override { return value_->granule(); }

  uint64_t WorkingBytes(uint64_t count) const override { return value_->WorkingBytes(count); }

  uint64_t SourceBytes() const override { return value_->SourceBytes(); }

  void Read(ReadContext& context, uint64_t first, uint64_t count, std::byte* out) const override {
    value_->Read(context, first, count, out);
  }

  void WillNeed(SourceFiles& files, uint64_t first, uint64_t count) const override {
    value_->WillNeed(files, first, count);
  }

  std::string Describe() const override {
    return Format("reshape({}, {})", value_->Describe(), shape().ToString());
  }

 private:
  ValuePtr value_;
};

class Concatenated final : public Value {
 public:
  Concatenated(std::vector<ValuePtr> parts, size_t dim, const Shape& shape)
      : Value(parts[0]->dtype(), shape), parts_(std::move(parts)), dim_(dim) {
    for (const ValuePtr& part : parts_) {
      uint64_t inner = 1;
      for (size_t i = dim; i < shape.rank(); ++i) {
        inner *= part->shape()[i];
      }
      inner_.push_back(inner);
      row_ += inner;
    }
  }

  uint64_t granule() const override { return 1; }

  uint64_t WorkingBytes(uint64_t count) const override {
    uint64_t most = 0;
    for (size_t i = 0; i < parts_.size(); ++i) {
      const uint64_t part = std::min(count, (count / row_ + 2) * inner_[i]) + SlackOf(i);
      most = std::max(most, 2 * Pool::ClassSize(part * BytesPerElement(dtype())) +
                                parts_[i]->WorkingBytes(part));
    }
    return most;
  }

  uint64_t SourceBytes() const override {
    return std::accumulate(
        parts_.begin(), parts_.end(), uint64_t{0},
        [](uint64_t sum, const ValuePtr& part) { return sum + part->SourceBytes(); });
  }

  // Each part's elements in the run lie together in the part: they are read in one go, then woven
  // in.
  void Read(ReadContext& context, uint64_t first, uint64_t count, std::byte* out) const override {
    uint64_t start = 0;  // of the part in a row of the result
    for (size_t i = 0; i < parts_.size(); ++i) {
      ReadPart(context, i, start, first, first + count, out);
      start += inner_[i];
    }
  }

  void WillNeed(SourceFiles& files, uint64_t first, uint64_t count) const override {
    uint64_t start = 0;
    for (size_t i = 0; i < parts_.size(); ++i) {
      const uint64_t from = PartIndex(i, start, first);
      const uint64_t to = PartIndex(i, start, first + count);
      const uint64_t granule = parts_[i]->granule();
      if (to > from) {
        parts_[i]->WillNeed(files, from / granule * granule, RoundUp(to - from, granule));
      }
      start += inner_[i];
    }
  }

  std::string Describe() const override {
    std::string text = Format("concat({}", dim_);
    for (const ValuePtr& part : parts_) {
      text += ", " + part->Describe();
    }
    return text + ")";
  }

 private:
  uint64_t SlackOf(size_t i) const { return 2 * parts_[i]->granule(); }

  // How many elements of part `i`, which begins at `start` of each row, come before `index`.
  uint64_t PartIndex(size_t i, uint64_t start, uint64_t index) const {
    const uint64_t in_row = index % row_;
    const uint64_t in_part = in_row <= start ? 0 : std::min(in_row - start, inner_[i]);
    return index / row_ * inner_[i] + in_part;
  }

  void ReadPart(ReadContext& context, size_t i, uint64_t start, uint64_t first, uint64_t end,
                std::byte* out) const {
    const uint64_t from = PartIndex(i, start, first);
    const uint64_t to = PartIndex(i, start, end);
    if (from == to) {
      return;
    }
    const uint64_t width = BytesPerElement(dtype());
    const auto place = [&](uint64_t index) {  // of a part's element, from the run's beginning
      return index / inner_[i] * row_ + start + index % inner_[i] - first;
    };
    if (from / inner_[i] == (to - 1) / inner_[i]) {  // within one row: no weaving
      ReadAligned(*parts_[i], context, from, to - from, out + place(from) * width);
      return;
    }
    Pool::Buffer buffer = context.pool.Get((to - from) * width);
    ReadAligned(*parts_[i], context, from, to - from, buffer.data());
    for (uint64_t at = from; at < to;) {
      const uint64_t run = std::min(to - at, inner_[i] - at % inner_[i]);
      std::memcpy(out + place(at) * width, buffer.data() + (at - from) * width, run * width);
      at += run;
    }
  }

  std::vector<ValuePtr> parts_;
  size_t dim_;
  std::vector<uint64_t> inner_;  // elements that a part adds to each row of the result
  uint64_t row_ = 0;             // elements of such a row
};

}  // namespace

ValuePtr ViewOf(ValuePtr base, uint64_t offset, const Shape& shape,
                const std::vector<uint64_t>& strides) {
  if (const auto* view = dynamic_cast<const View*>(base.get())) {
    if (ValuePtr through = view->Through(offset, shape, strides)) {
      return through;
    }
  }
  return std::make_shared<View>(std::move(base), offset, shape, strides);
}

ValuePtr Reshape(ValuePtr value, const Shape& shape) {
  if (value->shape() == shape) {
    return value;
  }
  return std::make_shared<Reshaped>(std::move(value), shape);
}

ValuePtr Concat(std::vector<ValuePtr> parts, size_t dim) {
  Require(!parts.empty() && dim < parts[0]->shape().rank() && Info(parts[0]->dtype()).bits % 8 == 0,
          "a concatenation of nothing");
  Shape shape = parts[0]->shape();
  shape[dim] = 0;
  for (const ValuePtr& part : parts) {
    Shape other = part->shape();
    Require(part->dtype() == parts[0]->dtype() && other.rank() == shape.rank(),
            "a concatenation of parts that do not go together");
    const uint64_t length = other[dim];
    other[dim] = shape[dim];
    Require(other == shape, "a concatenation of parts that do not go together");
    shape[dim] += length;
  }
  if (parts.size() == 1) {
    return parts[0];
  }
  return std::make_shared<Concatenated>(std::move(parts), dim, shape);
}

}  // namespace lbrx
