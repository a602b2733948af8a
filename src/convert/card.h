// The model card: README.md of an output folder.
#pragma once

#include "convert/convert.h"
#include "convert/facts.h"
#include "stream/plan.h"

namespace lbrx {

// Adds README.md to the texts of a plan that has its tensors, layout and copies.
//
// A card that the source has keeps its text and its front matter, to which is added what became
// another: base_model, base_model_relation, library_name, tags (keys: the hub's model card
// metadata, https://huggingface.co/docs/hub/model-cards). Where it has none, or one that lbrx
// wrote, a new one tells where the model is from, which schemes it has, the command and how to use
// it. Nothing in it depends on paths, threads, memory or time. A licence is inherited, never
// guessed.
void AddCard(const ConvertRequest& request, const Checkpoint& source, const SourceFacts& facts,
             TargetKind target, Plan& plan);

}  // namespace lbrx
