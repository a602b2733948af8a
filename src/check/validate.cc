#include "check/check.h"
#include "check/rules/gguf.h"
#include "check/rules/rules.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

// Without a configuration nothing says what the tensors should be.
void AddNoConfig(const Subject& subject, Problems& problems) {
  const Checkpoint& checkpoint = subject.checkpoint;
  Problem problem;
  problem.severity = checkpoint.folder.empty() ? Severity::kWarning : Severity::kError;
  problem.detail.file = checkpoint.folder.empty() ? checkpoint.path : subject.ConfigPath();
  problem.detail.what =
      checkpoint.folder.empty()
          ? "a bare file has no config.json, so shapes and layers were not checked"
          : "no usable config.json, so shapes and layers were not checked";
  problem.detail.advice = checkpoint.folder.empty() ? "validate the folder of the model"
                                                    : "take config.json from the original model";
  problems.push_back(std::move(problem));
}

void AddUnknownArchitecture(const Subject& subject, Problems& problems) {
  Problem problem;
  problem.severity = Severity::kWarning;
  problem.detail.file = subject.ConfigPath();
  problem.detail.object = "model_type";
  problem.detail.what = "the architecture is not known, so shapes and layers were not checked";
  for (const Architecture* known : Architectures()) {
    problem.detail.expected += problem.detail.expected.empty() ? "one of " : ", ";
    problem.detail.expected += known->name;
  }
  const Json* type = subject.checkpoint.config.Find("model_type");
  problem.detail.found = type == nullptr ? "no model_type" : WriteJson(*type);
  problems.push_back(std::move(problem));
}

// What config.json tells against the tensors.
void CheckByConfig(const Subject& subject, const CheckOptions& options, Problems& problems) {
  if (subject.checkpoint.config.is_null()) {
    AddNoConfig(subject, problems);
    return;
  }
  if (subject.architecture == nullptr) {
    AddUnknownArchitecture(subject, problems);
  } else {
    CheckConfig(subject, problems);
    CheckShapes(subject, problems);
    CheckLayers(subject, problems);
    CheckExperts(subject, problems);
    CheckHead(subject, problems);
  }
  CheckQuantization(subject, problems);
  CheckTokenizer(subject, options.memory, problems);
}

}  // namespace

std::vector<Problem> Validate(const Checkpoint& checkpoint, bool deep,
                              const CheckOptions& options) {
  const Subject subject(checkpoint);
  Problems problems = checkpoint.problems;
  if (checkpoint.gguf != nullptr) {
    CheckGgufModel(subject, problems);
    CheckGgufTokenizer(subject, problems);
  } else {
    CheckByConfig(subject, options, problems);
    CheckTypes(subject, problems);  // in GGUF files several are usual
  }
  CheckSideFiles(subject, problems);
  if (deep) {
    if (subject.architecture != nullptr) {
      CheckHeadValues(subject, options, problems);
    }
    CheckData(subject, options, problems);
  }
  return problems;
}

}  // namespace lbrx
