#include "stream/sources.h"

#include "core/base/format.h"

namespace lbrx {
namespace {

std::string Describe(const Fingerprint& fingerprint) {
  return Format("{} bytes, modified at {} ns", fingerprint.size, fingerprint.mtime_ns);
}

}  // namespace

void RequireUnchanged(const std::string& path, const Fingerprint& expected,
                      const Fingerprint& found) {
  if (found != expected) {
    throw Error(ErrorCode::kInvalid, {.file = path,
                                      .object = "",
                                      .what = "changed while being read",
                                      .expected = Describe(expected),
                                      .found = Describe(found),
                                      .offset = {},
                                      .advice = "run the command again once the file is complete"});
  }
}

SourceFiles::SourceFiles(const Checkpoints& checkpoints)
    : checkpoints_(checkpoints), cache_([this](uint64_t key) {
        const DataFile& file = checkpoints_[key >> 32]->files[static_cast<uint32_t>(key)];
        std::shared_ptr<File> opened = File::OpenRead(file.path);
        RequireUnchanged(file.path, file.fingerprint, opened->GetFingerprint());
        return opened;
      }) {}

std::shared_ptr<File> SourceFiles::Open(uint32_t source, uint32_t file) {
  return cache_.Get((uint64_t{source} << 32) | file);
}

void SourceFiles::Read(uint32_t source, const StoredArray& array, uint64_t offset,
                       std::span<std::byte> out) {
  try {
    Open(source, array.file)->ReadAt(array.offset + offset, out);
  } catch (Error& error) {
    error.InObject(array.name);
    throw;
  }
}

void SourceFiles::WillNeed(uint32_t source, const StoredArray& array, uint64_t offset,
                           uint64_t length) {
  Open(source, array.file)->WillNeed(array.offset + offset, length);
}

void SourceFiles::CheckUnchanged() const {
  for (const auto& checkpoint : checkpoints_) {
    for (const DataFile& file : checkpoint->files) {
      if (file.fingerprint == Fingerprint{}) {
        continue;  // could not be opened: one of the checkpoint's problems, nothing is read from it
      }
      RequireUnchanged(file.path, file.fingerprint, File::OpenRead(file.path)->GetFingerprint());
    }
  }
}

}  // namespace lbrx
