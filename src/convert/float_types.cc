#include "convert/float_types.h"

#include <algorithm>

#include "convert/target.h"
#include "core/tensor/convert.h"
#include "model/gguf_names.h"
#include "stream/constant.h"

namespace lbrx {

FloatTypes::FloatTypes(const ConvertRequest& request, SourceFiles::Checkpoints sources,
                       TargetKind target, const Naming& output)
    : asked_(request.dtype), sources_(std::move(sources)), target_(target), output_(output) {
  if (sources_[0]->gguf != nullptr && target != TargetKind::kGguf) {
    matrices_ = asked_ ? asked_ : MatricesOfGguf();
  }
}

// One float dtype for a whole checkpoint.
std::optional<DType> FloatTypes::MatricesOfGguf() const {
  std::optional<DType> common;
  for (const SourceTensor& tensor : sources_[0]->tensors) {
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
    const bool as_it_is = sources_[0]->gguf != nullptr && !asked_ && !tensor.encoded;
    return as_it_is || !CanConvert(own, wanted) ? own : wanted;
  }
  if (matrices_ && CanConvert(own, *matrices_)) {
    // One F32 tensor would make all activations F32 in MLX.
    const bool wide = target_ != TargetKind::kMlx && own == DType::kF32 && own != *matrices_ &&
                      IsKeptWideInGguf(tensor) && !IsExactIn(sources_, tensor.value, *matrices_);
    return wide ? DType::kF32 : *matrices_;
  }
  return asked_ && CanConvert(own, *asked_) ? *asked_ : own;
}

DType FloatTypes::ForEncoding(DType own) const {
  return ScaleDType(matrices_ ? *matrices_ : asked_.value_or(own));
}

}  // namespace lbrx
