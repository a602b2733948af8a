#include "check/repair/missing.h"

#include <algorithm>
#include <set>

#include "check/rules/rules.h"
#include "core/tensor/encoding.h"

namespace lbrx {
namespace {

class Completer {
 public:
  Completer(const Checkpoint& checkpoint, const Checkpoint* reference, std::vector<Lost>& lost)
      : checkpoint_(checkpoint), reference_(reference), lost_(lost), subject_(checkpoint) {
    for (const StoredArray& array : checkpoint.arrays) {
      known_.insert(array.name);
      lore_.AddSound(array.name, {array.dtype, array.shape});
    }
    for (const Lost& row : lost) {
      known_.insert(row.tensor);
      if (row.kind) {
        lore_.AddSound(row.tensor, *row.kind);
      }
    }
  }

  void Run() {
    AddByReference();
    if (subject_.architecture != nullptr && !IsPacked()) {
      for (const std::string& name : MissingTensors(subject_)) {
        AddWithPlanes(name);
      }
    }
    for (Lost& row : lost_) {
      CompleteKind(row);
    }
    DropNameless();
  }

 private:
  // Another library's quantization: its matrices have other names than the architecture's.
  bool IsPacked() const {
    const Json* block = checkpoint_.config.Find("quantization_config");
    return block != nullptr && block->Find("quant_method") != nullptr;
  }

  void Add(const std::string& name, const char* reason) {
    if (known_.insert(name).second) {
      lost_.push_back({name, std::nullopt, reason});
    }
  }

  // What a reference of the same names has and this one has not.
  void AddByReference() {
    if (reference_ == nullptr) {
      return;
    }
    size_t shared = 0;
    for (const StoredArray& array : reference_->arrays) {
      lore_.AddReference(array.name, {array.dtype, array.shape});
      shared += known_.count(array.name);
    }
    if (2 * shared < known_.size() ||
        (reference_->format == "mlx") != (checkpoint_.format == "mlx")) {
      return;
    }
    for (const StoredArray& array : reference_->arrays) {
      if (!IsOptional(array.name)) {
        Add(array.name, "missing; the reference has it");
      }
    }
  }

  // Derived data, and a head that is the embedding.
  bool IsOptional(const std::string& name) const {
    if (subject_.architecture == nullptr) {
      return false;
    }
    const TensorMeaning meaning = Resolve(*subject_.architecture, name);
    return meaning.rule != nullptr &&
           (meaning.rule->role == Role::kRopeFrequencies ||
            meaning.rule->role == Role::kAttentionMask ||
            (meaning.rule->role == Role::kOutput && HasTiedHead(subject_)));
  }

  // With the other planes of a quantized matrix, as other layers have them.
  void AddWithPlanes(const std::string& name) {
    Add(name, "missing");
    for (const char* suffix : {"scales", "biases"}) {
      const std::string plane = PlaneName(name, suffix);
      if (checkpoint_.format == "mlx" && !lore_.Candidates(plane).empty()) {
        Add(plane, "missing");
      }
    }
  }

  void CompleteKind(Lost& row) {
    if (!row.kind) {
      const std::vector<ArrayKind> kinds = lore_.Candidates(row.tensor);
      if (!kinds.empty() &&
          (!row.bytes || BytesOfKind(kinds[0].dtype, kinds[0].shape) == row.bytes)) {
        row.kind = kinds.front();
      } else if (subject_.architecture != nullptr && lore_.MainType() && !row.bytes) {
        const std::optional<Shape> shape = ConfigShape(subject_, MeaningOf(row.tensor));
        if (shape && Info(*lore_.MainType()).floating) {
          row.kind = {*lore_.MainType(), *shape};
        }
      }
    }
    if (!row.bytes && row.kind) {
      row.bytes = BytesOfKind(row.kind->dtype, row.kind->shape);
    }
  }

  TensorMeaning MeaningOf(const std::string& name) const {
    return subject_.mlx_layout ? ResolveMlx(*subject_.architecture, name)
                               : Resolve(*subject_.architecture, name);
  }

  void DropNameless() {
    uint64_t named = 0;
    uint64_t nameless = 0;
    for (const Lost& row : lost_) {
      (row.tensor == "?" ? nameless : named) += row.bytes.value_or(0);
    }
    if (named >= nameless && named != 0) {
      std::erase_if(lost_, [](const Lost& row) { return row.tensor == "?"; });
    }
  }

  const Checkpoint& checkpoint_;
  const Checkpoint* reference_;
  std::vector<Lost>& lost_;
  Subject subject_;
  std::set<std::string> known_;
  Lore lore_;
};

}  // namespace

void CompleteLost(const Checkpoint& checkpoint, const Checkpoint* reference,
                  std::vector<Lost>& lost) {
  Completer(checkpoint, reference, lost).Run();
}

}  // namespace lbrx
