#include "cli/commands/commands.h"
#include "cli/commands/gguf_options.h"
#include "cli/commands/spellings.h"
#include "cli/commands/write.h"

namespace lbrx {
namespace {

int Run(Context& context) {
  const ParsedArgs& args = context.args();
  ConvertRequest request = RequestFromOptions(args, "convert");
  ApplyMlxSpellings(args, request);
  ApplyConverterSpellings(args, request);
  ApplyGgufOptions(args, request);
  return CarryOut(context, MakePlan(context, request), request);
}

constexpr std::array<Example, 9> kExamples = {
    {{"lbrx convert org/name model-mlx --to mlx",
      "a model of the Hugging Face cache becomes an MLX folder"},
     {"lbrx convert model model.gguf", "a GGUF file for llama.cpp, floats as they are"},
     {"lbrx convert model.gguf model", "back: a Hugging Face folder, tokenizer and all"},
     {"lbrx convert model-Q4_0.gguf model-mlx --to mlx",
      "codes carried where MLX has the same numbers"},
     {"lbrx convert model model-4bit -q 4bit", "quantize on the way"},
     {"lbrx convert gemma-3 gemma-3-text -q 4bit --text-only", "without the part that sees"},
     {"lbrx convert model-4bit model-bf16 --dequantize", "floats again"},
     {"lbrx convert pytorch_model.bin model.safetensors",
      "a torch file, whose pickle is read as data and not executed"},
     {"lbrx convert --hf-path org/name --mlx-path model-4bit -q --q-bits 4",
      "as mlx_lm.convert spells it"}}};

constexpr std::array<ArgumentSpec, 2> kArguments = {
    {{.name = "SRC",
      .help =
          "A folder, a .gguf, .safetensors or torch file, or org/name in the Hugging Face cache",
      .required = false},
     {.name = "DST",
      .help = "What to write: a file if the name ends in .gguf or .safetensors, else a folder",
      .required = false}}};

}  // namespace

constinit const CommandInfo kConvertCommand = {
    .name = "convert",
    .summary = "Convert a checkpoint to another format, type or scheme",
    .details =
        "Memory stays under --memory whatever the model's size. A run that was interrupted "
        "keeps its work in DST.lbrx-partial/; the same command continues it.",
    .examples = kExamples,
    .arguments = kArguments,
    .options = {QuantizationOptions, OutputOptions, RunningOptions, GgufFileOptions,
                GgufQuantizeOptions, ConvertSpellings},
    .run = Run,
    .group = "Change checkpoints",
    .usage = "lbrx convert SRC DST [OPTIONS]"};

}  // namespace lbrx
