#include "convert/float_types.h"

#include <algorithm>

#include "convert/target.h"
#include "core/tensor/convert.h"
#include "model/gguf_names.h"
#include "stream/constant.h"

namespace lbrx {

FloatTypes::FloatTypes(const ConvertRequest& request, const ModelSource& source, TargetKind target,
                       const Naming& output)
    : asked_(request.dtype), source_(source), target_(target), output_(output) {
  if (source_.model->gguf != nullptr && target != TargetKind::kGguf) {
    matrices_ = asked_ ? asked_ : MatricesOfGguf();
  }
}

// One float dtype for a whole checkpoint.
std::optional<DType> FloatTypes::MatricesOfGguf() const {
  std::optional<DType> common;
  for (const SourceTensor& tensor : source_.model->tensors) {
    if (IsFloat32InGguf(tensor.name, tensor.shape.rank())) {
      continue;
    }
    const Encoding& encoding = tensor.encoding;
    if (encoding.scheme != Scheme::kPlain) {
      return target_ == TargetKind::kMlx ? DType::kF16 : DType::kBF16;
    }
    if (common && *common != encoding.dtype) {
      return DType::kBF16;
    }
    common = encoding.dtype;
  }
  return common;
}

bool FloatTypes::IsKeptWideInGguf(const NamedValue& tensor) const {
  TensorMeaning meaning = output_.Resolve(tensor.name);
  if (meaning.rule == nullptr) {
    return IsFloat32InGguf(tensor.name, tensor.value->shape().rank());
  }
  const std::string leaf(GgufLeaf(*meaning.rule).empty() ? meaning.leaf : GgufLeaf(*meaning.rule));
  meaning.leaf = leaf;
  return IsFloat32InGguf(output_.InGguf().Spell(meaning), tensor.value->shape().rank());
}

DType FloatTypes::For(const NamedValue& tensor) const {
  const DType own = tensor.value->dtype();
  if (!Info(own).floating) {
    return own;
  }
  if (target_ == TargetKind::kGguf) {
    const DType wanted = IsKeptWideInGguf(tensor) ? DType::kF32 : asked_.value_or(ScaleDType(own));
    const bool as_it_is = source_.model->gguf != nullptr && !asked_ && !tensor.encoded;
    return as_it_is || !CanConvert(own, wanted) ? own : wanted;
  }
  if (matrices_ && CanConvert(own, *matrices_)) {
    // One F32 tensor would make all activations F32 in MLX.
    const bool wide = target_ != TargetKind::kMlx && own == DType::kF32 && own != *matrices_ &&
                      IsKeptWideInGguf(tensor) &&
                      !IsExactIn(source_.files, tensor.value, *matrices_);
    return wide ? DType::kF32 : *matrices_;
  }
  return asked_ && CanConvert(own, *asked_) ? *asked_ : own;
}

DType FloatTypes::ForEncoding(DType own) const {
  return ScaleDType(matrices_ ? *matrices_ : asked_.value_or(own));
}

}  // namespace lbrx
