// The spellings that users of mlx_lm.convert and llama.cpp's tools bring.
#pragma once

#include "cli/context.h"
#include "convert/convert.h"

namespace lbrx {

OptionTable ConvertSpellings();  // mlx_lm.convert's and convert_hf_to_gguf.py's

// Takes --outtype for --dtype or -q.
void ApplyConverterSpellings(const ParsedArgs& args, ConvertRequest& request);

// Fills source, destination and scheme of `request` from the positionals or from mlx_lm.convert's
// options. kUsage where they contradict each other.
void ApplyMlxSpellings(const ParsedArgs& args, ConvertRequest& request);

}  // namespace lbrx
