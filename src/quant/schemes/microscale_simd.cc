#include "quant/schemes/microscale.h"

namespace lbrx {

void EncodeMicroscale(const EncodeJob& job) {
  EncodeMicroscaleReference(job);
}

void DecodeMicroscale(const DecodeJob& job) {
  DecodeMicroscaleReference(job);
}

}  // namespace lbrx
