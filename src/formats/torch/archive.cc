#include <algorithm>
#include <memory>
#include <unordered_map>
#include <utility>

#include "core/base/error.h"
#include "core/base/format.h"
#include "core/io/zip.h"
#include "formats/torch/layouts.h"
#include "formats/torch/pickle.h"

namespace lbrx {

namespace {

constexpr std::string_view kPickle = "/data.pkl";
constexpr uint64_t kMostNote = 64;

[[noreturn]] void Fail(const File& file, std::string object, std::string what, std::string expected,
                       std::string found, std::string advice) {
  throw Error(ErrorCode::kInvalid, {.file = file.path(),
                                    .object = std::move(object),
                                    .what = std::move(what),
                                    .expected = std::move(expected),
                                    .found = std::move(found),
                                    .offset = {},
                                    .advice = std::move(advice)});
}

// Members by name. The names live in the vector.
class Archive {
 public:
  explicit Archive(const File& file) : file_(file), members_(ReadZipDirectory(file)) {
    by_name_.reserve(members_.size());
    for (const ZipMember& member : members_) {
      by_name_.emplace(member.name, &member);
    }
  }

  const ZipMember* Find(const std::string& name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
  }

  // The folder that all members of a torch archive are in. Refuses what is none.
  std::string Root() const {
    std::string root;
    for (const ZipMember& member : members_) {
      const size_t slash = member.name.find('/');
      const bool top = slash != std::string::npos && member.name.substr(slash) == kPickle;
      if (top && !root.empty()) {
        Fail(file_, member.name, "the archive has two pickles", "one data.pkl",
             root + std::string(kPickle) + " as well", "do not use this file");
      }
      root = top ? member.name.substr(0, slash) : root;
    }
    if (root.empty()) {
      Fail(file_, "", "a ZIP archive, but not one of torch", "<name>/data.pkl in it",
           Format("{} members", members_.size()), "if it is a packed model, unpack it");
    }
    const bool script = std::any_of(members_.begin(), members_.end(), [&](const ZipMember& member) {
      return member.name == root + "/constants.pkl" || member.name.starts_with(root + "/code/");
    });
    if (script) {
      Fail(
          file_, "", "a TorchScript archive, a program with its weights", "a state dict", "",
          "if you trust it, load it with torch.jit.load and save its state_dict() with torch.save");
    }
    RefuseCompressed();
    return root;
  }

 private:
  // Compressed data cannot be read in place, and how long it becomes is anybody's guess.
  void RefuseCompressed() const {
    for (const ZipMember& member : members_) {
      if (member.method != 0) {
        Fail(file_, member.name, "the member is compressed", "method 0, stored as it is",
             Format("method {}", member.method),
             "torch stores its data uncompressed; if you trust it, load it with torch and save it "
             "again");
      }
    }
  }

  const File& file_;
  std::vector<ZipMember> members_;
  std::unordered_map<std::string_view, const ZipMember*> by_name_;
};

void CheckByteOrder(const File& file, const Archive& archive, const std::string& root) {
  const ZipMember* member = archive.Find(root + "/byteorder");
  if (member == nullptr) {
    return;  // before torch 2.1: always little
  }
  const std::string order = ReadZipMember(file, *member, kMostNote);
  if (order != "little") {
    Fail(file, member->name, "the data is in another byte order", "little", Printable(order),
         "load and save it with torch on a little-endian machine");
  }
}

}  // namespace

TorchContent ReadTorchArchive(const File& file) {
  const auto archive = std::make_shared<const Archive>(file);
  const std::string root = archive->Root();
  CheckByteOrder(file, *archive, root);
  const ZipMember& pickle = *archive->Find(root + std::string(kPickle));
  VerifyZipMember(file, pickle);
  TorchContent content;
  content.pickle = pickle.name;
  PickleInput input(file, pickle.name, pickle.offset, pickle.offset + pickle.bytes);
  content.root = PickleMachine(input, content.heap).Run();
  content.locate = [archive, root, path = file.path()](const PickleStorage& storage) {
    const ZipMember* member = archive->Find(root + "/data/" + storage.key);
    if (member == nullptr) {
      ErrorDetail detail;
      detail.file = path;
      detail.what = Format("storage \"{}\" is missing in the archive", Printable(storage.key, 60));
      detail.expected = "member " + Printable(root + "/data/" + storage.key, 100);
      detail.advice = "the file is damaged; download or save it again";
      throw Error(ErrorCode::kInvalid, std::move(detail));
    }
    return StorageSpan{member->offset, member->bytes};
  };
  return content;
}

}  // namespace lbrx
