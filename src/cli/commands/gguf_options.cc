#include "cli/commands/gguf_options.h"

#include <array>
#include <charconv>

#include "convert/target.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

constexpr std::string_view kGguf = "GGUF files";
constexpr std::string_view kQuantize = "GGUF quantization (as llama-quantize)";

constexpr std::array<OptionSpec, 3> kFileOptions = {{
    {.name = "--pre",
     .value = "NAME",
     .help = "The pre-tokenizer, where its pattern is not recognised: llama-bpe, qwen2...",
     .group = kGguf},
    {.name = "--embed-hf",
     .help = "Keep config.json and the tokenizer's files in the GGUF file, for an exact way back",
     .group = kGguf},
    {.name = "--mmproj", .help = "", .group = kGguf, .hidden = true},
}};

constexpr std::array<OptionSpec, 11> kQuantizeOptions = {{
    {.name = "--imatrix",
     .value = "FILE",
     .help = "Importance of columns, as llama-imatrix writes it (GGUF or .dat)",
     .group = kQuantize,
     .completion = Completion::kPath},
    {.name = "--include-weights",
     .value = "NAME",
     .help = "Use the importance of tensors whose name contains NAME alone",
     .group = kQuantize,
     .conflicts = "--exclude-weights",
     .repeatable = true},
    {.name = "--exclude-weights",
     .value = "NAME",
     .help = "Use no importance for tensors whose name contains NAME",
     .group = kQuantize,
     .repeatable = true},
    {.name = "--pure", .help = "The file type's own type for every matrix", .group = kQuantize},
    {.name = "--tensor-type",
     .value = "REGEX=TYPE",
     .help = "Another type for tensors whose name matches; the first rule that matches wins",
     .group = kQuantize,
     .repeatable = true},
    {.name = "--output-tensor-type",
     .value = "TYPE",
     .help = "Type of output.weight",
     .group = kQuantize},
    {.name = "--token-embedding-type",
     .value = "TYPE",
     .help = "Type of token_embd.weight",
     .group = kQuantize},
    {.name = "--leave-output-tensor", .help = "output.weight stays as it is", .group = kQuantize},
    {.name = "--override-kv",
     .value = "KEY=TYPE:VALUE",
     .help = "Set a key of the file; TYPE is int, float, bool or str",
     .group = kQuantize,
     .repeatable = true},
    {.name = "--prune-layers",
     .value = "L0,L1...",
     .help = "Leave these layers out and number the others anew",
     .group = kQuantize},
    {.name = "--allow-requantize",
     .help = "Say nothing of tensors that are quantized already",
     .group = kQuantize},
}};

[[noreturn]] void ThrowUsage(std::string_view object, std::string what, std::string advice) {
  ErrorDetail detail;
  detail.object = object;
  detail.what = std::move(what);
  detail.advice = std::move(advice);
  throw Error(ErrorCode::kUsage, std::move(detail));
}

GgufOptions::TensorType ParseTensorType(const std::string& text) {
  const size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    ThrowUsage("--tensor-type", "is REGEX=TYPE", "for example --tensor-type 'ffn_down=Q6_K'");
  }
  return {.regex = text.substr(0, equals), .type = text.substr(equals + 1)};
}

std::vector<uint64_t> ParseLayers(const std::string& text) {
  std::vector<uint64_t> layers;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (true) {
    uint64_t layer = 0;
    const auto [stop, error] = std::from_chars(at, end, layer);
    if (error != std::errc() || (stop != end && *stop != ',')) {
      ThrowUsage("--prune-layers", "is a list of numbers", "for example --prune-layers 20,21,22");
    }
    layers.push_back(layer);
    if (stop == end) {
      return layers;
    }
    at = stop + 1;
  }
}

void RequireGgufTarget(const ParsedArgs& args, const ConvertRequest& request) {
  if (IsGgufName(request.destination)) {
    return;
  }
  for (const OptionTable table : {GgufFileOptions(), GgufQuantizeOptions()}) {
    for (const OptionSpec& option : table) {
      if (args.Has(option.name)) {
        ThrowUsage(option.name, "is for GGUF files", "write to a DST that ends in .gguf");
      }
    }
  }
}

}  // namespace

OptionTable GgufFileOptions() {
  return kFileOptions;
}

OptionTable GgufQuantizeOptions() {
  return kQuantizeOptions;
}

void ApplyGgufOptions(const ParsedArgs& args, ConvertRequest& request) {
  if (args.Has("--mmproj")) {
    ThrowUsage("--mmproj", "projector files cannot be written",
               "--text-only writes the text model of a multimodal one");
  }
  RequireGgufTarget(args, request);
  GgufOptions& gguf = request.gguf;
  gguf.pre = args.ValueOr("--pre", "");
  gguf.embed_hf = args.Has("--embed-hf");
  gguf.imatrix = args.ValueOr("--imatrix", "");
  gguf.pure = args.Has("--pure");
  gguf.leave_output_tensor = args.Has("--leave-output-tensor");
  gguf.output_tensor_type = args.ValueOr("--output-tensor-type", "");
  gguf.token_embedding_type = args.ValueOr("--token-embedding-type", "");
  gguf.allow_requantize = args.Has("--allow-requantize");
  if (const auto layers = args.Value("--prune-layers")) {
    gguf.prune_layers = ParseLayers(*layers);
  }
  for (const auto& [option, value] : args.given()) {
    if (option->name == "--tensor-type") {
      gguf.tensor_types.push_back(ParseTensorType(value));
    } else if (option->name == "--include-weights") {
      gguf.include_weights.push_back(value);
    } else if (option->name == "--exclude-weights") {
      gguf.exclude_weights.push_back(value);
    } else if (option->name == "--override-kv") {
      gguf.override_kv.push_back(value);
    }
  }
}

}  // namespace lbrx
