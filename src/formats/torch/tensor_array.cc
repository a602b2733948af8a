#include "formats/torch/tensor_array.h"

#include <algorithm>
#include <span>
#include <utility>

#include "core/base/checked.h"
#include "core/base/error.h"
#include "core/base/format.h"

namespace lbrx {

namespace {

// A tensor that repeats elements (strides of 0 or overlapping ones) is written out in full: no
// larger than this, lest a few bytes become a full disk.
constexpr uint64_t kMostRepeated = uint64_t{1} << 30;

[[noreturn]] void Fail(std::string what, std::string expected = {}, std::string found = {},
                       std::string advice = {}) {
  ErrorDetail detail;
  detail.what = std::move(what);
  detail.expected = std::move(expected);
  detail.found = std::move(found);
  detail.advice = std::move(advice);
  throw Error(ErrorCode::kInvalid, std::move(detail));
}

uint64_t NumberOf(const PickleValue& value, const char* what) {
  if (value.kind != PickleKind::kInt) {
    Fail(Format("{} is no integer", what));
  }
  if (static_cast<int64_t>(value.payload) < 0) {
    Fail(Format("{} is negative", what), "at least 0",
         std::to_string(static_cast<int64_t>(value.payload)));
  }
  return value.payload;
}

std::vector<uint64_t> NumbersOf(std::span<const PickleValue> values, const char* what) {
  std::vector<uint64_t> numbers;
  for (const PickleValue& value : values) {
    numbers.push_back(NumberOf(value, what));
  }
  return numbers;
}

std::vector<uint64_t> ContiguousStrides(const Shape& shape) {
  std::vector<uint64_t> strides(shape.rank());
  uint64_t stride = 1;
  for (size_t i = shape.rank(); i-- > 0;) {
    strides[i] = stride;
    stride *= std::max<uint64_t>(shape[i], 1);
  }
  return strides;
}

// Index behind the last element that `shape` and `strides` reach, from `offset`.
uint64_t EndOf(uint64_t offset, const Shape& shape, const std::vector<uint64_t>& strides) {
  uint64_t end = offset;
  for (size_t i = 0; i < shape.rank(); ++i) {
    uint64_t reach = 0;
    if (MulOverflows(shape[i] - 1, strides[i], &reach) || AddOverflows(end, reach, &end)) {
      Fail(Format("strides of shape {} overflow 64 bits", shape.ToString()));
    }
  }
  if (AddOverflows(end, 1, &end)) {
    Fail(Format("strides of shape {} overflow 64 bits", shape.ToString()));
  }
  return end;
}

DType DTypeOf(const PickleTensor& tensor, const PickleStorage& storage) {
  const PickleGlobal& type = tensor.dtype != nullptr ? *tensor.dtype : *storage.type;
  if (!type.dtype) {
    Fail(Format("{} cannot be read, it is of {}.{}", type.note, type.module, type.name), "", "",
         "load it with torch, convert it to a plain dtype and save it again");
  }
  return *type.dtype;
}

Shape ShapeOf(const std::vector<uint64_t>& dims, uint64_t width) {
  if (dims.size() > Shape::kMaxRank) {
    Fail("too many dimensions", Format("at most {}", Shape::kMaxRank), std::to_string(dims.size()));
  }
  const Shape shape{std::span<const uint64_t>(dims)};
  const std::optional<uint64_t> elements = shape.CheckedElements();
  if (!elements || !CheckedMul(*elements, width)) {
    Fail(Format("shape {} is too large, its size overflows 64 bits", shape.ToString()));
  }
  return shape;
}

StoredArray Array(const PickleHeap& heap, const PickleTensor& tensor, const StorageSpan& span) {
  if (!tensor.flaw.empty()) {
    Fail(Format("{} cannot be read", tensor.flaw), "a plain tensor", "",
         "load it with torch, make it a plain contiguous tensor and save it again");
  }
  const PickleStorage& storage = heap.storages[tensor.storage];
  StoredArray array;
  array.dtype = DTypeOf(tensor, storage);
  const uint64_t width = Info(array.dtype).bits / 8;
  const std::optional<uint64_t> storage_bytes = CheckedMul(storage.elements, StorageWidth(storage));
  if (!storage_bytes || *storage_bytes > span.bytes) {
    Fail(Format("storage \"{}\" is longer than its data", Printable(storage.key, 60)),
         Format("at most {} bytes", span.bytes), Format("{} elements", storage.elements));
  }
  array.shape = ShapeOf(NumbersOf(heap.Tuple(tensor.shape), "a dimension"), width);
  std::vector<uint64_t> strides = NumbersOf(heap.Tuple(tensor.strides), "a stride");
  if (strides.size() != array.shape.rank()) {
    Fail("size and stride have different lengths", std::to_string(array.shape.rank()),
         std::to_string(strides.size()));
  }
  uint64_t offset = NumberOf(tensor.offset, "the offset in the storage");
  const uint64_t elements = array.shape.elements();
  array.bytes = elements * width;
  array.offset = span.offset;
  if (elements == 0) {
    return array;
  }
  const std::vector<uint64_t> contiguous = ContiguousStrides(array.shape);
  for (size_t i = 0; i < strides.size(); ++i) {
    strides[i] = array.shape[i] == 1 ? contiguous[i] : strides[i];
  }
  const uint64_t all = *storage_bytes / width;
  if (AddOverflows(offset, storage.view_offset, &offset) ||
      EndOf(offset, array.shape, strides) > all) {
    Fail(Format("elements lie outside of storage \"{}\"", Printable(storage.key, 60)),
         Format("{} elements at most", all),
         Format("shape {} from element {}", array.shape.ToString(), offset));
  }
  if (elements > all && array.bytes > kMostRepeated) {
    Fail(Format("shape {} repeats the elements of its storage too often", array.shape.ToString()),
         Format("at most {} bytes", kMostRepeated), std::to_string(array.bytes));
  }
  array.offset += offset * width;
  if (strides != contiguous) {
    array.strides = std::move(strides);
  }
  return array;
}

}  // namespace

uint64_t StorageWidth(const PickleStorage& storage) {
  if (!storage.type->dtype) {
    Fail(Format("{} cannot be read, storage \"{}\" is a {}", storage.type->note,
                Printable(storage.key, 60), storage.type->name),
         "", "", "load it with torch, convert it to a plain dtype and save it again");
  }
  return Info(*storage.type->dtype).bits / 8;
}

StoredArray ArrayOfTensor(const PickleHeap& heap, const PickleTensor& tensor,
                          const std::string& name, const StorageSpan& span) {
  try {
    StoredArray array = Array(heap, tensor, span);
    array.name = name;
    return array;
  } catch (Error& error) {
    ErrorDetail detail = error.detail();
    detail.object = name;
    detail.offset = tensor.position;
    throw Error(error.code(), std::move(detail));
  }
}

}  // namespace lbrx
