#include "formats/gguf/input.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/base/checked.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

constexpr uint64_t kBufferBytes = uint64_t{256} << 10;
constexpr uint64_t kFreeMemory = uint64_t{16} << 20;
constexpr char kCutShort[] =
    "the file is cut short; download it again, or `lbrx repair` saves what is whole";

}  // namespace

GgufInput::GgufInput(const File& file) : file_(file), size_(file.Size()) {}

void GgufInput::Fill() {
  buffer_.resize(std::min(kBufferBytes, remaining()));
  used_ = 0;
  file_.ReadAt(offset_, buffer_);
}

void GgufInput::Read(std::span<std::byte> out, std::string_view object) {
  if (out.size() > remaining()) {
    ErrorDetail detail = Detail(object, offset_, "the file ends inside it",
                                Format("{} bytes more", out.size()), std::to_string(remaining()));
    detail.advice = kCutShort;
    throw Error(ErrorCode::kInvalid, std::move(detail));
  }
  while (!out.empty()) {
    if (used_ == buffer_.size()) {
      Fill();
    }
    const size_t part = std::min(out.size(), buffer_.size() - used_);
    std::memcpy(out.data(), buffer_.data() + used_, part);
    used_ += part;
    offset_ += part;
    out = out.subspan(part);
  }
}

std::string GgufInput::Text(uint64_t limit, std::string_view object) {
  const uint64_t at = offset_;
  const auto length = Number<uint64_t>(object);
  if (length > limit) {
    Fail(object, at, "a text is too long", Format("at most {} bytes", limit),
         std::to_string(length));
  }
  if (length > remaining()) {
    ErrorDetail detail = Detail(object, at, "a text is longer than the file",
                                Format("at most {} bytes", remaining()), std::to_string(length));
    detail.advice = kCutShort;
    throw Error(ErrorCode::kInvalid, std::move(detail));
  }
  std::string text(length, '\0');
  Read(std::as_writable_bytes(std::span(text)), object);
  return text;
}

void GgufInput::Charge(uint64_t bytes, std::string_view object) {
  const uint64_t most = 2 * size_ + kFreeMemory;
  if (AddOverflows(charged_, bytes, &charged_) || charged_ > most) {
    Fail(object, offset_, "the header would take more memory than such a file justifies",
         Format("at most {} bytes", most), "more");
  }
}

void GgufInput::Fail(std::string_view object, uint64_t at, std::string what, std::string expected,
                     std::string found) const {
  throw Error(ErrorCode::kInvalid,
              Detail(object, at, std::move(what), std::move(expected), std::move(found)));
}

ErrorDetail GgufInput::Detail(std::string_view object, uint64_t at, std::string what,
                              std::string expected, std::string found) const {
  return {.file = file_.path(),
          .object = std::string(object),
          .what = std::move(what),
          .expected = std::move(expected),
          .found = std::move(found),
          .offset = at,
          .advice = {}};
}

}  // namespace lbrx
