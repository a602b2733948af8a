// config.json and the hyperparameter keys of GGUF, both ways. What llama.cpp's converter writes for
// each architecture and what its loader reads: ggml's docs/gguf.md and llama.cpp's conversion
// scripts (2026).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/text/json.h"
#include "formats/gguf/keys.h"
#include "model/architecture.h"

namespace lbrx {

// What tensors say of a model's configuration.
struct GgufTensorFacts {
  uint64_t vocabulary = 0;                   // rows of token_embd.weight
  bool output = false;                       // output.weight: not tied
  bool query_bias = false;                   // attn_q.bias, attn_qkv.bias
  bool attention_output_bias = false;        // attn_output.bias
  bool feed_forward_bias = false;            // ffn_up.bias
  bool query_norm = false;                   // attn_q_norm.weight
  bool expert_bias = false;                  // exp_probs_b.bias
  std::vector<float> rope_frequencies = {};  // rope_freqs.weight
  std::vector<float> long_factors = {};      // rope_factors_long.weight
  std::vector<float> short_factors = {};     // rope_factors_short.weight
};

// Notes that a file has the tensor `name`. Rows and values are the caller's to fill in.
void AddTensorFact(std::string_view name, GgufTensorFacts& facts);

// "command-r"; empty where llama.cpp does not know the architecture.
std::string_view GgufArchitecture(const Architecture& architecture);

// Sets general.architecture, general.type and all keys that begin with the architecture's name, in
// the converter's order. `config` is of the text model and completed (model/config.h). What GGUF
// has no key for and llama.cpp takes otherwise is told in `notices`; what it cannot run is
// kInvalid.
void AddModelKeys(const Architecture& architecture, const Json& config, GgufKeys& keys,
                  std::vector<std::string>& notices);

// The values of rope_freqs.weight; empty unless config's rope is of type llama3. The last bit of a
// value may differ from the converter's, whose powers are rounded by its library.
std::vector<float> RopeFrequencies(const Json& config);

// rope_factors_long.weight and rope_factors_short.weight; empty unless config has them.
struct RopeFactors {
  std::vector<float> long_factors;
  std::vector<float> short_factors;
};

RopeFactors RopeFactorsOf(const Json& config);

// By general.architecture; nullptr where it is missing or not known. A file does not say whether
// its `llama` was a Mistral: they compute the same.
const Architecture* ArchitectureOfGguf(const GgufKeys& keys);

// A completed config.json that transformers loads, without dtype. Keys are checked before they are
// believed; what is missing or out of range is kInvalid and names the key. Values that no key
// carries are the family's own and told in `notices`.
Json ConfigFromKeys(const GgufKeys& keys, const GgufTensorFacts& facts,
                    std::vector<std::string>& notices);

}  // namespace lbrx
