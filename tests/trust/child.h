// The program as a process of its own: a fork that runs a command line as main() does.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "cli/test_app.h"

namespace lbrx {

class Child {
 public:
  // `prepare` runs in the child first: limits, faults. Must be made while this process has no
  // other threads.
  explicit Child(const std::vector<std::string>& line, const std::function<void()>& prepare = {});
  ~Child();  // kills it where it still runs
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }

  void Signal(int number) const;
  // Waits for its end. The code of a process that a signal ended is kKilled + the signal.
  AppRun Wait();

  static constexpr int kKilled = 1000;

 private:
  pid_t pid_ = 0;
  int out_ = -1;
  int err_ = -1;
};

// Stops a child at its n-th write until it is told to go on. Made before the fork.
class Gate {
 public:
  Gate();
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // In the child: for Child's `prepare`.
  void StopAtWrite(uint64_t n) const;
  // In the parent: until the child has stopped; false where it ended without.
  bool WaitUntilStopped();
  void LetGo();

 private:
  int stopped_[2];
  int go_on_[2];
};

}  // namespace lbrx
