// The bytes of a pickle inside a file, read through a window: a pickle's length is not known before
// it has been run, and the tensors' data may follow it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/io/file.h"

namespace lbrx {

class PickleInput {
 public:
  // Bytes [begin, end) of `file`. `name` is what messages call the pickle: "archive/data.pkl".
  PickleInput(const File& file, std::string name, uint64_t begin, uint64_t end);

  const File& file() const { return file_; }

  const std::string& name() const { return name_; }

  uint64_t begin() const { return begin_; }

  uint64_t position() const { return position_; }  // in the file, of the next byte

  uint64_t left() const { return end_ - position_; }

  // All of these throw kInvalid where the pickle ends before.
  uint8_t Byte();
  uint64_t Number(size_t width);         // little-endian, up to 8 bytes
  std::string_view Text(size_t length);  // at most kMostText; valid until the next call
  std::string_view Line();               // up to "\n" (taken, not returned), at most kMostText
  void Skip(uint64_t length);

  static constexpr size_t kMostText = size_t{1} << 16;

 private:
  void Need(uint64_t length);  // at most kWindow
  [[noreturn]] void ThrowEnd() const;

  static constexpr size_t kWindow = size_t{1} << 18;

  const File& file_;
  std::string name_;
  uint64_t begin_;
  uint64_t position_;
  uint64_t end_;
  std::string window_;
  size_t at_ = 0;  // of `position_` in the window
};

}  // namespace lbrx
