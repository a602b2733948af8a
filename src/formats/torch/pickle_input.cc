#include "formats/torch/pickle_input.h"

#include <algorithm>
#include <span>

#include "core/base/error.h"

namespace lbrx {

PickleInput::PickleInput(const File& file, std::string name, uint64_t begin, uint64_t end)
    : file_(file), name_(std::move(name)), begin_(begin), position_(begin), end_(end) {}

uint8_t PickleInput::Byte() {
  Need(1);
  ++position_;
  return static_cast<uint8_t>(window_[at_++]);
}

uint64_t PickleInput::Number(size_t width) {
  Need(width);
  uint64_t value = 0;
  for (size_t i = 0; i < width; ++i) {
    value |= uint64_t{static_cast<uint8_t>(window_[at_ + i])} << (8 * i);
  }
  position_ += width;
  at_ += width;
  return value;
}

std::string_view PickleInput::Text(size_t length) {
  Need(length);
  const std::string_view text = std::string_view(window_).substr(at_, length);
  position_ += length;
  at_ += length;
  return text;
}

std::string_view PickleInput::Line() {
  Need(std::min<uint64_t>(left(), kMostText));
  const size_t end = window_.find('\n', at_);
  if (end == std::string::npos || end - at_ >= kMostText) {
    ThrowEnd();
  }
  const std::string_view line = Text(end - at_ + 1);
  return line.substr(0, line.size() - 1);
}

void PickleInput::Skip(uint64_t length) {
  if (length > left()) {
    ThrowEnd();
  }
  position_ += length;
  if (length <= window_.size() - at_) {
    at_ += length;
  } else {
    window_.clear();
    at_ = 0;
  }
}

void PickleInput::Need(uint64_t length) {
  if (length <= window_.size() - at_) {
    return;
  }
  if (length > left()) {
    ThrowEnd();
  }
  window_.resize(std::min<uint64_t>(kWindow, left()));
  file_.ReadAt(position_, std::as_writable_bytes(std::span(window_)));
  at_ = 0;
}

void PickleInput::ThrowEnd() const {
  throw Error(ErrorCode::kInvalid, {.file = file_.path(),
                                    .object = name_,
                                    .what = "the pickle ends in the middle",
                                    .expected = {},
                                    .found = {},
                                    .offset = position_,
                                    .advice = "the file is cut short or damaged; download or "
                                              "save it again"});
}

}  // namespace lbrx
