#!/usr/bin/env python3
"""Writes src/quant/schemes/ggml/iq_grids.cc from the codebooks in the PyPI package gguf.

    pip install gguf && tools/make_iq_grids.py src/quant/schemes/ggml/iq_grids.cc
"""

import hashlib
import sys
import textwrap

import numpy as np
from gguf import quants

# Name, class of the package, bits of a digit, SHA-256 of the list as little-endian u16.
GRIDS = [
    ("kTwoBit256", quants.IQ2_XXS, 2,
     "915952ebc4af8ddba8113583ca1316fc818843f7b825bbf1a25ae1c39bf0e16d"),
    ("kTwoBit512", quants.IQ2_XS, 2,
     "f66435966ca8d64e9e4a6e3c91e64afcf9015e700ec85962f527283ebae207b9"),
    ("kTwoBit1024", quants.IQ2_S, 2,
     "e6e75e121b65e8afa5c1f92b71463cfbe217b83893f438acde22fd5db06a43f7"),
    ("kTernary2048", quants.IQ1_S, 2,
     "e9ffebfc997ad6023063a667c0bf4eedd8ebf7f56b3da399cbc7d1b1f7ea52c6"),
    ("kThreeBit256", quants.IQ3_XXS, 3,
     "c9678803c61b2210fbd8cbbb3f965a835409cd7d88a04d086d236261bd221d11"),
    ("kThreeBit512", quants.IQ3_S, 3,
     "353274c58dd7d8dc5ee960dc8fc54ff9164eaf2b49206b841cd49415cf393f81"),
]

HEADER = """\
// Written by tools/make_iq_grids.py; do not edit.
//
// The numbers are GGML's (ggml-common.h, ggml-quants.c), chosen there by statistics of model
// weights. Copyright (c) 2023-2026 The ggml authors; MIT licence, whose text is in THIRD_PARTY.md.
#include "quant/schemes/ggml/iq_grids.h"

#include <array>

namespace lbrx {
namespace {

// clang-format off
"""

FOOTER = """\
// clang-format on

}  // namespace

std::span<const uint16_t> IqGridWords(IqGrid grid) {
  switch (grid) {
    case IqGrid::kTwoBit256:
      return kTwoBit256;
    case IqGrid::kTwoBit512:
      return kTwoBit512;
    case IqGrid::kTwoBit1024:
      return kTwoBit1024;
    case IqGrid::kTernary2048:
      return kTernary2048;
    case IqGrid::kThreeBit256:
      return kThreeBit256;
    case IqGrid::kThreeBit512:
      return kThreeBit512;
  }
  return {};
}

}  // namespace lbrx
"""


def words_of(cls, bits):
    """Grid points as digit strings, digit k at bits k * `bits`."""
    cls.init_grid()
    grid = cls.grid.reshape(cls.grid_shape)
    digits = np.searchsorted(np.unique(np.array(cls.grid_map)), grid)
    shifts = bits * np.arange(grid.shape[1])
    return (digits.astype(np.int64) << shifts).sum(axis=1).astype("<u2")


def main():
    lines = [HEADER]
    for name, cls, bits, sha256 in GRIDS:
        words = words_of(cls, bits)
        assert hashlib.sha256(words.tobytes()).hexdigest() == sha256, name
        lines.append(f"constexpr std::array<uint16_t, {len(words)}> {name} = {{\n")
        text = ", ".join(map(str, words)) + ","
        lines += [line + "\n" for line in textwrap.wrap(text, 100)]
        lines.append("};\n\n")
    lines.append(FOOTER)
    with open(sys.argv[1], "w", encoding="ascii") as out:
        out.write("".join(lines))


if __name__ == "__main__":
    main()
