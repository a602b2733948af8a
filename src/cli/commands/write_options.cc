#include <array>

#include "cli/commands/write.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

constexpr std::string_view kQuantization = "Quantization";
constexpr std::string_view kOutput = "Output";
constexpr std::string_view kRunning = "Running";

constexpr std::array<OptionSpec, 10> kQuantizationOptions = {{
    {.name = "-q",
     .value = "SCHEME",
     .help = "Quantize to this scheme (lbrx schemes lists them)",
     .group = kQuantization,
     .aliases = "--quantize",
     .conflicts = "--dequantize",
     .completion = Completion::kScheme,
     .optional_value = true},
    {.name = "--group-size",
     .value = "N",
     .help = "Weights that share a scale",
     .group = kQuantization,
     .fallback = "the scheme's",
     .choices = "16|32|64|128"},
    {.name = "--mlx-rule",
     .value = "RULE",
     .help = "Whose rounding: what Apple GPUs give, or what mlx gives on a CPU",
     .group = kQuantization,
     .fallback = "metal",
     .choices = "metal|cpu"},
    {.name = "--override",
     .value = "REGEX=SCHEME[/GROUP]",
     .help = "Another scheme for tensors whose name matches; the first rule that matches wins",
     .group = kQuantization,
     .repeatable = true},
    {.name = "--keep",
     .value = "REGEX",
     .help = "Tensors that stay floats",
     .group = kQuantization,
     .repeatable = true},
    {.name = "--search",
     .help =
         "Look for the scale and bias of least error; any MLX reads the result (affine schemes)",
     .group = kQuantization},
    {.name = "--target-bpw",
     .value = "X",
     .help = "Choose a scheme for each tensor: the least error at X bits per weight, all bytes of "
             "the tensor files counted; -q beside it names only the family",
     .group = kQuantization,
     .conflicts = "--dequantize"},
    {.name = "--target-size",
     .value = "SIZE",
     .help = "The same for the size of the whole output",
     .group = kQuantization,
     .conflicts = "--dequantize --target-bpw"},
    {.name = "--protect-routers",
     .help = "Routers and shared-expert gates stay at 8 bits, group 64",
     .group = kQuantization},
    {.name = "--dequantize",
     .help = "Turn quantized tensors back into floats",
     .group = kQuantization,
     .aliases = "-d",
     .conflicts = "-q"},
}};

constexpr std::array<OptionSpec, 7> kOutputOptions = {{
    {.name = "--to",
     .value = "KIND",
     .help = "What kind of folder to write",
     .group = kOutput,
     .fallback = "mlx if the scheme exists only there, else hf",
     .choices = "hf|mlx"},
    {.name = "--dtype",
     .value = "DTYPE",
     .help = "Type of the tensors that are not quantized: f32, f16 or bf16",
     .group = kOutput,
     .fallback = "as in the source"},
    {.name = "--text-only",
     .help = "Of a model with pictures or sound, write the text model alone",
     .group = kOutput},
    {.name = "--shard-size",
     .value = "SIZE",
     .help = "Most bytes of tensors in one file of a folder",
     .group = kOutput,
     .fallback = "5GB"},
    {.name = "--strict",
     .help = "Refuse what is otherwise a warning: unknown tensors, rules that match nothing",
     .group = kOutput},
    {.name = "--no-card",
     .help = "Write no model card (README.md) into the folder",
     .group = kOutput},
    {.name = "--plan",
     .value = "FILE",
     .help = "Write the plan to FILE instead of running it; lbrx apply FILE runs it",
     .group = kOutput,
     .conflicts = "--dry-run --no-output --report",
     .completion = Completion::kPath},
}};

