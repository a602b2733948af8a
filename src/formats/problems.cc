#include "formats/problems.h"

#include <utility>

namespace lbrx {

void ProblemSink::Fail(ErrorDetail detail) {
  if (!collect_) {
    throw Error(ErrorCode::kInvalid, std::move(detail));
  }
  problems_.push_back({Severity::kError, std::move(detail)});
}

void ProblemSink::Warn(ErrorDetail detail) {
  if (strict_) {
    Fail(std::move(detail));
  } else {
    problems_.push_back({Severity::kWarning, std::move(detail)});
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
    throw error;
  }
  problems_.push_back({Severity::kError, error.detail()});
}

}  // namespace lbrx
