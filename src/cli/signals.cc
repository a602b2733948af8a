#include "cli/signals.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "cli/term/terminal.h"

namespace lbrx {
namespace {

// What a handler touches: lock-free atomics only.
struct SignalState {
  CancelToken cancel;
  std::atomic<int> received{0};
};

static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

SignalState& State() {
  static SignalState state;
  return state;
}

// write(2) is the only output that a handler may do. Harmless where the cursor is visible.
void ShowCursor() {
  if (::isatty(STDERR_FILENO) == 1) {
    [[maybe_unused]] const ssize_t ignored =
        ::write(STDERR_FILENO, kShowCursor.data(), kShowCursor.size());
  }
}

void OnStop(int number) {
  SignalState& state = State();
  int none = 0;
  if (state.received.compare_exchange_strong(none, number)) {
    state.cancel.Cancel();
    return;
  }
  ShowCursor();
  ::_exit(128 + number);
}

// Stops as if there were no handler, with the cursor visible. The next frame hides it again.
void OnSuspend(int number) {
  const int saved = errno;
  ShowCursor();

  struct sigaction standard {};

  struct sigaction ours {};

  standard.sa_handler = SIG_DFL;
  ::sigaction(number, &standard, &ours);
  sigset_t only;
  sigset_t before;
  ::sigemptyset(&only);
  ::sigaddset(&only, number);
  ::raise(number);
  ::pthread_sigmask(SIG_UNBLOCK, &only, &before);  // stops here until SIGCONT
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::sigaction(number, &ours, nullptr);
  errno = saved;
}

void Install(int number, void (*handler)(int)) {
  struct sigaction action {};

  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(number, &action, nullptr);
}

// A handler that the parent process set to "ignore" (nohup, a shell's background job) stays so.
void InstallUnlessIgnored(int number, void (*handler)(int)) {
  struct sigaction current {};

  if (::sigaction(number, nullptr, &current) == 0 && current.sa_handler != SIG_IGN) {
    Install(number, handler);
  }
}

}  // namespace

void InstallSignalHandlers() {
  State();  // made before a handler can need it
  InstallUnlessIgnored(SIGINT, OnStop);
  InstallUnlessIgnored(SIGTERM, OnStop);
  InstallUnlessIgnored(SIGHUP, OnStop);
  InstallUnlessIgnored(SIGTSTP, OnSuspend);
  Install(SIGPIPE, SIG_IGN);
  Install(SIGXFSZ, SIG_IGN);
}

CancelToken& ProcessCancelToken() {
  return State().cancel;
}

int ReceivedSignal() {
  return State().received.load();
}

}  // namespace lbrx
