#include "cli/term/sink.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/error.h"

namespace lbrx {

void FdSink::Write(std::string_view text) {
  if (kind_ == Kind::kDiagnostic) {
    WriteAll(text);
    return;
  }
  buffer_ += text;
  if (buffer_.size() >= kBufferSize) {
    Flush();
  }
}

void FdSink::Flush() {
  std::string pending;
  pending.swap(buffer_);  // a failure must not be tried again
  WriteAll(pending);
}

void FdSink::WriteAll(std::string_view text) const {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor_, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<size_t>(written));
      continue;
    }
    const int error = errno;
    if (error == EINTR) {
      continue;
    }
    if (error == EAGAIN) {  // somebody made the descriptor non-blocking
      pollfd waiting{descriptor_, POLLOUT, 0};
      ::poll(&waiting, 1, 1000);
      continue;
    }
    if (kind_ == Kind::kDiagnostic) {
      return;
    }
    if (error == EPIPE) {
      throw ClosedPipe{};
    }
    ThrowErrno(error, "standard output", "cannot write");
  }
}

bool FdSink::is_terminal() const {
  return ::isatty(descriptor_) == 1;
}

int FdSink::columns() const {
  winsize size{};
  if (::ioctl(descriptor_, TIOCGWINSZ, &size) != 0) {
    return 0;
  }
  return size.ws_col;
}

}  // namespace lbrx
