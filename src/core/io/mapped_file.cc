#include <sys/mman.h>

#include <cerrno>

#include "core/io/file.h"
#include "core/io/system_call.h"

namespace lbrx {

std::shared_ptr<MappedFile> MappedFile::Open(const std::string& path) {
  const std::shared_ptr<File> file = File::OpenRead(path);
  const uint64_t size = file->Size();
  if (size == 0) {  // mmap refuses an empty range
    return std::shared_ptr<MappedFile>(new MappedFile({}));
  }
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file->descriptor(), 0);
  if (address == MAP_FAILED) {
    ThrowSystemError(errno, path, "cannot be mapped");
  }
  const auto* bytes = static_cast<const std::byte*>(address);
  return std::shared_ptr<MappedFile>(new MappedFile({bytes, size}));
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) {
    ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
  }
}

}  // namespace lbrx
