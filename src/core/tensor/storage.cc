#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "core/base/checked.h"
#include "core/base/error.h"
#include "core/io/file.h"
#include "core/tensor/tensor.h"

namespace lbrx {

Storage Storage::Allocate(size_t bytes) {
  constexpr size_t kAlignment = 64;
  Storage out;
  if (bytes == 0) {
    return out;
  }
  void* memory = bytes > SIZE_MAX - kAlignment
                     ? nullptr
                     : std::aligned_alloc(kAlignment, RoundUp(bytes, kAlignment));
  if (memory == nullptr) {
    throw Error(ErrorCode::kLimit, "out of memory for " + std::to_string(bytes) + " bytes");
  }
  std::memset(memory, 0, bytes);
  out.owner_ = std::shared_ptr<const void>(memory, [memory](const void*) { std::free(memory); });
  out.bytes_ = {static_cast<std::byte*>(memory), bytes};
  return out;
}

Storage Storage::Mapped(std::shared_ptr<MappedFile> file) {
  const std::span<const std::byte> bytes = file->bytes();
  Storage out;
  out.bytes_ = {const_cast<std::byte*>(bytes.data()), bytes.size()};
  out.writable_ = false;
  out.owner_ = std::move(file);
  return out;
}

Storage Storage::Borrow(std::span<std::byte> bytes, std::shared_ptr<const void> owner) {
  Storage out;
  out.bytes_ = bytes;
  out.owner_ = std::move(owner);
  return out;
}

}  // namespace lbrx
