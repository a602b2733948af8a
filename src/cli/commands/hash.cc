#include "check/manifest.h"
#include "cli/commands/check_run.h"
#include "cli/commands/commands.h"
#include "cli/commands/own_file.h"
#include "core/base/format.h"
#include "model/open_model.h"

namespace lbrx {
namespace {

constexpr size_t kLongestPath = 4096;

Manifest Compute(Context& context, const std::string& path) {
  CheckRun run(context);
  OpenOptions options;
  options.executor = &run.executor();
  const Checkpoint checkpoint = OpenModel(path, options);
  Manifest manifest = MakeManifest(checkpoint, context.args().ValueOr("--manifest", ""),
                                   run.Start("hashing", ManifestReads(checkpoint)));
  run.Finish();
  return manifest;
}

void PrintAsJson(Context& context, const std::string& path, const Manifest& manifest) {
  Json tensors = Json::MakeArray();
  for (const TensorHash& tensor : manifest.tensors) {
    tensors.Append(Json::Object{{"name", tensor.name}, {"xxh3_128", tensor.xxh3_128}});
  }
  Json files = Json::MakeArray();
  for (const ModelFile& file : manifest.files) {
    files.Append(Json::Object{{"file", file.path}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  }
  Json::Object result = {{"path", path},
                         {"format", manifest.format},
                         {"tensors", std::move(tensors)},
                         {"files", std::move(files)}};
  if (const std::optional<std::string> file = context.args().Value("--manifest")) {
    result.emplace_back("manifest", *file);
  }
  context.PrintJson(std::move(result));
}

int Run(Context& context) {
  const std::string& path = context.args().positionals()[0];
  const std::optional<std::string> file = context.args().Value("--manifest");
  if (file) {
    CheckOwnFile(*file, /*force=*/false);
  }
  const Manifest manifest = Compute(context, path);
  if (file) {
    WriteOwnFile(*file, /*force=*/false, ManifestText(manifest));
    context.StopProgress();
    context.Status(
        Format("wrote the manifest {0}: {1} tensors, {2} files; lbrx validate PATH "
               "--manifest {0} compares",
               Printable(*file, kLongestPath), manifest.tensors.size(), manifest.files.size()));
  }
  if (context.json()) {
    PrintAsJson(context, path, manifest);
    return 0;
  }
  if (file) {
    return 0;
  }
  for (const TensorHash& tensor : manifest.tensors) {
    context.Print(Format("xxh3-128  {}  {}\n", tensor.xxh3_128, tensor.name));
  }
  for (const ModelFile& each : manifest.files) {
    context.Print(Format("sha256    {}  {}\n", each.sha256, Printable(each.path, kLongestPath)));
  }
  return 0;
}

constexpr std::array<OptionSpec, 1> kOptions = {{
    {.name = "--manifest",
     .value = "FILE",
     .help = "Write the hashes to FILE, with a checksum of its own; lbrx validate PATH --manifest "
             "FILE compares",
     .completion = Completion::kPath},
}};

OptionTable Options() {
  return kOptions;
}

constexpr std::array<Example, 2> kExamples = {
    {{"lbrx hash model", "hashes of every tensor's values and of every file"},
     {"lbrx hash model --manifest model.manifest.json",
      "into a file, to be compared with a copy later: lbrx validate COPY --manifest FILE"}}};
constexpr std::array<ArgumentSpec, 1> kArguments = {
    {{.name = "PATH",
      .help = "A folder, a .safetensors or torch file, or org/name in the Hugging Face cache"}}};

}  // namespace

constinit const CommandInfo kHashCommand = {
    .name = "hash",
    .summary = "Hash the tensors' values and the files",
    .details =
        "A tensor's hash is XXH3-128 of its values as f32 under its Hugging Face name, so "
        "it does not depend on the container. Files have their SHA-256.",
    .examples = kExamples,
    .arguments = kArguments,
    .options = {Options, CheckingOptions},
    .run = Run,
    .group = "Look at checkpoints"};

}  // namespace lbrx
