// One function for each method of quantization: finds its tensors among a folder's arrays.
#pragma once

#include "formats/huggingface/quantized_group.h"

namespace lbrx {

void GroupGptq(QuantizedGroup& group);
void GroupAwq(QuantizedGroup& group);
void GroupFp8(QuantizedGroup& group);         // DeepSeek's and transformers' fine-grained fp8
void GroupMxfp4(QuantizedGroup& group);       // gpt-oss
void GroupCompressed(QuantizedGroup& group);  // compressed-tensors
void GroupBitsAndBytes(QuantizedGroup& group);

}  // namespace lbrx
