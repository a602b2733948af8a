#include "quant/packed/packed.h"

#include "quant/packed/columns.h"
#include "quant/packed/rows.h"
#include "quant/packed/runs.h"

namespace lbrx {

std::unique_ptr<const TileDecoder> MakeTileDecoder(PackedMatrix matrix) {
  switch (matrix.encoding.scheme) {
    case Scheme::kGptq:
    case Scheme::kAwq:
      return MakeColumnDecoder(std::move(matrix));
    case Scheme::kNf4:
    case Scheme::kBnbFp4:
      return MakeRunDecoder(std::move(matrix));
    default:
      return MakeRowDecoder(std::move(matrix));
  }
}

}  // namespace lbrx
