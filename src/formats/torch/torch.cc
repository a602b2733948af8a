#include "formats/torch/torch.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/error.h"
#include "core/base/format.h"
#include "formats/detect.h"
#include "formats/names.h"
#include "formats/problems.h"
#include "formats/torch/layouts.h"
#include "formats/torch/state_dict.h"

namespace lbrx {

namespace {

constexpr uint8_t kProto = 0x80;
constexpr size_t kBraceOfSafetensors = 8;  // where a safetensors header begins
constexpr size_t kTarMark = 257;

bool IsZip(std::string_view head) {
  return head.starts_with("PK\x03\x04") || head.starts_with("PK\x05\x06");
}

// Until 0.1.10 torch wrote tar archives with these members.
bool IsOldTar(std::string_view head) {
  constexpr std::array<std::string_view, 4> kMembers = {"sys_info", "pickle", "tensors",
                                                        "storages"};
  return head.size() > kTarMark + 5 && head.substr(kTarMark, 5) == "ustar" &&
         std::any_of(kMembers.begin(), kMembers.end(), [&](std::string_view member) {
           return head.starts_with(member) || head.starts_with("./" + std::string(member));
         });
}

void AddArrays(const TorchContent& content, const File& file, uint32_t file_index,
               std::vector<NamedTensor>& tensors, ProblemSink& problems,
               std::vector<StoredArray>& arrays) {
  arrays.reserve(tensors.size());
  for (NamedTensor& named : tensors) {
    try {
      const PickleTensor& tensor = content.heap.tensors[named.tensor];
      // What cannot be read has no storage.
      const StorageSpan span = tensor.flaw.empty()
                                   ? content.locate(content.heap.storages[tensor.storage])
                                   : StorageSpan{};
      StoredArray array = ArrayOfTensor(content.heap, tensor, named.name, span);
      array.file = file_index;
      arrays.push_back(std::move(array));
    } catch (Error& error) {
      error.InFile(file.path());
      error.InObject(named.name);
      problems.Caught(error);
    }
  }
  std::sort(arrays.begin(), arrays.end(), [](const StoredArray& a, const StoredArray& b) {
    return std::pair(a.offset, std::string_view(a.name)) <
           std::pair(b.offset, std::string_view(b.name));
  });
}

void RefuseDuplicates(const File& file, std::vector<StoredArray>& arrays, ProblemSink& problems) {
  std::vector<bool> extra(arrays.size());
  for (const auto& [first, second] : NameTable(arrays).Duplicates()) {
    ErrorDetail detail;
    detail.file = file.path();
    detail.object = arrays[second].name;
    detail.what = "duplicate tensor";
    detail.expected = "every name once";
    problems.Fail(std::move(detail));
    extra[second] = true;
  }
  std::erase_if(arrays,
                [&, i = size_t{0}](const StoredArray& /*array*/) mutable { return extra[i++]; });
}

void WarnTrailing(const File& file, uint64_t bytes, ProblemSink& problems) {
  if (bytes > 0) {
    ErrorDetail detail;
    detail.file = file.path();
    detail.what = Format("{} bytes behind the last storage are passed over", bytes);
    detail.offset = file.Size() - bytes;
    problems.Warn(std::move(detail));
  }
}

std::string Head(const File& file) {
  std::string head(std::min<uint64_t>(file.Size(), 512), '\0');
  file.ReadAt(0, std::as_writable_bytes(std::span(head)));
  return head;
}

}  // namespace

bool HasTorchEnding(std::string_view path) {
  constexpr std::array<std::string_view, 5> kEndings = {".bin", ".pt", ".pth", ".ckpt", ".pkl"};
  return std::any_of(kEndings.begin(), kEndings.end(),
                     [&](std::string_view ending) { return path.ends_with(ending); });
}

bool IsTorchFile(std::string_view head, const std::string& path) {
  if (IsZip(head) || IsOldTar(head)) {
    return true;
  }
  if (head.size() > kBraceOfSafetensors && head[kBraceOfSafetensors] == '{' &&
      head.substr(2, 6) == std::string_view("\0\0\0\0\0\0", 6)) {
    return false;  // a header length that looks like an opcode
  }
  if (head.size() > 2 && static_cast<uint8_t>(head[0]) == kProto && head[1] >= 2 && head[1] <= 5) {
    return true;
  }
  // Protocols 0 and 1 begin with any opcode. torch never writes them, but a hostile file may: what
  // is wrong with it is better told by the pickle's reader.
  constexpr std::string_view kFirst = "c(]})N";
  return HasTorchEnding(path) && !head.empty() && kFirst.find(head[0]) != std::string_view::npos &&
         RecogniseForeign(head).kind.empty();
}

TorchFile ReadTorchFile(const File& file, uint32_t file_index, std::vector<Problem>& problems,
                        bool collect) {
  OpenOptions options;
  options.collect_problems = collect;
  ProblemSink sink(options, problems);
  const std::string head = Head(file);
  if (IsOldTar(head)) {
    throw Error(ErrorCode::kInvalid,
                {.file = file.path(),
                 .object = {},
                 .what = "torch's tar layout of before 0.1.10 cannot be read",
                 .expected = "a file of torch 0.2 or later",
                 .found = {},
                 .offset = {},
                 .advice = "if you trust it, load it with torch and save it again"});
  }
  TorchFile out;
  const bool zip = IsZip(head);
  out.layout = zip ? "ZIP archive" : "legacy layout";
  uint64_t trailing = 0;
  const TorchContent content = zip ? ReadTorchArchive(file) : ReadTorchLegacy(file, &trailing);
  WarnTrailing(file, trailing, sink);
  std::vector<NamedTensor> tensors =
      FindStateDict(content.heap, content.root, file.path(), content.pickle, sink);
  AddArrays(content, file, file_index, tensors, sink, out.arrays);
  RefuseDuplicates(file, out.arrays, sink);
  return out;
}

}  // namespace lbrx
