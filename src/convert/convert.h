// Conversion and quantization as plans.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "convert/model_source.h"
#include "core/text/json.h"
#include "formats/checkpoint.h"
#include "quant/codec.h"
#include "stream/plan.h"

namespace lbrx {

inline constexpr uint64_t kShardSize = 5'000'000'000;

// Options that only a GGUF file has a place for. Most are llama-quantize's.
struct GgufOptions {
  std::string pre;        // --pre: the pre-tokenizer's name; empty: recognised
  bool embed_hf = false;  // --embed-hf: the folder's small files are kept in the file's keys

  std::string imatrix;  // --imatrix: a file of importance weights
  std::vector<std::string> include_weights;
  std::vector<std::string> exclude_weights;
  bool pure = false;
  bool leave_output_tensor = false;
  std::string output_tensor_type;
  std::string token_embedding_type;

  struct TensorType {
    std::string regex;
    std::string type;  // of GGML

    bool operator==(const TensorType&) const = default;
  };

  std::vector<TensorType> tensor_types;  // the first that matches a name wins
  std::vector<std::string> override_kv;  // "KEY=TYPE:VALUE"
  std::vector<uint32_t> prune_layers;
  bool allow_requantize = false;  // no warning
  bool keep_split = false;        // a set's tensors stay in the parts where they are

  bool operator==(const GgufOptions&) const = default;

  Json ToJson() const;
  static GgufOptions FromJson(const Json& json);  // kInvalid
};

// What the user asked for, after spellings were normalised. Everything that decides bytes is here.
struct ConvertRequest {
  std::string source;
  std::string destination;
  std::string command = "convert";    // "convert", "quantize" or "merge"
  Json merge;                         // of a merge what its room reads (merge/merge.h); else null
  std::optional<TargetKind> target;   // --to; a DST ending in .safetensors decides by itself
  std::optional<std::string> scheme;  // -q
  uint16_t group_size = 0;            // 0: the scheme's default
  MlxRule rule = MlxRule::kMetal;
  bool search = false;  // --search: better codes in the same affine format
  bool dequantize = false;
  std::optional<DType> dtype;  // --dtype
  bool text_only = false;      // --text-only: of a multimodal model the text model alone

  // --target-bpw and --target-size: a scheme for each tensor, chosen to make the error least. Then
  // `scheme` names only the family, and `choices` what was chosen (convert/choose.h).
  std::optional<double> target_bpw;
  std::optional<uint64_t> target_size;

  struct Choice {
    std::string tensor;        // in the output
    std::string scheme;        // "4bit/64"; empty: stays float
    double squared_error = 0;  // summed over the tensor
  };

  std::vector<Choice> choices;

  // --keep and --override, in the order given: the first that matches a name wins.
  struct Rule {
    std::string regex;   // PCRE2, searched in the output's name, then in the source's
    std::string scheme;  // "4bit" or "4bit/32"; empty: stays float
  };

  std::vector<Rule> rules;
  bool protect_routers = false;        // routers and shared-expert gates at 8 bits, group 64
  std::optional<uint64_t> shard_size;  // of a folder: kShardSize; a GGUF file is one
  bool strict = false;
  bool card = true;  // README.md in a folder (convert/card.h)
  GgufOptions gguf;

  // Whether any option says which tensors are to be quantized, and how.
  bool AsksForSchemes() const;

  Json ToJson() const;
  static ConvertRequest FromJson(const Json& json);  // kInvalid
};

// Refuses (kUsage) a destination that is the source by any alias, inside it or around it.
void CheckPathsApart(const std::string& source, const std::string& destination);

// The plan for `request` from an opened source. Throws kUsage for a scheme that the target cannot
// hold (naming the nearest that it can), kInvalid for what `strict` refuses or a contradiction
// between config and tensors.
//
// With `made`, what a conversion wrote, the plan is to be compared with it: unless `request` asks
// for schemes, a tensor has the scheme that `made` has for it.
Plan PlanConvert(const ConvertRequest& request, ModelSource source,
                 const Checkpoint* made = nullptr);
Plan PlanConvert(const ConvertRequest& request, std::shared_ptr<const Checkpoint> source);

}  // namespace lbrx
