#include "stream/value.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/base/checked.h"
#include "core/base/error.h"
#include "core/base/format.h"
#include "core/tensor/convert.h"
#include "quant/codec.h"
#include "stream/layout_parts.h"
#include "stream/packed.h"
#include "stream/rearrange.h"

namespace lbrx {
namespace {

// The elements of a stored array as they lie in the file.
class LoadedArray final : public Value {
 public:
  LoadedArray(uint32_t source, const StoredArray& stored, const Shape& shape, bool check)
      : Value(stored.dtype, shape),
        stored_(stored),
        source_(source),
        check_(check && Info(dtype()).floating) {}

  uint64_t granule() const override { return Granule(Plain(dtype())); }

  uint64_t WorkingBytes(uint64_t /*count*/) const override { return 0; }

  uint64_t SourceBytes() const override { return ElementBytes(dtype(), shape().elements()); }

  void Read(ReadContext& context, uint64_t first, uint64_t count, std::byte* out) const override {
    context.files.Read(source_, stored_, ElementBytes(dtype(), first),
                       {out, ElementBytes(dtype(), count)});
    if (check_) {
      CheckFinite(context, dtype(), out, first, count, /*from_cast=*/false);
    }
  }

  void WillNeed(SourceFiles& files, uint64_t first, uint64_t count) const override {
    files.WillNeed(source_, stored_, ElementBytes(dtype(), first), ElementBytes(dtype(), count));
  }

  std::string Describe() const override {
    return Format("load({}, {}, {}{})", source_, stored_.name, Name(dtype()), shape().ToString());
  }

 private:
  const StoredArray& stored_;
  uint32_t source_;
  bool check_;
};

// A value whose elements are checked where they come out of it.
class CheckedValue final : public Value {
 public:
  explicit CheckedValue(ValuePtr input)
      : Value(input->dtype(), input->shape()), input_(std::move(input)) {}

  uint64_t granule() const override { return input_->granule(); }

  uint64_t WorkingBytes(uint64_t count) const override { return input_->WorkingBytes(count); }

  uint64_t SourceBytes() const override { return input_->SourceBytes(); }

  void Read(ReadContext& context, uint64_t first, uint64_t count, std::byte* out) const override {
    input_->Read(context, first, count, out);
    CheckFinite(context, dtype(), out, first, count, /*from_cast=*/false);
  }

  void WillNeed(SourceFiles& files, uint64_t first, uint64_t count) const override {
    input_->WillNeed(files, first, count);
  }

  std::string Describe() const override { return input_->Describe(); }

 private:
  ValuePtr input_;
};

// An encoded tensor, decoded to its own dtype.
class DecodedTensor final : public Value {
 public:
  DecodedTensor(const SourceFiles::Checkpoints& sources, uint32_t source,
                const SourceTensor& tensor, const Shape& stored)
      : Value(tensor.encoding.dtype, stored),
        checkpoint_(*sources[source]),
        tensor_(tensor),
        source_(source),
        codec_(FindCodec(tensor.encoding.scheme)) {}

  uint64_t granule() const override { return Granule(tensor_.encoding); }

  uint64_t WorkingBytes(uint64_t count) const override {
    uint64_t bytes = 0;
    for (size_t i = 0; i < tensor_.planes.size(); ++i) {
      bytes += Pool::ClassSize(PlaneOffset(i, count));
    }
    return bytes;
  }

  uint64_t SourceBytes() const override {
    uint64_t bytes = 0;
    for (const uint32_t plane : tensor_.planes) {
      bytes += checkpoint_.arrays[plane].bytes;
    }
    return bytes;
  }

  void Read(ReadContext& context, uint64_t first, uint64_t count, std::byte* out) const override {
    RequireCodec();
    std::array<Pool::Buffer, kMostPlanes> buffers;
    std::array<const std::byte*, kMostPlanes> planes{};
    for (size_t i = 0; i < tensor_.planes.size(); ++i) {
      buffers[i] = context.pool.Get(PlaneOffset(i, count));
      context.files.Read(source_, checkpoint_.arrays[tensor_.planes[i]], PlaneOffset(i, first),
                         buffers[i].span());
      planes[i] = buffers[i].data();
    }
    codec_->decode({.encoding = tensor_.encoding,
                    .dtype = dtype(),
                    .planes = {planes.data(), tensor_.planes.size()},
                    .elements = count,
                    .values = out});
    CheckFinite(context, dtype(), out, first, count, /*from_cast=*/false);
  }

  void WillNeed(SourceFiles& files, uint64_t first, uint64_t count) const override {
    for (size_t i = 0; i < tensor_.planes.size(); ++i) {
      files.WillNeed(source_, checkpoint_.arrays[tensor_.planes[i]], PlaneOffset(i, first),
                     PlaneOffset(i, count));
    }
  }

  std::string Describe() const override {
    return Format("decode({}, {}, {}, {}{})", source_, tensor_.name, SchemeLabel(tensor_.encoding),
                  Name(dtype()), shape().ToString());
  }

 private:
  static constexpr size_t kMostPlanes = 4;

  // Tensors whose values nothing here knows can be copied all the same.
  void RequireCodec() const {
    if (codec_ == nullptr) {
      throw Error(ErrorCode::kInvalid,
                  {.file = {},
                   .object = tensor_.name,
                   .what = "tensors of this type can be copied, but not decoded",
                   .expected = {},
                   .found = SchemeLabel(tensor_.encoding),
                   .offset = {},
                   .advice = {}});
    }
  }

