// For tests: a codec run over one tensor row, with planes in vectors of their own.
#pragma once

#include <cstddef>
#include <vector>

#include "quant/codec.h"

namespace lbrx {

using Planes = std::vector<std::vector<std::byte>>;

// Bytes beyond each plane that no codec may touch; checked by EncodeRun and DecodeRun.
inline constexpr size_t kGuard = 64;
inline constexpr std::byte kGuardByte{0xA5};

// `importance`: of a row's columns, which the values are whole rows of; empty: none.
Planes EncodeRun(const Encoding& encoding, MlxRule rule, const std::vector<std::byte>& values,
                 bool reference, const std::vector<float>& importance = {});
std::vector<std::byte> DecodeRun(const Encoding& encoding, DType dtype, const Planes& planes,
                                 uint64_t elements, bool reference);

}  // namespace lbrx
