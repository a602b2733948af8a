#include "check/rules/rules.h"
#include "core/base/format.h"
#include "formats/detect.h"

namespace lbrx {
namespace {

// A tokenizer's file is read by CheckTokenizer, which says what is wrong with it.
constexpr std::string_view kTokenizer = "tokenizer.json";

void CheckFile(const SideFile& file, Problems& problems) {
  Problem problem;
  problem.detail.file = file.path;
  if (const ForeignFile foreign = RecogniseFile(file.path); foreign.stand_in && file.bytes != 0) {
    problem.detail.what = "is " + foreign.kind;
    problem.detail.advice = foreign.advice;
    problems.push_back(std::move(problem));
    return;
  }
  if (!file.name.ends_with(".json") || file.name == kTokenizer) {
    return;
  }
  try {
    ParseJson(ReadWholeFile(file.path), file.path);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInvalid) {
      throw;
    }
    problem.detail = error.detail();
    problem.detail.advice = "take the file from the original model";
    problems.push_back(std::move(problem));
  }
}

}  // namespace

void CheckSideFiles(const Subject& subject, Problems& problems) {
  for (const SideFile& file : subject.checkpoint.side_files) {
    CheckFile(file, problems);
  }
}

}  // namespace lbrx
