// config.json in both of transformers' spellings.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/tensor/dtype.h"
#include "core/text/json.h"

namespace lbrx {

// Adds the missing one of each pair of spellings, so that transformers 4, transformers 5, mlx-lm
// and llama.cpp's converter all read the result: dtype/torch_dtype, rope_parameters/rope_theta +
// rope_scaling + partial_rotary_factor, num_experts/num_local_experts, gpt2's n_ctx.
// An existing key is never changed. Source: transformers 4.5x and 5.23 configuration files.
void CompleteConfig(Json& config);

// The dtype named by dtype or torch_dtype (or text_config's); nullopt where absent.
std::optional<DType> ConfigDType(const Json& config);
// Sets dtype and torch_dtype.
void SetConfigDType(Json& config, DType dtype);

// tie_word_embeddings, of a multimodal model else text_config's, or `fallback`.
bool TiedEmbeddings(const Json& config, bool fallback);
// Sets it, in text_config too.
void SetTiedEmbeddings(Json& config, bool tied);

// A non-negative integer key; nullopt where absent or null; kInvalid where it is something else.
std::optional<uint64_t> ConfigUint(const Json& config, std::string_view key);

}  // namespace lbrx
