#include "cli/commands/check_run.h"
#include "cli/commands/commands.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

constexpr size_t kLongestPath = 4096;

struct HashedFile {
  std::string path;
  uint64_t bytes;
};

// Data files, then the small ones, configuration included.
std::vector<HashedFile> FilesOf(const Checkpoint& checkpoint) {
  std::vector<HashedFile> files;
  for (const DataFile& file : checkpoint.files) {
    files.push_back({file.path, file.fingerprint.size});
  }
  if (checkpoint.folder.empty()) {
    return files;
  }
  for (const char* name :
       {"config.json", "model.safetensors.index.json", "pytorch_model.bin.index.json"}) {
    const std::string path = JoinPath(checkpoint.folder, name);
    if (PathExists(path)) {
      files.push_back({path, File::OpenRead(path)->Size()});
    }
  }
  for (const SideFile& side : checkpoint.side_files) {
    files.push_back({side.path, side.bytes});
  }
  return files;
}

struct Hashes {
  std::string format;
  std::vector<TensorHash> tensors;
  std::vector<HashedFile> files;
  std::vector<std::string> sums;  // of the files
};

Hashes Compute(Context& context, const std::string& path) {
  CheckRun run(context);
  OpenOptions options;
  options.executor = &run.executor();
  const Checkpoint checkpoint = OpenCheckpoint(path, options);
  Hashes hashes{checkpoint.format, {}, FilesOf(checkpoint), {}};
  uint64_t total = DataBytes(checkpoint);
  for (const HashedFile& file : hashes.files) {
    total += file.bytes;
  }
  const CheckOptions& check = run.Start("hashing", total);
  hashes.tensors = HashTensors(checkpoint, check);
  for (const HashedFile& file : hashes.files) {
    hashes.sums.push_back(Sha256File(file.path, check));
  }
  run.Finish();
  return hashes;
}

void PrintAsJson(Context& context, const std::string& path, const Hashes& hashes) {
  Json tensors = Json::MakeArray();
  for (const TensorHash& tensor : hashes.tensors) {
    tensors.Append(Json::Object{{"name", tensor.name}, {"xxh3_128", tensor.xxh3_128}});
  }
  Json files = Json::MakeArray();
  for (size_t i = 0; i < hashes.files.size(); ++i) {
    files.Append(Json::Object{{"file", hashes.files[i].path},
                              {"bytes", hashes.files[i].bytes},
                              {"sha256", hashes.sums[i]}});
  }
  context.PrintJson({{"path", path},
                     {"format", hashes.format},
                     {"tensors", std::move(tensors)},
                     {"files", std::move(files)}});
}

int Run(Context& context) {
  const std::string& path = context.args().positionals()[0];
  const Hashes hashes = Compute(context, path);
  if (context.json()) {
    PrintAsJson(context, path, hashes);
    return 0;
  }
  for (const TensorHash& tensor : hashes.tensors) {
    context.Print(Format("xxh3-128  {}  {}\n", tensor.xxh3_128, Printable(tensor.name)));
  }
  for (size_t i = 0; i < hashes.files.size(); ++i) {
    context.Print(Format("sha256    {}  {}\n", hashes.sums[i],
                         Printable(hashes.files[i].path, kLongestPath)));
  }
  return 0;
}

constexpr std::array<Example, 1> kExamples = {
    {{"lbrx hash model", "hashes of every tensor's values and of every file"}}};
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
    .options = {CheckingOptions},
    .run = Run,
    .group = "Look at checkpoints"};

}  // namespace lbrx
