#include "quant/schemes/through_floats.h"

#include <algorithm>
#include <array>

#include "core/tensor/convert.h"

namespace lbrx {

void DecodeThroughFloats(const DecodeJob& job, void (*decode)(const DecodeJob&)) {
  constexpr uint64_t kPiece = 2048;  // a multiple of every group
  float floats[kPiece];
  const std::vector<Plane> whole = PlanesOf(job.encoding, Shape{1, kPiece});
  std::array<const std::byte*, 3> planes{};
  std::copy(job.planes.begin(), job.planes.end(), planes.begin());
  DecodeJob piece = job;
  piece.dtype = DType::kF32;
  piece.values = reinterpret_cast<std::byte*>(floats);
  piece.planes = {planes.data(), job.planes.size()};
  for (uint64_t begin = 0; begin < job.elements; begin += kPiece) {
    piece.elements = std::min(kPiece, job.elements - begin);
    decode(piece);
    Convert(DType::kF32, piece.values, job.dtype, job.values + begin * Info(job.dtype).bits / 8,
            piece.elements);
    for (size_t p = 0; p < whole.size(); ++p) {
      planes[p] += PlaneBytes(whole[p]);
    }
  }
}

}  // namespace lbrx
