// What stands beside the tensors of a merged model.
#pragma once

#include <string>
#include <vector>

#include "core/text/json.h"
#include "merge/config.h"
#include "merge/models.h"
#include "merge/outline.h"

namespace lbrx {

// config.json of the model that gives it, with what the merge changed: the number of layers and
// lists with an entry a layer, the dtype, tie_word_embeddings where `head` says that there is an
// output matrix of its own.
Json MergedConfig(const MergeConfig& config, const MergeModel& donor, const Outline& outline,
                  bool head);

// README.md: the models, the method, the configuration (front matter as the hub has it for merges:
// base_model, library_name, tags).
std::string MergeCard(const MergeConfig& config, const MergeModels& models);

}  // namespace lbrx
