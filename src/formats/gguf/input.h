// The bytes of a GGUF header one after another, each read checked against the file's end.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/io/file.h"
#include "formats/checkpoint.h"

namespace lbrx {

class GgufInput {
 public:
  explicit GgufInput(const File& file);

  uint64_t offset() const { return offset_; }  // in the file

  uint64_t size() const { return size_; }  // of the file

  uint64_t remaining() const { return size_ - offset_; }

  // kInvalid, naming `object`, where the file ends before.
  template <typename T>
  T Number(std::string_view object) {
    T value;
    Read(std::as_writable_bytes(std::span(&value, 1)), object);
    return value;
  }

  void Read(std::span<std::byte> out, std::string_view object);
  // A length and that many bytes, at most `limit`.
  std::string Text(uint64_t limit, std::string_view object);

  // Accounts for memory that what is read will take: kInvalid beyond twice the file and 16 MiB.
  void Charge(uint64_t bytes, std::string_view object);

  // kInvalid about the byte `at`.
  [[noreturn]] void Fail(std::string_view object, uint64_t at, std::string what,
                         std::string expected = {}, std::string found = {}) const;
  ErrorDetail Detail(std::string_view object, uint64_t at, std::string what,
                     std::string expected = {}, std::string found = {}) const;

 private:
  void Fill();

  const File& file_;
  uint64_t size_;
  uint64_t offset_ = 0;
  uint64_t charged_ = 0;
  std::vector<std::byte> buffer_;
  size_t used_ = 0;  // of the buffer
};

}  // namespace lbrx
