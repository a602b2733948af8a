// What is wrong with a checkpoint: thrown, or collected, as the caller wants it.
#pragma once

#include <vector>

#include "formats/checkpoint.h"

namespace lbrx {

// At most kMostProblems of each severity are kept, then one more that says so: a hostile file must
// not fill the memory with what is wrong with it.
class ProblemSink {
 public:
  static constexpr size_t kMostProblems = 1000;

  ProblemSink(const OpenOptions& options, std::vector<Problem>& problems)
      : collect_(options.collect_problems), strict_(options.strict), problems_(problems) {}

  bool collect() const { return collect_; }

  size_t errors() const { return errors_; }  // recorded so far

  // Throws kInvalid, or records an error where problems are collected.
  void Fail(ErrorDetail detail);
  // Records a warning; in strict mode it is an error.
  void Warn(ErrorDetail detail);
  // A problem found elsewhere, by its severity.
  void Add(Problem problem);
  // An error that was caught: thrown again, or recorded.
  void Caught(const Error& error);

 private:
  void Record(Severity severity, ErrorDetail detail);

  bool collect_;
  bool strict_;
  std::vector<Problem>& problems_;
  size_t errors_ = 0;
  size_t warnings_ = 0;
};

}  // namespace lbrx
