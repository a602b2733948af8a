#include "check/pairs.h"
#include "check/rules/rules.h"
#include "core/base/format.h"
#include "model/config.h"

namespace lbrx {
namespace {

std::string TiedText(const Subject& subject) {
  const bool given = subject.checkpoint.config.Find("tie_word_embeddings") != nullptr ||
                     subject.config().Find("tie_word_embeddings") != nullptr;
  return given ? std::string("tie_word_embeddings is ") + (HasTiedHead(subject) ? "true" : "false")
               : Format("tie_word_embeddings is absent, which means {} for {}",
                        HasTiedHead(subject) ? "true" : "false", subject.architecture->name);
}

void AddUnused(const Subject& subject, const SourceTensor& head, std::string found,
               Problems& problems) {
  Problem problem;
  problem.severity = Severity::kWarning;
  problem.detail = {.file = subject.FileOf(head),
                    .object = head.name,
                    .what = Format("differs from the embedding although {}", TiedText(subject)),
                    .expected = "the values of the embedding, or no tensor",
                    .found = std::move(found),
                    .offset = {},
                    .advice = "set tie_word_embeddings to false if this head is the right one"};
  problems.push_back(std::move(problem));
}

}  // namespace

bool HasTiedHead(const Subject& subject) {
  return TiedEmbeddings(subject.checkpoint.config, subject.architecture->tied_by_default);
}

void CheckHead(const Subject& subject, Problems& problems) {
  const SourceTensor* head = subject.FindRole(Role::kOutput);
  const SourceTensor* embedding = subject.FindRole(Role::kTokenEmbedding);
  if (head == nullptr && !HasTiedHead(subject)) {
    Problem problem;
    problem.detail = {.file = subject.checkpoint.path,
                      .object = "lm_head.weight",
                      .what = Format("the tensor is missing although {}", TiedText(subject)),
                      .expected = "",
                      .found = "",
                      .offset = {},
                      .advice =
                          "set tie_word_embeddings to true if the model uses its embedding, "
                          "else get the complete checkpoint"};
    for (const TensorRule& rule : subject.architecture->tensors) {
      if (rule.role == Role::kOutput) {
        problem.detail.object = subject.WeightName(rule);
      }
    }
    problems.push_back(std::move(problem));
  }
  if (head != nullptr && embedding != nullptr && HasTiedHead(subject) &&
      !(head->shape == embedding->shape)) {
    AddUnused(subject, *head,
              Format("{} against {}", head->shape.ToString(), embedding->shape.ToString()),
              problems);
  }
}

void CheckHeadValues(const Subject& subject, const CheckOptions& options, Problems& problems) {
  const SourceTensor* head = subject.FindRole(Role::kOutput);
  const SourceTensor* embedding = subject.FindRole(Role::kTokenEmbedding);
  if (head == nullptr || embedding == nullptr || !HasTiedHead(subject) ||
      !(head->shape == embedding->shape)) {
    return;
  }
  CheckOptions silent = options;  // CheckData reports these bytes
  silent.advance = nullptr;
  Scanner scanner({&subject.checkpoint}, silent);
  const ComparisonSums sums = ComparePairs(
      scanner,
      {{LoadTensor(scanner.sources(), 0, *head), LoadTensor(scanner.sources(), 0, *embedding)}})[0];
  if (sums.max_difference > 0) {
    AddUnused(subject, *head,
              Format("values that differ by up to {:.3g} (rmse {:.3g})", sums.max_difference,
                     sums.Rmse()),
              problems);
  }
}

}  // namespace lbrx
