// Options for GGUF files, most of them llama-quantize's.
#pragma once

#include "cli/context.h"
#include "convert/convert.h"

namespace lbrx {

OptionTable GgufFileOptions();      // of both commands
OptionTable GgufQuantizeOptions();  // of quantize

// Fills request.gguf. kUsage for a value that cannot be read, and where one is given though the
// destination is no GGUF file.
void ApplyGgufOptions(const ParsedArgs& args, ConvertRequest& request);
// The same for the options that decide the bytes of tensors and keys; no other is asked for.
void ApplyGgufContentOptions(const ParsedArgs& args, ConvertRequest& request);

}  // namespace lbrx
