// The models that a merge reads.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "formats/checkpoint.h"
#include "merge/model_ref.h"
#include "model/naming.h"
#include "stream/layout.h"

namespace lbrx {

// A model, whatever it is stored as, under the names that a Hugging Face folder has.
struct MergeModel {
  std::string label;  // as the configuration names it
  std::shared_ptr<const Checkpoint> checkpoint;
  Naming naming;
  bool tied = false;                          // the output matrix is the embedding
  std::map<std::string, NamedValue> tensors;  // by name; adapters applied

  // nullptr where there is none.
  const NamedValue* Find(const std::string& name) const;
  // The tensor of this role outside layers, such as the embedding.
  const NamedValue* Find(Role role) const;
};

class MergeModels {
 public:
  // Opens each of `refs` once. Throws as OpenModel, and kInvalid for models of different
  // architectures, unless `mixed`.
  MergeModels(const std::vector<ModelRef>& refs, bool mixed, const OpenOptions& options,
              std::vector<std::string>& notices);

  // Its place in the order of `refs`; kInternal where it is none of them.
  size_t IndexOf(const ModelRef& ref) const;

  const MergeModel& operator[](size_t i) const { return models_[i]; }

  const MergeModel& Get(const ModelRef& ref) const { return models_[IndexOf(ref)]; }

  size_t size() const { return models_.size(); }

  // What the values of all models read.
  const SourceFiles::Checkpoints& files() const { return files_; }

 private:
  void RequireOneArchitecture() const;

  std::vector<ModelRef> refs_;
  std::vector<MergeModel> models_;
  SourceFiles::Checkpoints files_;
};

}  // namespace lbrx
