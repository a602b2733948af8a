#include "check/repair/fill.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>

#include "core/base/format.h"
#include "core/tensor/convert.h"
#include "formats/mlx/mlx.h"
#include "formats/names.h"

namespace lbrx {
namespace {

class ZeroValue final : public Value {
 public:
  ZeroValue(DType dtype, const Shape& shape) : Value(dtype, shape) {}

  uint64_t granule() const override { return Granule(Plain(dtype())); }

  uint64_t WorkingBytes(uint64_t /*count*/) const override { return 0; }

  uint64_t SourceBytes() const override { return 0; }

  void Read(ReadContext& /*context*/, uint64_t /*first*/, uint64_t count,
            std::byte* out) const override {
    std::memset(out, 0, ElementBytes(dtype(), count));
  }

  void WillNeed(SourceFiles& /*files*/, uint64_t /*first*/, uint64_t /*count*/) const override {}

  std::string Describe() const override {
    return Format("zeros({}{})", Name(dtype()), shape().ToString());
  }
};

class TensorPlanner {
 public:
  TensorPlanner(const Plan& plan, RepairRequest::Fill fill, std::vector<Lost>& lost)
      : plan_(plan), source_(*plan.sources[0]), fill_(fill), lost_(lost) {}

  std::vector<PlannedTensor> Run() {
    if (fill_ == RepairRequest::Fill::kNothing) {
      for (const SourceTensor& tensor : source_.tensors) {
        Copy(tensor);
      }
      return std::move(out_);
    }
    const Checkpoint whole = WithLost();
    for (const SourceTensor& tensor : whole.tensors) {
      const bool saved = std::all_of(tensor.planes.begin(), tensor.planes.end(),
                                     [&](uint32_t plane) { return plane < source_.arrays.size(); });
      if (saved) {
        Copy(tensor);
      } else {
        Replace(tensor, whole);
      }
    }
    return std::move(out_);
  }

 private:
  // The source as if the lost arrays that can be filled were there, behind the others; grouped
  // anew.
  Checkpoint WithLost() {
    Checkpoint whole;
    whole.format = source_.format;
    whole.folder = source_.folder;
    whole.files = source_.files;
    whole.arrays = source_.arrays;
    for (size_t i = 0; i < lost_.size(); ++i) {
      const Lost& lost = lost_[i];
      if (!lost.kind || (fill_ == RepairRequest::Fill::kReference && !InReference(lost))) {
        continue;
      }
      lost_index_[static_cast<uint32_t>(whole.arrays.size())] = i;
      whole.arrays.push_back({.name = lost.tensor,
                              .dtype = lost.kind->dtype,
                              .shape = lost.kind->shape,
                              .file = 0,
                              .offset = 0,
                              .bytes = lost.bytes.value_or(0),
                              .strides = {}});
    }
    if (whole.format == "mlx") {
      GroupMlxTensors(whole, source_.config, /*collect_problems=*/true);
    } else {
      AddPlainTensors(whole);
      whole.BuildIndex();
    }
    return whole;
  }

  bool InReference(const Lost& lost) const {
    return ReferenceArray(lost.tensor, *lost.kind) ||
           ReferenceTensor(lost.tensor, lost.kind->shape) ||
           (source_.format == "mlx" && plan_.sources[1]->Find(WeightOf(lost.tensor)) != nullptr);
  }

  // Of a plane: the name of its matrix.
  static std::string WeightOf(const std::string& plane) {
    return plane.substr(0, plane.rfind('.')) + ".weight";
  }

  // A stored array of the reference of this very kind.
  std::optional<uint32_t> ReferenceArray(const std::string& name, const ArrayKind& kind) const {
    const Checkpoint& reference = *plan_.sources[1];
    for (uint32_t i = 0; i < reference.arrays.size(); ++i) {
      const StoredArray& array = reference.arrays[i];
      if (array.name == name && array.dtype == kind.dtype && array.shape == kind.shape) {
        return i;
      }
    }
    return std::nullopt;
  }

  const SourceTensor* ReferenceTensor(const std::string& name, const Shape& shape) const {
    const SourceTensor* tensor = plan_.sources[1]->Find(name);
    return tensor != nullptr && tensor->shape == shape ? tensor : nullptr;
  }

  static PlannedTensor Begin(const SourceTensor& tensor) {
    PlannedTensor planned;
    planned.output = OutputTensor(tensor.name, tensor.encoding, tensor.shape);
    planned.source_label = SchemeLabel(tensor.encoding);
    return planned;
  }

  void Copy(const SourceTensor& tensor) {
    PlannedTensor planned = Begin(tensor);
    for (const uint32_t plane : tensor.planes) {
      planned.copies.push_back(LoadArray(plan_.sources, 0, plane, /*check=*/false));
    }
    out_.push_back(std::move(planned));
  }

  // The planes of an incomplete matrix that were saved, each for itself.
  void CopyPlanes(const SourceTensor& tensor) {
    for (const uint32_t plane : tensor.planes) {
      if (plane < source_.arrays.size()) {
        const StoredArray& array = source_.arrays[plane];
        Copy({array.name, Plain(array.dtype), array.shape, {plane}});
      }
    }
  }

  void Replace(const SourceTensor& tensor, const Checkpoint& whole) {
    PlannedTensor planned = Begin(tensor);
    if (fill_ == RepairRequest::Fill::kZeros) {
      for (const uint32_t plane : tensor.planes) {
        planned.copies.push_back(Zeros(whole.arrays[plane].dtype, whole.arrays[plane].shape));
      }
      planned.source_label = "zeros";
    } else {
      FromReference(tensor, whole, planned);
      planned.source_label = "reference";
    }
    if (planned.copies.empty() && planned.value == nullptr) {
      CopyPlanes(tensor);  // the reference has other types or shapes than this one can take
      return;
    }
    for (const uint32_t plane : tensor.planes) {
      if (const auto lost = lost_index_.find(plane); lost != lost_index_.end()) {
        lost_[lost->second].filled = planned.source_label;
      }
    }
    out_.push_back(std::move(planned));
  }

  void FromReference(const SourceTensor& tensor, const Checkpoint& whole, PlannedTensor& planned) {
    for (const uint32_t plane : tensor.planes) {
      const StoredArray& array = whole.arrays[plane];
      if (const auto other = ReferenceArray(array.name, {array.dtype, array.shape})) {
        planned.copies.push_back(LoadArray(plan_.sources, 1, *other, /*check=*/false));
      }
    }
    if (planned.copies.size() == tensor.planes.size()) {
      return;
    }
    planned.copies.clear();
    const SourceTensor* other = ReferenceTensor(tensor.name, tensor.shape);
    if (other != nullptr && CanConvert(other->encoding.dtype, tensor.encoding.dtype)) {
      planned.value = CastTo(LoadTensor(plan_.sources, 1, *other), tensor.encoding.dtype);
    }
  }

  const Plan& plan_;
  const Checkpoint& source_;
  RepairRequest::Fill fill_;
  std::vector<Lost>& lost_;
  std::map<uint32_t, size_t> lost_index_;  // of an array that is not there: its row of lost_
  std::vector<PlannedTensor> out_;
};

}  // namespace

ValuePtr Zeros(DType dtype, const Shape& shape) {
  return std::make_shared<ZeroValue>(dtype, shape);
}

std::vector<PlannedTensor> PlanTensors(const Plan& plan, RepairRequest::Fill fill,
                                       std::vector<Lost>& lost) {
  return TensorPlanner(plan, fill, lost).Run();
}

}  // namespace lbrx
