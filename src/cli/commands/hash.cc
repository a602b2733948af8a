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
  for (const char* name : {"config.json", "model.safetensors.index.json"}) {
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

int Run(Context& context) {
  const std::string& path = context.args().positionals()[0];
  CheckRun run(context);
  OpenOptions options;
  options.executor = &run.executor();
  const Checkpoint checkpoint = OpenCheckpoint(path, options);
  const std::vector<HashedFile> files = FilesOf(checkpoint);
  uint64_t total = DataBytes(checkpoint);
  for (const HashedFile& file : files) {
    total += file.bytes;
  }
  const CheckOptions& check = run.Start("hashing", total);
  const std::vector<TensorHash> tensors = HashTensors(checkpoint, check);
  std::vector<std::string> sums;
  for (const HashedFile& file : files) {
    sums.push_back(Sha256File(file.path, check));
  }
  run.Finish();

  Json tensor_rows = Json::MakeArray();
  std::string text;
  for (const TensorHash& tensor : tensors) {
    Json row = Json::MakeObject();
    row.Set("name", tensor.name);
    row.Set("xxh3_128", tensor.xxh3_128);
    tensor_rows.Append(std::move(row));
    text += Format("xxh3-128  {}  {}\n", tensor.xxh3_128, Printable(tensor.name));
  }
  Json file_rows = Json::MakeArray();
  for (size_t i = 0; i < files.size(); ++i) {
    Json row = Json::MakeObject();
    row.Set("file", files[i].path);
    row.Set("bytes", files[i].bytes);
    row.Set("sha256", sums[i]);
    file_rows.Append(std::move(row));
    text += Format("sha256    {}  {}\n", sums[i], Printable(files[i].path, kLongestPath));
  }
  if (context.json()) {
    context.PrintJson({{"path", path},
                       {"format", checkpoint.format},
                       {"tensors", std::move(tensor_rows)},
                       {"files", std::move(file_rows)}});
  } else {
    context.Print(text);
  }
  return 0;
}

constexpr std::array<Example, 1> kExamples = {
    {{"lbrx hash model", "hashes of every tensor's values and of every file"}}};
constexpr std::array<ArgumentSpec, 1> kArguments = {
    {{.name = "PATH",
      .help = "A folder, a .safetensors file, or org/name in the local Hugging Face cache"}}};

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
