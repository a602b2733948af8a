// The spellings that users of mlx_lm.convert and llama.cpp's tools bring.
#pragma once

#include "cli/context.h"
#include "convert/convert.h"

namespace lbrx {

OptionTable ConvertSpellings();   // mlx_lm.convert's and convert_hf_to_gguf.py's
OptionTable QuantizeSpellings();  // llama-quantize's

// Throws kUsage where an option was given that only a GGUF output could honour.
void RefuseGgufSpellings(const ParsedArgs& args, OptionTable table);

// Fills source, destination and scheme of `request` from the positionals or from mlx_lm.convert's
// options. kUsage where they contradict each other.
void ApplyMlxSpellings(const ParsedArgs& args, ConvertRequest& request);

}  // namespace lbrx
