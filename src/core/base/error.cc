#include "core/base/error.h"

#include <cerrno>
#include <system_error>
#include <utility>

#include "core/base/format.h"

namespace lbrx {

namespace {

// Longest path or text of ours in a message; names from files keep Printable's default.
constexpr size_t kTextLimit = 4096;

constexpr uint32_t kInvalidCodePoint = 0xFFFFFFFF;

bool IsContinuation(char byte) {
  return (static_cast<uint8_t>(byte) & 0xC0) == 0x80;
}

struct Decoded {
  uint32_t code_point;
  size_t length;
};

// The code point at the start of `text` (not empty). Overlong forms, surrogates and values above
// U+10FFFF are invalid (Unicode 15, table 3-7) and one byte long.
Decoded DecodeUtf8(std::string_view text) {
  const auto lead = static_cast<uint8_t>(text[0]);
  if (lead < 0x80) {
    return {lead, 1};
  }
  size_t length = 0;
  uint32_t value = 0;
  uint32_t smallest = 0;
  if ((lead & 0xE0) == 0xC0) {
    length = 2, value = lead & 0x1F, smallest = 0x80;
  } else if ((lead & 0xF0) == 0xE0) {
    length = 3, value = lead & 0x0F, smallest = 0x800;
  } else if ((lead & 0xF8) == 0xF0) {
    length = 4, value = lead & 0x07, smallest = 0x10000;
  } else {
    return {kInvalidCodePoint, 1};
  }
  if (text.size() < length) {
    return {kInvalidCodePoint, 1};
  }
  for (size_t i = 1; i < length; ++i) {
    if (!IsContinuation(text[i])) {
      return {kInvalidCodePoint, 1};
    }
    value = (value << 6) | (static_cast<uint8_t>(text[i]) & 0x3F);
  }
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < smallest || surrogate || value > 0x10FFFF) {
    return {kInvalidCodePoint, 1};
  }
  return {value, length};
}

// Characters that move the cursor, end a line or turn the order of what stands around them.
bool IsUnsafe(uint32_t code_point) {
  const bool control = code_point < 0x20 || (code_point >= 0x7F && code_point <= 0x9F);
  const bool line_end = code_point == 0x2028 || code_point == 0x2029;
  const bool direction = code_point == 0x061C || code_point == 0x200E || code_point == 0x200F ||
                         (code_point >= 0x202A && code_point <= 0x202E) ||
                         (code_point >= 0x2066 && code_point <= 0x2069);
  return control || line_end || direction;
}

std::string PrintableCharacter(std::string_view bytes, uint32_t code_point) {
  if (code_point == kInvalidCodePoint || (code_point < 0x80 && IsUnsafe(code_point))) {
    return Format("\\x{:02X}", static_cast<uint8_t>(bytes[0]));
  }
  if (IsUnsafe(code_point)) {
    return Format("\\u{{{:04X}}}", code_point);
  }
  return std::string(bytes);
}

ErrorCode CodeOfErrno(int error_number) {
  switch (error_number) {
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::kPermission;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return ErrorCode::kNoSpace;
    case ENOMEM:
      return ErrorCode::kLimit;
    default:
      return ErrorCode::kIo;
  }
}

std::string AdviceForErrno(int error_number) {
  switch (error_number) {
    case EFBIG:
      return "the file system or a limit (ulimit -f) forbids files of this size; a smaller "
             "--shard-size helps";
    case EDQUOT:
      return "your disk quota is used up";
    case EMFILE:
    case ENFILE:
      return "raise the limit of open files (ulimit -n)";
    default:
      return "";
  }
}

}  // namespace

int ExitCode(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInternal:
      return 1;
    case ErrorCode::kUsage:
      return 2;
    case ErrorCode::kInvalid:
      return 3;
    case ErrorCode::kPermission:
      return 4;
    case ErrorCode::kIo:
      return 5;
    case ErrorCode::kNoSpace:
      return 6;
    case ErrorCode::kLimit:
      return 7;
    case ErrorCode::kNetwork:
      return 8;
    case ErrorCode::kFindings:
      return 10;
    case ErrorCode::kCancelled:
      return 130;
  }
  return 1;
}

const char* ErrorCodeName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInternal:
      return "internal";
    case ErrorCode::kUsage:
      return "usage";
    case ErrorCode::kInvalid:
      return "invalid";
    case ErrorCode::kPermission:
      return "permission";
    case ErrorCode::kIo:
      return "io";
    case ErrorCode::kNoSpace:
      return "no-space";
    case ErrorCode::kLimit:
      return "limit";
    case ErrorCode::kNetwork:
      return "network";
    case ErrorCode::kFindings:
      return "findings";
    case ErrorCode::kCancelled:
      return "cancelled";
  }
  return "internal";
}

std::string FormatMessage(const ErrorDetail& detail) {
  std::string out;
  if (!detail.file.empty()) {
    out += Printable(detail.file, kTextLimit) + ": ";
  }
  if (!detail.object.empty()) {
    out += Printable(detail.object) + ": ";
  }
  out += Printable(detail.what, kTextLimit);
  if (!detail.expected.empty()) {
    out += ", expected " + Printable(detail.expected, kTextLimit);
  }
  if (!detail.found.empty()) {
    out += ", found " + Printable(detail.found, kTextLimit);
  }
  if (detail.offset.has_value()) {
    out += Format(", at byte {}", *detail.offset);
  }
  if (!detail.advice.empty()) {
    out += "; " + Printable(detail.advice, kTextLimit);
  }
  return out;
}

Error::Error(ErrorCode code, ErrorDetail detail)
    : code_(code), detail_(std::move(detail)), message_(FormatMessage(detail_)) {}

Error::Error(ErrorCode code, std::string what)
    : Error(code, ErrorDetail{.file = {},
                              .object = {},
                              .what = std::move(what),
                              .expected = {},
                              .found = {},
                              .offset = {},
                              .advice = {}}) {}

Error& Error::InFile(const std::string& file) {
  if (detail_.file.empty()) {
    detail_.file = file;
    message_ = FormatMessage(detail_);
  }
  return *this;
}

Error& Error::InObject(const std::string& object) {
  if (detail_.object.empty()) {
    detail_.object = object;
    message_ = FormatMessage(detail_);
  }
  return *this;
}

void ThrowErrno(int error_number, const std::string& file, const std::string& what) {
  ErrorDetail detail;
  detail.file = file;
  detail.what = what + ": " + std::generic_category().message(error_number);
  detail.advice = AdviceForErrno(error_number);
  throw Error(CodeOfErrno(error_number), std::move(detail));
}

std::string Printable(std::string_view text, size_t limit) {
  std::string out;
  while (!text.empty()) {
    const Decoded decoded = DecodeUtf8(text);
    const std::string piece =
        PrintableCharacter(text.substr(0, decoded.length), decoded.code_point);
    if (out.size() + piece.size() > limit) {
      return out + "...";
    }
    out += piece;
    text.remove_prefix(decoded.length);
  }
  return out;
}

}  // namespace lbrx
