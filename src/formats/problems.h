// What is wrong with a checkpoint: thrown, or collected, as the caller wants it.
#pragma once

#include <vector>

#include "formats/checkpoint.h"

namespace lbrx {

class ProblemSink {
 public:
  ProblemSink(const OpenOptions& options, std::vector<Problem>& problems)
      : collect_(options.collect_problems), strict_(options.strict), problems_(problems) {}

  bool collect() const { return collect_; }

  // Throws kInvalid, or records an error where problems are collected.
  void Fail(ErrorDetail detail);
  // Records a warning; in strict mode it is an error.
  void Warn(ErrorDetail detail);
  // A problem found elsewhere, by its severity.
  void Add(Problem problem);
  // An error that was caught: thrown again, or recorded.
  void Caught(const Error& error);

 private:
  bool collect_;
  bool strict_;
  std::vector<Problem>& problems_;
};

}  // namespace lbrx
