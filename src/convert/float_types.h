// The dtype that a tensor has where it is not quantized.
#pragma once

#include <optional>

#include "convert/convert.h"
#include "convert/model_source.h"
#include "stream/layout.h"

namespace lbrx {

class FloatTypes {
 public:
  // `output`: the names in the target.
  FloatTypes(const ConvertRequest& request, const ModelSource& source, TargetKind target,
             const Naming& output);

  // Of a tensor of the output; its own where that is no float. What GGUF stores as F32 whatever
  // the matrices are comes back in their dtype where no value changes by that, which takes reading
  // it.
  DType For(const NamedValue& tensor) const;

  // Of values that are to be quantized by one of MLX's schemes.
  DType ForEncoding(DType own) const;

 private:
  std::optional<DType> MatricesOfGguf() const;
  bool IsKeptWideInGguf(const NamedValue& tensor) const;

  std::optional<DType> asked_;     // --dtype
  std::optional<DType> matrices_;  // of a GGUF source elsewhere
  const ModelSource& source_;
  TargetKind target_;
  const Naming& output_;
};

}  // namespace lbrx
