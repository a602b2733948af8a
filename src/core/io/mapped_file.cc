#include <sys/mman.h>

#include <cerrno>

#include "core/io/file.h"
#include "core/io/system_call.h"

namespace lbrx {

std::shared_ptr<MappedFile> MappedFile::Open(const std::string& path) {
  const std::shared_ptr<File> file = File::OpenRead(path);
  const uint64_t size = file->Size();
  std::shared_ptr<MappedFile> mapped(new MappedFile({}));  // there may be no memory for it
  if (size == 0) {                                         // mmap refuses an empty range
    return mapped;
  }
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file->descriptor(), 0);
  if (address == MAP_FAILED) {
    ThrowSystemError(errno, path, "cannot be mapped");
  }
  const auto* bytes = static_cast<const std::byte*>(address);
  mapped->bytes_ = {bytes, size};
  return mapped;
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) {
    ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
  }
}

}  // namespace lbrx