// The first kWritingCount are those of every command that writes.
constexpr size_t kWritingCount = 4;
constexpr std::array<OptionSpec, 8> kRunningOptions = {{
    {.name = "--memory",
     .value = "SIZE",
     .help = "Ceiling of working memory, whatever the model's size",
     .group = kRunning,
     .fallback = "192MiB"},
    {.name = "--threads",
     .value = "N",
     .help = "Threads; the result is the same for any number",
     .group = kRunning,
     .fallback = "all"},
    {.name = "--force",
     .help = "Replace an existing destination, atomically at the very end; start over",
     .group = kRunning},
    {.name = "--no-sync",
     .help = "Leave making the output durable to the system: safe against a kill, not against "
             "power loss",
     .group = kRunning},
    {.name = "--allow-nonfinite",
     .help = "Go on where the source has NaN or infinities",
     .group = kRunning},
    {.name = "--dry-run",
     .help = "Show the plan: tensors, schemes, bytes, memory, disk; write nothing",
     .group = kRunning,
     .conflicts = "--no-output --report"},
    {.name = "--no-output",
     .help = "Do all the work and the report, write nothing else",
     .group = kRunning},
    {.name = "--report",
     .value = "FILE",
     .help = "Write bits and errors of every tensor to FILE: a page with pictures where its name "
             "ends in .html, else JSON",
     .group = kRunning,
     .completion = Completion::kPath},
}};

DType ParseDTypeOption(const std::string& text) {
  const std::optional<DType> dtype = ParseDType(text);
  if (!dtype) {
    ErrorDetail detail;
    detail.object = "--dtype";
    detail.what = "unknown type";
    detail.expected = "f32, f16 or bf16";
    detail.found = "'" + text + "'";
    throw Error(ErrorCode::kUsage, std::move(detail));
  }
  return *dtype;
}

ConvertRequest::Rule ParseOverride(const std::string& text) {
  // The scheme has no '=' in it; the expression may.
  const size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    ErrorDetail detail;
    detail.object = "--override";
    detail.what = "not a rule";
    detail.expected = "REGEX=SCHEME or REGEX=SCHEME/GROUP";
    detail.found = "'" + text + "'";
    throw Error(ErrorCode::kUsage, std::move(detail));
  }
  return {.regex = text.substr(0, equals), .scheme = text.substr(equals + 1)};
}

}  // namespace

OptionTable QuantizationOptions() {
  return kQuantizationOptions;
}

OptionTable OutputOptions() {
  return kOutputOptions;
}

OptionTable WritingOptions() {
  return OptionTable(kRunningOptions).first(kWritingCount);
}

OptionTable RunningOptions() {
  return kRunningOptions;
}

void ApplyContentOptions(const ParsedArgs& args, ConvertRequest& request) {
  request.scheme = args.Value("-q");
  request.group_size = static_cast<uint16_t>(args.Uint("--group-size", 1, 1024).value_or(0));
  request.rule = args.ValueOr("--mlx-rule", "metal") == "cpu" ? MlxRule::kCpu : MlxRule::kMetal;
  request.search = args.Has("--search");
  request.protect_routers = args.Has("--protect-routers");
  request.dequantize = args.Has("--dequantize");
  if (const auto dtype = args.Value("--dtype")) {
    request.dtype = ParseDTypeOption(*dtype);
  }
  for (const auto& [option, value] : args.given()) {
    if (option->name == "--override") {
      request.rules.push_back(ParseOverride(value));
    } else if (option->name == "--keep") {
      request.rules.push_back({.regex = value, .scheme = ""});
    }
  }
  request.text_only = args.Has("--text-only");
}

ConvertRequest RequestFromOptions(const ParsedArgs& args, const std::string& command) {
  ConvertRequest request;
  request.command = command;
  ApplyContentOptions(args, request);
  request.target_bpw = args.Number("--target-bpw");
  request.target_size = args.Size("--target-size");
  if (const auto target = args.Value("--to")) {
    request.target = *target == "mlx" ? TargetKind::kMlx : TargetKind::kHuggingFace;
  }
  request.shard_size = args.Size("--shard-size");
  request.strict = args.Has("--strict");
  request.card = !args.Has("--no-card");
  return request;
}

}  // namespace lbrx
