// Where a conversion goes: the kind of output, and the types that values have there.
#pragma once

#include <optional>
#include <vector>

#include "convert/convert.h"
#include "convert/facts.h"
#include "convert/selection.h"
#include "formats/writer.h"

namespace lbrx {

// What the destination's name and --to ask for. kUsage where they contradict each other, or where
// the target cannot hold the schemes asked for.
TargetKind ResolveTarget(const ConvertRequest& request, const Selection& selection);

// Whether a destination's name asks for a GGUF file.
bool IsGgufName(const std::string& destination);

// The scheme of MLX's that holds the numbers of a GGUF type best, where none holds them exactly:
// sub-blocks of 32 go over with as many bits, and what has smaller ones or a codebook with more.
std::optional<Encoding> NearestInMlx(Scheme block);

// The names that the output has.
Naming NamingInTarget(const ConvertRequest& request, TargetKind target, const SourceFacts& facts);

// The dtype that values have before they are encoded, and that scales are stored in.
DType ScaleDType(DType dtype);

// The encoding that a `quantization` block names for the whole model: that of -q, else the one that
// most tensors have; nullopt where none is encoded.
std::optional<Encoding> MainEncoding(const Selection& selection,
                                     const std::vector<OutputTensor>& outputs);

}  // namespace lbrx