  // Bytes of plane `i` that `elements` elements (whole groups) take.
  uint64_t PlaneOffset(size_t i, uint64_t elements) const {
    const StoredArray& plane = checkpoint_.arrays[tensor_.planes[i]];
    const uint64_t all = shape().elements();
    // Exact: bytes per group is a whole number in every plane.
    return all == 0 ? 0 : plane.bytes / (all / granule()) * (elements / granule());
  }

  const Checkpoint& checkpoint_;
  const SourceTensor& tensor_;
  uint32_t source_;
  const Codec* codec_;  // nullptr: there is none
};

Shape SwapLast(Shape shape) {
  std::swap(shape[shape.rank() - 2], shape[shape.rank() - 1]);
  return shape;
}

class CastValue final : public Value {
 public:
  CastValue(ValuePtr input, DType dtype)
      : Value(dtype, input->shape()), input_(std::move(input)), narrows_(Narrows()) {}

  uint64_t granule() const override { return std::max(input_->granule(), Granule(Plain(dtype()))); }

  uint64_t WorkingBytes(uint64_t count) const override {
    return Pool::ClassSize(ElementBytes(input_->dtype(), count)) + input_->WorkingBytes(count);
  }

  uint64_t SourceBytes() const override { return input_->SourceBytes(); }

  void Read(ReadContext& context, uint64_t first, uint64_t count, std::byte* out) const override {
    Pool::Buffer buffer = context.pool.Get(ElementBytes(input_->dtype(), count));
    input_->Read(context, first, count, buffer.data());
    Convert(input_->dtype(), buffer.data(), dtype(), out, count);
    if (narrows_) {
      CheckFinite(context, dtype(), out, first, count, /*from_cast=*/true);
    }
  }

  void WillNeed(SourceFiles& files, uint64_t first, uint64_t count) const override {
    input_->WillNeed(files, first, count);
  }

  std::string Describe() const override {
    return Format("cast({}, {})", input_->Describe(), Name(dtype()));
  }

 private:
  // Whether a finite value can become infinite: every cast into fewer exponent bits or mantissa
  // bits.
  bool Narrows() const {
    return Info(dtype()).floating &&
           !(dtype() == DType::kF64 || (dtype() == DType::kF32 && input_->dtype() != DType::kF64));
  }

  ValuePtr input_;
  bool narrows_;
};

}  // namespace

void CheckFinite(ReadContext& context, DType dtype, std::byte* data, uint64_t first, uint64_t count,
                 bool from_cast) {
  if (context.policy == NonFinitePolicy::kKeep || !HasNonFinite(dtype, data, count)) {
    return;
  }
  if (context.tally != nullptr) {
    const NonFinite found = FindNonFinite(dtype, data, count);
    NonFiniteTally& tally = *context.tally;
    if (!tally.first) {
      tally.first = first + found.first;
      tally.from_cast = from_cast;
    }
    tally.count += found.count;
  } else if (context.policy == NonFinitePolicy::kReject) {
    throw NonFiniteFound{};
  }
  if (context.policy == NonFinitePolicy::kZero) {
    const uint64_t width = Info(dtype).bits / 8;
    for (uint64_t i = 0; i < count; ++i) {
      if (HasNonFinite(dtype, data + i * width, 1)) {
        std::memset(data + i * width, 0, width);
      }
    }
  }
}

uint64_t ElementBytes(DType dtype, uint64_t count) {
  return CeilDiv(count * Info(dtype).bits, 8);
}

ValuePtr LoadArray(const SourceFiles::Checkpoints& sources, uint32_t source, uint32_t array,
                   bool check) {
  const StoredArray& stored = sources[source]->arrays[array];
  if (stored.strides.empty()) {
    return std::make_shared<LoadedArray>(source, stored, stored.shape, check);
  }
  // The elements from the first to the last that the strides reach, as one row; and a view of them.
  uint64_t reach = 1;
  for (size_t i = 0; i < stored.shape.rank(); ++i) {
    reach += (stored.shape[i] - 1) * stored.strides[i];
  }
  ValuePtr row = std::make_shared<LoadedArray>(source, stored, Shape{reach}, false);
  ValuePtr view = ViewOf(std::move(row), 0, stored.shape, stored.strides);
  return check && Info(stored.dtype).floating ? std::make_shared<CheckedValue>(std::move(view))
                                              : view;
}

ValuePtr LoadTensor(const SourceFiles::Checkpoints& sources, uint32_t source,
                    const SourceTensor& tensor) {
  if (tensor.encoding.scheme == Scheme::kPlain) {
    return LoadArray(sources, source, tensor.planes[0], /*check=*/true);
  }
  for (const uint32_t plane : tensor.planes) {
    const StoredArray& stored = sources[source]->arrays[plane];
    if (!stored.strides.empty()) {
      throw Error(ErrorCode::kInvalid,
                  {.file = sources[source]->files[stored.file].path,
                   .object = stored.name,
                   .what = "an array of a quantized tensor is stored with strides",
                   .expected = "a contiguous one",
                   .found = {},
                   .offset = stored.offset,
                   .advice = "make it contiguous with torch, and save the model again"});
    }
  }
  const Shape stored = tensor.transposed ? SwapLast(tensor.shape) : tensor.shape;
  ValuePtr value;
  if (!IsPacked(tensor.encoding.scheme)) {
    value = std::make_shared<DecodedTensor>(sources, source, tensor, stored);
  } else {
    value = LoadPacked(sources, source, tensor, stored);
  }
  return tensor.transposed ? Transposed(value) : value;
}

ValuePtr CastTo(ValuePtr value, DType dtype) {
  if (value->dtype() == dtype) {
    return value;
  }
  return std::make_shared<CastValue>(std::move(value), dtype);
}

}  // namespace lbrx
