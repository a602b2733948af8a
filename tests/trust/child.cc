#include "trust/child.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <stdexcept>

#include "cli/signals.h"
#include "core/io/fault.h"

namespace lbrx {
namespace {

void MakePipe(int* ends) {
  if (::pipe(ends) != 0) {
    throw std::runtime_error("no pipe");
  }
}

std::string ReadAll(int descriptor) {
  std::string text;
  std::array<char, 4096> buffer{};
  for (ssize_t got = 0; (got = ::read(descriptor, buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<size_t>(got));
  }
  return text;
}

// As main() does.
int RunAsProgram(const std::vector<std::string>& line) {
  InstallSignalHandlers();
  FdSink result(STDOUT_FILENO, FdSink::Kind::kResult);
  FdSink diagnostic(STDERR_FILENO, FdSink::Kind::kDiagnostic);
  Streams streams{&result, &diagnostic, [](const std::string&) { return std::nullopt; },
                  &ProcessCancelToken(), ReceivedSignal};
  return RunApp(line, streams);
}

class StopAtWriteFault final : public FaultInjector {
 public:
  StopAtWriteFault(uint64_t n, int tell, int wait) : n_(n), tell_(tell), wait_(wait) {}

  int Before(IoCall call, const std::string& /*path*/) override {
    if (call == IoCall::kWrite && ++writes_ == n_) {
      char byte = 0;
      (void)!::write(tell_, &byte, 1);
      (void)!::read(wait_, &byte, 1);
    }
    return 0;
  }

 private:
  std::atomic<uint64_t> writes_{0};
  const uint64_t n_;
  const int tell_;
  const int wait_;
};

}  // namespace

Child::Child(const std::vector<std::string>& line, const std::function<void()>& prepare) {
  std::array<int, 2> out{};
  std::array<int, 2> err{};
  MakePipe(out.data());
  MakePipe(err.data());
  pid_ = ::fork();
  if (pid_ == 0) {
    int code = kKilled;
    try {
      ::dup2(out[1], STDOUT_FILENO);
      ::dup2(err[1], STDERR_FILENO);
      for (const int end : {out[0], out[1], err[0], err[1]}) {
        ::close(end);
      }
      if (prepare) {
        prepare();
      }
      code = RunAsProgram(line);
    } catch (...) {  // RunApp throws nothing
    }
    ::_exit(code == kKilled ? 99 : code);
  }
  ::close(out[1]);
  ::close(err[1]);
  out_ = out[0];
  err_ = err[0];
  if (pid_ < 0) {
    throw std::runtime_error("cannot fork");
  }
}

Child::~Child() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(out_);
  ::close(err_);
}

void Child::Signal(int number) const {
  ::kill(pid_, number);
}

AppRun Child::Wait() {
  // What a command says fits into the pipes.
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = 0;
  const int code = WIFSIGNALED(status) ? kKilled + WTERMSIG(status) : WEXITSTATUS(status);
  return {code, ReadAll(out_), ReadAll(err_)};
}

Gate::Gate() {
  MakePipe(stopped_);
  MakePipe(go_on_);
}

Gate::~Gate() {
  for (const int end : {stopped_[0], stopped_[1], go_on_[0], go_on_[1]}) {
    ::close(end);
  }
}

void Gate::StopAtWrite(uint64_t n) const {
  ::close(stopped_[0]);
  SetFaultInjector(new StopAtWriteFault(n, stopped_[1], go_on_[0]));  // until the process ends
}

bool Gate::WaitUntilStopped() {
  ::close(stopped_[1]);
  stopped_[1] = -1;
  char byte = 0;
  return ::read(stopped_[0], &byte, 1) == 1;
}

void Gate::LetGo() {
  const char byte = 0;
  (void)!::write(go_on_[1], &byte, 1);
}

}  // namespace lbrx
