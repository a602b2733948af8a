// The one exception type of the library, and the codes from which exit codes derive.
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

namespace lbrx {

// Every failure is one of these; ExitCode() maps them to the process's exit code in one place.
enum class ErrorCode : uint8_t {
  kInternal,    // a bug of ours
  kUsage,       // the command line or a parameter is wrong
  kInvalid,     // an input is malformed, verification failed, a source or plan changed
  kPermission,  // access denied
  kIo,          // not found, already exists, a read or write failed
  kNoSpace,     // disk full, quota, file-size limit
  kLimit,       // out of memory, or a limit is too small for the work
  kNetwork,     // network or offline
  kFindings,    // nothing failed, but something was found (diff differs, repair lost data)
  kCancelled,   // stopped by a signal
};

// 1 internal, 2 usage, 3 invalid, 4 permission, 5 I/O, 6 no space, 7 limit, 8 network, 10 findings,
// 130 cancelled (the caller replaces it by 128 + the signal's number).
int ExitCode(ErrorCode code);

// Short lower-case name of a code, as used in JSON output: "invalid", "io", ...
const char* ErrorCodeName(ErrorCode code);

// What is wrong and where. Empty fields are left out of the message.
struct ErrorDetail {
  std::string file;                // path as the user knows it
  std::string object;              // tensor, key, field
  std::string what;                // "header is longer than the file"
  std::string expected;            // "at most 1024 bytes"
  std::string found;               // "2048"
  std::optional<uint64_t> offset;  // byte offset in `file`
  std::string advice;              // what the user can do
};

// "<file>: <object>: <what>, expected <expected>, found <found>, at byte <offset>; <advice>".
// Control characters, invalid UTF-8 and bidirectional overrides from untrusted names are escaped.
std::string FormatMessage(const ErrorDetail& detail);

class Error : public std::exception {
 public:
  Error(ErrorCode code, ErrorDetail detail);
  // Shorthand for an error with nothing but a text.
  Error(ErrorCode code, std::string what);

  ErrorCode code() const { return code_; }

  const ErrorDetail& detail() const { return detail_; }

  const char* what() const noexcept override { return message_.c_str(); }

  // Fills the fields that are still empty; used by callers that know the file or the tensor.
  Error& InFile(const std::string& file);
  Error& InObject(const std::string& object);

 private:
  ErrorCode code_;
  ErrorDetail detail_;
  std::string message_;
};

// Throws the Error for a failed system call: picks the code from `error_number` (EACCES and EPERM:
// permission; ENOSPC, EDQUOT, EFBIG: no space; ENOMEM: limit; else I/O).
[[noreturn]] void ThrowErrno(int error_number, const std::string& file, const std::string& what);

// Bytes from untrusted files made safe to print on a terminal: control characters, DEL, invalid
// UTF-8 and bidirectional controls become \xNN or \u{NNNN}; at most `limit` bytes, then "...".
std::string Printable(std::string_view text, size_t limit = 200);

}  // namespace lbrx
