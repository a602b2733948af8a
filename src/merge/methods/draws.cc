#include "merge/methods/draws.h"

#include <algorithm>
#include <cmath>

namespace lbrx {

Draws::Draws(const MergeTensor& tensor, size_t member, uint64_t position)
    : random_(tensor.seed, tensor.name, static_cast<uint32_t>(member)),
      stream_(tensor.compat ? MersenneStream::Shared(static_cast<uint32_t>(tensor.seed)) : nullptr),
      position_(position) {}

void Draws::Fill(uint64_t first, size_t count, uint32_t* out) const {
  if (stream_ == nullptr) {
    random_.Fill(first, count, out);
    return;
  }
  // torch keeps where (word mod 2^24) / 2^24 < p.
  stream_->Fill(position_ + first, count, out);
  for (size_t i = 0; i < count; ++i) {
    out[i] <<= 8;
  }
}

uint32_t Draws::LastKept(double p) {
  const double kept = std::ceil(p * 0x1p32);  // draws below it
  return static_cast<uint32_t>(std::clamp(kept, 1.0, 0x1p32) - 1);
}

}  // namespace lbrx
