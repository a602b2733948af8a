#include "merge/merge.h"

#include "cli/commands/commands.h"
#include "cli/commands/gguf_options.h"
#include "cli/commands/write.h"
#include "core/base/format.h"
#include "core/base/plain_text.h"

namespace lbrx {
namespace {

constexpr std::string_view kMerging = "Merging";
constexpr std::string_view kPeer = "mergekit-yaml's spellings";
constexpr std::string_view kNoMeaning = "Accepted; has no meaning here";
constexpr uint64_t kConfigLimit = uint64_t{64} << 20;

constexpr std::array<OptionSpec, 31> kMergeOptions = {{
    {.name = "--random-seed",
     .value = "N",
     .help = "Seed of methods that draw at random",
     .group = kMerging,
     .fallback = "0"},
    {.name = "--compat",
     .value = "PEER",
     .help = "Compute as a peer does: each operation rounded, its random stream, its omissions",
     .group = kMerging,
     .choices = "mergekit"},
    {.name = "--allow-crimes",
     .help = "Merge models of different architectures, by names and shapes",
     .group = kMerging},
    {.name = "--no-copy-tokenizer",
     .help = "Leave the tokenizer's files out",
     .group = kMerging,
     .conflicts = "--copy-tokenizer"},
    {.name = "--copy-tokenizer", .help = "The default", .group = kPeer},
    {.name = "--out-shard-size",
     .value = "SIZE",
     .help = "As --shard-size; b, m and k are accepted too",
     .group = kPeer,
     .conflicts = "--shard-size"},
    {.name = "--num-threads",
     .value = "N",
     .help = "As --threads",
     .group = kPeer,
     .aliases = "-j",
     .conflicts = "--threads"},
    {.name = "--no-write-model-card", .help = "As --no-card", .group = kPeer},
    {.name = "--write-model-card", .help = "The default", .group = kPeer},
    {.name = "--cuda", .help = kNoMeaning, .group = kPeer},
    {.name = "--device", .value = "NAME", .help = kNoMeaning, .group = kPeer},
    {.name = "--low-cpu-memory", .help = kNoMeaning, .group = kPeer},
    {.name = "--read-to-gpu", .help = kNoMeaning, .group = kPeer},
    {.name = "--multi-gpu", .help = kNoMeaning, .group = kPeer},
    {.name = "--gpu-rich", .help = kNoMeaning, .group = kPeer},
    {.name = "--lazy-unpickle", .help = kNoMeaning, .group = kPeer},
    {.name = "--no-lazy-unpickle", .help = kNoMeaning, .group = kPeer},
    {.name = "--clone-tensors", .help = kNoMeaning, .group = kPeer},
    {.name = "--trust-remote-code", .help = kNoMeaning, .group = kPeer},
    {.name = "--no-trust-remote-code", .help = kNoMeaning, .group = kPeer},
    {.name = "--transformers-cache", .value = "DIR", .help = kNoMeaning, .group = kPeer},
    {.name = "--lora-merge-cache", .value = "DIR", .help = kNoMeaning, .group = kPeer},
    {.name = "--lora-merge-dtype", .value = "DTYPE", .help = kNoMeaning, .group = kPeer},
    {.name = "--safe-serialization", .help = kNoMeaning, .group = kPeer},
    {.name = "--async-write", .help = kNoMeaning, .group = kPeer},
    {.name = "--no-async-write", .help = kNoMeaning, .group = kPeer},
    {.name = "--write-threads", .value = "N", .help = kNoMeaning, .group = kPeer},
    {.name = "--no-cuda", .help = kNoMeaning, .group = kPeer},
    {.name = "--no-low-cpu-memory", .help = kNoMeaning, .group = kPeer},
    {.name = "--no-clone-tensors", .help = kNoMeaning, .group = kPeer},
    {.name = "--no-allow-crimes", .help = "The default", .group = kPeer},
}};

void NoteIdleOptions(Context& context) {
  std::string idle;
  for (const auto& [option, value] : context.args().given()) {
    if (option->help == kNoMeaning) {
      idle += Format("{}{}", idle.empty() ? "" : ", ", option->name);
    }
  }
  if (!idle.empty()) {
    context.Notice(idle + ": without meaning here, as memory is bounded and nothing is unpickled");
  }
}

// mergekit's sizes: 5B, 500M, 100k, powers of ten.
uint64_t PeerSize(const std::string& text) {
  constexpr std::pair<char, std::string_view> kUnits[] = {{'b', "GB"}, {'B', "GB"}, {'m', "MB"},
                                                          {'M', "MB"}, {'k', "kB"}, {'K', "kB"}};
  for (const auto& [unit, name] : kUnits) {
    const bool bare = text.size() > 1 && text.back() == unit && IsAsciiDigit(text[text.size() - 2]);
    if (bare) {
      return ParseBytes(text.substr(0, text.size() - 1) + std::string(name));
    }
  }
  return ParseBytes(text);
}

int Run(Context& context) {
  const ParsedArgs& args = context.args();
  const std::vector<std::string>& given = args.positionals();
  ConvertRequest request = RequestFromOptions(args, "merge");
  request.source = given[0];
  request.destination = given[1];
  request.card = request.card && !args.Has("--no-write-model-card");
  if (const std::optional<std::string> size = args.Value("--out-shard-size")) {
    request.shard_size = PeerSize(*size);
  }
  request.merge = MergeFromOptions(args, given[0], request).ToJson();
  ApplyGgufOptions(args, request);
  NoteIdleOptions(context);
  return CarryOut(context, MakePlan(context, request), request);
}

constexpr std::array<Example, 6> kExamples = {
    {{"lbrx merge ties.yml merged", "mergekit's YAML as it is; a Hugging Face folder"},
     {"lbrx merge ties.yml merged.gguf -q Q4_K_M", "quantized on the way, in one pass"},
     {"lbrx merge ties.yml merged-4bit -q 4bit", "the same for MLX"},
     {"lbrx merge ties.yml merged --dry-run", "which tensors are made of what, with what weights"},
     {"lbrx merge dare.yml merged --compat mergekit --random-seed 42",
      "the numbers that mergekit gives, its random draws too"},
     {"lbrx methods", "the methods and their parameters"}}};

constexpr std::array<ArgumentSpec, 2> kArguments = {
    {{.name = "CONFIG",
      .help = "A YAML file as mergekit-yaml reads it; paths of models in it are "
              "relative to the current folder, or org/name in the cache"},
     {.name = "DST",
      .help = "What to write: a file if the name ends in .gguf or .safetensors, else a folder"}}};

}  // namespace

OptionTable MergeOptions() {
  return kMergeOptions;
}

MergeRequest MergeFromOptions(const ParsedArgs& args, const std::string& config,
                              const ConvertRequest& request) {
  MergeRequest merge;
  merge.config_file = config;
  merge.config_text = ReadWholeFile(config, kConfigLimit);
  merge.seed = args.Uint("--random-seed", 0, UINT64_MAX).value_or(0);
  merge.compat = args.Has("--compat");
  merge.mixed = args.Has("--allow-crimes");
  merge.copy_tokenizer = !args.Has("--no-copy-tokenizer");
  merge.card = request.card;
  merge.strict = request.strict;
  merge.dtype = request.dtype;
  return merge;
}

constinit const CommandInfo kMergeCommand = {
    .name = "merge",
    .summary = "Merge models as a mergekit configuration says",
    .details =
        "Models may be of any format that lbrx reads, quantized or not, with adapters "
        "(MODEL+ADAPTER); the result may be of any that it writes. Arithmetic is in "
        "float32 and rounded once at the end.",
    .examples = kExamples,
    .arguments = kArguments,
    .options = {MergeOptions, QuantizationOptions, OutputOptions, RunningOptions, GgufFileOptions,
                GgufQuantizeOptions},
    .run = Run,
    .group = "Change checkpoints",
    .usage = "lbrx merge CONFIG DST [OPTIONS]"};

}  // namespace lbrx
