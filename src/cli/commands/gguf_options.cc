#include "cli/commands/gguf_options.h"

#include <algorithm>
#include <array>

#include "convert/target.h"
#include "core/io/file.h"
#include "formats/gguf/change_keys.h"
#include "quant/gguf/type_rules.h"

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

constexpr std::array<OptionSpec, 13> kQuantizeOptions = {{
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
    {.name = "--pure",
     .help = "The file type's own type for every matrix",
     .group = kQuantize,
     .conflicts = "--target-bpw --target-size"},
    {.name = "--tensor-type",
     .value = "REGEX=TYPE",
     .help = "Another type for tensors whose name matches; the first rule that matches wins",
     .group = kQuantize,
     .repeatable = true},
    {.name = "--tensor-type-file",
     .value = "FILE",
     .help = "Such rules from a file, separated by blanks or newlines",
     .group = kQuantize,
     .completion = Completion::kPath},
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
    {.name = "--keep-split",
     .help = "Of a split set: every tensor in the part where it is",
     .group = kQuantize,
     .conflicts = "--shard-size"},
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

GgufOptions::TensorType TensorTypeOf(const std::string& text) {
  const TypeRule rule = ParseTypeRule(text);
  return {.regex = rule.pattern.pattern(), .type = std::string(rule.type->name)};
}

// What has a meaning for MLX's schemes alone.
constexpr std::array<std::string_view, 6> kMlxOptions = {
    "--group-size", "--mlx-rule", "--override", "--keep", "--search", "--protect-routers"};

void RefuseMlxOptions(const ParsedArgs& args) {
  for (const std::string_view option : kMlxOptions) {
    if (args.Has(option)) {
      ThrowUsage(option, "is for MLX's schemes",
                 "--tensor-type REGEX=TYPE gives tensors of a GGUF file another type");
    }
  }
}

void RequireGgufTarget(const ParsedArgs& args, const ConvertRequest& request) {
  if (IsGgufName(request.destination)) {
    RefuseMlxOptions(args);
    return;
  }
  const auto is_for_gguf = [](OptionTable table, std::string_view name) {
    return std::any_of(table.begin(), table.end(),
                       [&](const OptionSpec& option) { return option.name == name; });
  };
  for (const auto& [option, value] : args.given()) {
    if (is_for_gguf(kFileOptions, option->name) || is_for_gguf(kQuantizeOptions, option->name)) {
      ThrowUsage(option->name, "is for GGUF files", "write to a DST that ends in .gguf");
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
  ApplyGgufContentOptions(args, request);
  request.gguf.allow_requantize = args.Has("--allow-requantize");
  request.gguf.keep_split = args.Has("--keep-split");
}

void ApplyGgufContentOptions(const ParsedArgs& args, ConvertRequest& request) {
  RequireGgufTarget(args, request);
  GgufOptions& gguf = request.gguf;
  gguf.pre = args.ValueOr("--pre", "");
  gguf.embed_hf = args.Has("--embed-hf");
  gguf.imatrix = args.ValueOr("--imatrix", "");
  gguf.pure = args.Has("--pure");
  gguf.leave_output_tensor = args.Has("--leave-output-tensor");
  gguf.output_tensor_type = args.ValueOr("--output-tensor-type", "");
  gguf.token_embedding_type = args.ValueOr("--token-embedding-type", "");
  if (const auto layers = args.Value("--prune-layers")) {
    gguf.prune_layers = ParseLayerList(*layers);
  }
  if (const auto file = args.Value("--tensor-type-file")) {
    for (const TypeRule& rule : ParseTypeRules(ReadWholeFile(*file), *file)) {
      gguf.tensor_types.push_back(
          {.regex = rule.pattern.pattern(), .type = std::string(rule.type->name)});
    }
  }
  for (const auto& [option, value] : args.given()) {
    if (option->name == "--tensor-type") {
      gguf.tensor_types.push_back(TensorTypeOf(value));
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
