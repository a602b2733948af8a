#include "cli/commands/commands.h"
#include "cli/commands/gguf_options.h"
#include "cli/commands/write.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

[[noreturn]] void ThrowUsage(std::string_view object, const std::string& what,
                             const std::string& advice) {
  ErrorDetail detail;
  detail.object = object;
  detail.what = what;
  detail.advice = advice;
  throw Error(ErrorCode::kUsage, std::move(detail));
}

// nullopt: a target takes its place.
std::optional<std::string> SchemeOf(const ParsedArgs& args) {
  const std::string scheme = args.ValueOr("-q", "");
  if (!scheme.empty()) {
    return scheme;
  }
  if (!args.Has("--target-bpw") && !args.Has("--target-size")) {
    ThrowUsage("-q", "needs a scheme", "for example -q 4bit; `lbrx schemes` lists them");
  }
  return std::nullopt;
}

int Run(Context& context) {
  const ParsedArgs& args = context.args();
  const std::vector<std::string>& given = args.positionals();
  const std::optional<std::string> scheme = SchemeOf(args);
  if (args.Has("--dequantize")) {
    ThrowUsage("--dequantize", "makes no sense for quantize",
               Format("write: lbrx convert {} {} --dequantize", given[0], given[1]));
  }
  ConvertRequest request = RequestFromOptions(args, "quantize");
  request.source = given[0];
  request.destination = given[1];
  request.scheme = scheme;
  ApplyGgufOptions(args, request);
  return CarryOut(context, MakePlan(context, request), request);
}

constexpr std::array<Example, 7> kExamples = {
    {{"lbrx quantize model model-4bit -q 4bit", "4 bits, groups of 64, an MLX folder"},
     {"lbrx quantize model model.gguf Q4_K_M", "a GGUF file in one pass, for llama.cpp"},
     {"lbrx quantize model.gguf small.gguf IQ3_S --imatrix imatrix.gguf",
      "with the importance of columns, as llama-imatrix measured it"},
     {"lbrx quantize model model-4bit -q 4bit --override 'down_proj=6bit' --keep lm_head",
      "more bits for some tensors, none for others"},
     {"lbrx quantize model model-small --target-bpw 4.5",
      "a scheme for each tensor, chosen by measuring: the least error at that size"},
     {"lbrx quantize model model.gguf --target-size 4.5GB",
      "the same in a GGUF file, among K quants; IQ4_XS beside it: among IQ types"},
     {"lbrx quantize model model-4bit -q 4bit --report report.json",
      "with the error of every tensor"}}};

// The last two as llama-quantize has them.
constexpr std::array<ArgumentSpec, 4> kArguments = {
    {{.name = "SRC",
      .help =
          "A folder, a .gguf, .safetensors or torch file, or org/name in the Hugging Face cache"},
     {.name = "DST",
      .help = "What to write: a file if the name ends in .gguf or .safetensors, else a folder"},
     {.name = "SCHEME",
      .help = "The scheme or GGUF file type, where -q is not given",
      .required = false,
      .completion = Completion::kScheme,
      .option = "-q"},
     {.name = "THREADS",
      .help = "As --threads",
      .required = false,
      .completion = Completion::kNone,
      .option = "--threads"}}};

}  // namespace

constinit const CommandInfo kQuantizeCommand = {
    .name = "quantize",
    .summary = "Quantize a checkpoint",
    .details =
        "In an MLX folder what mlx-lm quantizes is quantized: linear and embedding weights whose "
        "rows divide by the group. In a GGUF file every tensor gets the type that llama-quantize "
        "gives it. Memory stays under --memory whatever the model's size. A run that "
        "was interrupted is continued by the same command.",
    .examples = kExamples,
    .arguments = kArguments,
    .options = {QuantizationOptions, OutputOptions, RunningOptions, GgufFileOptions,
                GgufQuantizeOptions},
    .run = Run,
    .group = "Change checkpoints",
    .usage = "lbrx quantize SRC DST -q SCHEME [OPTIONS]"};

}  // namespace lbrx
