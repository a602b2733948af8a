// What is known of tensors from elsewhere than the entry in question: a reference model, and the
// same tensor of other layers.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor/dtype.h"
#include "core/tensor/shape.h"

namespace lbrx {

struct ArrayKind {
  DType dtype = DType::kF32;
  Shape shape;

  bool operator==(const ArrayKind&) const = default;
};

// "model.layers.#.mlp.up_proj.weight": a name with its numbers taken out.
std::string NameTemplate(std::string_view name);

class Lore {
 public:
  // What a reference model has under this very name.
  void AddReference(const std::string& name, const ArrayKind& kind);
  // What a sound entry of the damaged checkpoint says.
  void AddSound(const std::string& name, const ArrayKind& kind);

  // What `name` can be, the likeliest first: as its siblings in other layers where they agree, as
  // in the reference, as in the reference but of the type that most arrays here have.
  std::vector<ArrayKind> Candidates(const std::string& name) const;

  // The type of most sound entries; nullopt where there are none.
  std::optional<DType> MainType() const;

 private:
  std::map<std::string, ArrayKind> reference_;
  std::map<std::string, std::vector<ArrayKind>> siblings_;  // by template, different ones
  std::map<DType, uint64_t> types_;
};

}  // namespace lbrx
