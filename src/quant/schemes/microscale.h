// The floating modes: mxfp4, mxfp8 and nvfp4. Elements are E2M1 or E4M3 floats, and a group shares
// a scale that is a power of two (E8M0, 32 elements) or an E4M3 float (nvfp4, 16).
#pragma once

#include <cstdint>

#include "quant/codec.h"

namespace lbrx {

// A group's scale as stored, and how elements are scaled before they are rounded.
struct MicroscaleFit {
  uint8_t byte;
  float factor;  // metal: multiplied with; cpu: divided by
};

// `amax`: the largest magnitude of the group.
MicroscaleFit FitMicroscale(const Encoding& encoding, float amax, MlxRule rule);
// The element's code: 4 bits of E2M1 or 8 of E4M3.
uint8_t MicroscaleCode(const Encoding& encoding, float value, const MicroscaleFit& fit,
                       MlxRule rule);
// The value of a stored scale in the arithmetic of `encoding.dtype`.
float MicroscaleValue(const Encoding& encoding, uint8_t byte);
// That of all 256 bytes; lives as long as the program.
const float* MicroscaleValues(const Encoding& encoding);

void EncodeMicroscaleReference(const EncodeJob& job);
void DecodeMicroscaleReference(const DecodeJob& job);
void EncodeMicroscale(const EncodeJob& job);
void DecodeMicroscale(const DecodeJob& job);

}  // namespace lbrx
