#include "cli/commands/spellings.h"

#include <array>

#include "core/base/format.h"

namespace lbrx {
namespace {

constexpr std::string_view kMlx = "mlx_lm.convert's spellings";
constexpr std::string_view kConverter = "convert_hf_to_gguf.py's spellings";

constexpr std::array<OptionSpec, 8> kConvertSpellings = {{
    {.name = "--hf-path",
     .value = "SRC",
     .help = "The source; -q may then stand without a scheme",
     .group = kMlx,
     .aliases = "--model",
     .completion = Completion::kPath},
    {.name = "--mlx-path",
     .value = "DST",
     .help = "The destination",
     .group = kMlx,
     .fallback = "mlx_model",
     .completion = Completion::kPath},
    {.name = "--q-bits",
     .value = "N",
     .help = "Bits of the scheme",
     .group = kMlx,
     .fallback = "4",
     .choices = "1|2|3|4|5|6|8"},
    {.name = "--q-group-size",
     .value = "N",
     .help = "As --group-size",
     .group = kMlx,
     .choices = "16|32|64|128",
     .conflicts = "--group-size"},
    {.name = "--q-mode",
     .value = "MODE",
     .help = "Family of the scheme",
     .group = kMlx,
     .fallback = "affine",
     .choices = "affine|mxfp4|mxfp8|nvfp4"},
    {.name = "--quant-predicate",
     .value = "RECIPE",
     .help = "A recipe of mixed bits, as -q RECIPE",
     .group = kMlx,
     .conflicts = "--q-bits"},
    {.name = "--outtype",
     .value = "TYPE",
     .help = "Type of the matrices of a GGUF file",
     .group = kConverter,
     .choices = "f32|f16|bf16|q8_0|tq1_0|tq2_0|auto",
     .conflicts = "-q --dtype"},
    {.name = "--outfile",
     .value = "FILE",
     .help = "The destination, with SRC alone before it",
     .group = kConverter,
     .completion = Completion::kPath},
}};

[[noreturn]] void ThrowUsage(std::string_view object, const std::string& what,
                             const std::string& advice) {
  ErrorDetail detail;
  detail.object = object;
  detail.what = what;
  detail.advice = advice;
  throw Error(ErrorCode::kUsage, std::move(detail));
}

// The scheme that -q without a value means, from --q-mode and --q-bits as mlx_lm.convert has them.
std::string MlxScheme(const ParsedArgs& args) {
  if (const auto recipe = args.Value("--quant-predicate")) {
    return *recipe;
  }
  std::string mode = args.ValueOr("--q-mode", "affine");
  const std::optional<std::string> bits = args.Value("--q-bits");
  if (mode == "affine") {
    return bits.value_or("4") + "bit";
  }
  const std::string own = mode == "mxfp8" ? "8" : "4";
  if (bits && *bits != own) {
    ThrowUsage("--q-bits", Format("{} has {} bits", mode, own), "leave out --q-bits");
  }
  return mode;
}

void RequireHfPath(const ParsedArgs& args) {
  for (const OptionSpec& option : kConvertSpellings) {
    if (option.group == kMlx && args.Has(option.name)) {
      ThrowUsage(option.name, "is an option of mlx_lm.convert and needs --hf-path",
                 "or write: lbrx convert SRC DST -q SCHEME");
    }
  }
}

void TakePositionals(const ParsedArgs& args, ConvertRequest& request) {
  RequireHfPath(args);
  std::vector<std::string> given = args.positionals();
  if (const auto file = args.Value("--outfile"); file && given.size() == 1) {
    given.push_back(*file);
  } else if (file) {
    ThrowUsage("--outfile", "stands beside SRC alone", "or write: lbrx convert SRC DST");
  }
  if (given.size() < 2) {
    ThrowUsage(given.empty() ? "SRC" : "DST", "is missing", "--help shows the usage");
  }
  request.source = given[0];
  request.destination = given[1];
  if (request.scheme && request.scheme->empty()) {
    ThrowUsage("-q", "needs a scheme", "for example -q 4bit; `lbrx schemes` lists them");
  }
}

}  // namespace

OptionTable ConvertSpellings() {
  return kConvertSpellings;
}

void ApplyConverterSpellings(const ParsedArgs& args, ConvertRequest& request) {
  const std::string type = args.ValueOr("--outtype", "auto");
  if (const std::optional<DType> dtype = ParseDType(type)) {
    request.dtype = *dtype;
  } else if (type != "auto") {
    request.scheme = type;
  }
}

void ApplyMlxSpellings(const ParsedArgs& args, ConvertRequest& request) {
  const std::optional<std::string> source = args.Value("--hf-path");
  if (!source) {
    TakePositionals(args, request);
    return;
  }
  if (!args.positionals().empty()) {
    ThrowUsage(args.positionals()[0], "SRC and DST cannot stand beside --hf-path",
               "use --hf-path and --mlx-path, or SRC and DST");
  }
  request.source = *source;
  request.destination = args.ValueOr("--mlx-path", "mlx_model");
  if (!request.target) {
    request.target = TargetKind::kMlx;
  }
  const bool described =
      args.Has("--q-bits") || args.Has("--q-mode") || args.Has("--quant-predicate");
  if (!request.scheme) {
    if (described || args.Has("--q-group-size")) {
      ThrowUsage("--hf-path", "a scheme is described but -q is missing", "add -q");
    }
    return;
  }
  if (!request.scheme->empty() && described) {
    ThrowUsage("-q", "a scheme is given twice",
               "leave out --q-bits, --q-mode and --quant-predicate");
  }
  if (request.scheme->empty()) {
    request.scheme = MlxScheme(args);
  }
  if (const auto group = args.Uint("--q-group-size", 1, 1024)) {
    request.group_size = static_cast<uint16_t>(*group);
  }
}

}  // namespace lbrx
