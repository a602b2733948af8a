// The source's tensors under the names and in the shapes of the target: the first half of every
// conversion.
#pragma once

#include <vector>

#include "convert/convert.h"
#include "convert/facts.h"
#include "convert/float_types.h"
#include "convert/model_source.h"
#include "stream/layout.h"
#include "stream/plan.h"

namespace lbrx {

// What is known of a conversion before any tensor's scheme is chosen.
class Arrangement {
 public:
  // Begins `plan` (its sources, request and notices). Throws as CheckSource, and kUsage for what
  // the target has no place for.
  Arrangement(const ConvertRequest& request, ModelSource source, TargetKind target, Plan& plan);

  // All tensors that the target has. Notices of those that are unknown or left out go to `plan`.
  std::vector<NamedValue> Tensors(Plan& plan) const;

  const Checkpoint& source() const { return *source_.model; }

  const std::vector<OutputText>& texts() const { return source_.texts; }

  const SourceFacts& facts() const { return facts_; }

  const Naming& naming() const { return naming_; }  // in the target

  const FloatTypes& types() const { return *types_; }

 private:
  bool IsIntoGguf() const;
  bool IsDropped(const std::string& name, size_t& beyond) const;
  void RefuseOthers() const;
  void NoteUnknownTensors(Plan& plan) const;
  void NoteLostBits(Plan& plan) const;

  const ConvertRequest& request_;
  ModelSource source_;
  TargetKind target_;
  SourceFacts facts_;
  Naming naming_;
  std::optional<FloatTypes> types_;
};

// A plan's tensor with everything but its recipe.
PlannedTensor BeginTensor(const NamedValue& tensor, const Encoding& encoding);

// Stored as plain elements of `dtype`.
PlannedTensor FloatTensor(const NamedValue& tensor, DType dtype);

// Throws kInvalid where there is nothing to write.
void RefuseEmpty(const Plan& plan, const Checkpoint& source);

}  // namespace lbrx
