// What stands beside the tensors in an output folder: config.json and the side files.
#pragma once

#include "convert/arrange.h"
#include "convert/convert.h"
#include "formats/writer.h"
#include "stream/plan.h"

namespace lbrx {

// Adds the model card (first of the texts), config.json (last) and the side files to copy.
// `quantization` is MLX's block, null where nothing is quantized.
void AddFolderFiles(const ConvertRequest& request, const Arrangement& from, TargetKind target,
                    const Json& quantization, Plan& plan);

// What a GGUF file has of the small files of a folder: as --embed-hf put them there, else made of
// its keys. config.json is not among them.
std::vector<OutputText> FilesOfGguf(const Checkpoint& source, std::vector<std::string>& notices);

}  // namespace lbrx
