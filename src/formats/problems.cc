#include "formats/problems.h"

#include <utility>

namespace lbrx {

void ProblemSink::Record(Severity severity, ErrorDetail detail) {
  size_t& count = severity == Severity::kError ? errors_ : warnings_;
  if (++count < kMostProblems) {
    problems_.push_back({severity, std::move(detail)});
  } else if (count == kMostProblems) {
    ErrorDetail rest;
    rest.file = std::move(detail.file);
    rest.what = severity == Severity::kError ? "more is wrong than is listed"
                                             : "there are more warnings than are listed";
    problems_.push_back({severity, std::move(rest)});
  }
}

void ProblemSink::Fail(ErrorDetail detail) {
  if (!collect_) {
    throw Error(ErrorCode::kInvalid, std::move(detail));
  }
  Record(Severity::kError, std::move(detail));
}

void ProblemSink::Warn(ErrorDetail detail) {
  if (strict_) {
    Fail(std::move(detail));
  } else {
    Record(Severity::kWarning, std::move(detail));
  }
}

void ProblemSink::Add(Problem problem) {
  if (problem.severity == Severity::kWarning) {
    Warn(std::move(problem.detail));
  } else {
    Fail(std::move(problem.detail));
  }
}

void ProblemSink::Caught(const Error& error) {
  // A bug, a cancelled run or a lack of memory is no property of the checkpoint.
  const bool about_input = error.code() == ErrorCode::kInvalid || error.code() == ErrorCode::kIo ||
                           error.code() == ErrorCode::kPermission;
  if (!collect_ || !about_input) {
    throw Error(error);
  }
  Record(Severity::kError, error.detail());
}

}  // namespace lbrx
