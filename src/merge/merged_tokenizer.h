// The tokenizer of a merge, as its configuration asks for it.
#pragma once

#include <memory>
#include <vector>

#include "merge/config.h"
#include "merge/models.h"
#include "merge/tokenizer/output_vocabulary.h"

namespace lbrx {

struct MergedTokenizer {
  // Null where the configuration has no `tokenizer`: matrices and the donor's files stay as they
  // are.
  std::shared_ptr<const OutputVocabulary> vocabulary;
  // In place of all that the donor has; empty where its own stay.
  std::vector<OutputText> files;
};

// Models are numbered as in `models`; `donor` is the base or the first one.
MergedTokenizer PlanTokenizer(const MergeConfig& config, const MergeModels& models, uint32_t donor,
                              std::vector<std::string>& notices);

// Models that only `tokenizer` names, whose vocabulary is wanted.
std::vector<ModelRef> ModelsOfTokenizer(const MergeConfig& config);

}  // namespace lbrx
