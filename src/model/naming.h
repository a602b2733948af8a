// The names of a checkpoint's tensors: which architecture gives them their meaning, and how the
// container spells them.
#pragma once

#include <string>
#include <string_view>

#include "formats/checkpoint.h"
#include "model/architecture.h"
#include "model/wrapper.h"

namespace lbrx {

// Whose names and shapes of tensors.
enum class Container : uint8_t { kHuggingFace, kMlx, kGguf };

struct Naming {
  const Architecture* architecture = nullptr;  // of the text model; nullptr: not known
  const Wrapper* wrapper = nullptr;            // nullptr: a text model alone
  const Spelling* hugging_face = &kPlainSpelling;
  Container container = Container::kHuggingFace;

  bool operator==(const Naming&) const = default;

  const Spelling& spelling() const;
  // Those that Hugging Face has for it, the usual one first.
  std::span<const Spelling* const> spellings() const;

  // What `name` means; no rule where it is unknown or no part of the text model. The leaf lies in
  // `name`.
  TensorMeaning Resolve(std::string_view name) const;
  // The name of the tensor that `meaning`, with its rule, stands for.
  std::string Spell(const TensorMeaning& meaning) const;
  // The text model's own name for a tensor, as here.
  std::string Outer(std::string_view own) const;
  // Whether `name` is a tensor of a multimodal model that its text does not need.
  bool IsOther(std::string_view name) const;
  // `name`, of the same tensor under `from`, which is of the same container, as here.
  std::string Translate(const Naming& from, std::string_view name) const;

  // The same model elsewhere.
  Naming InMlx() const;
  Naming InGguf() const;
  Naming InHuggingFace() const;  // as MLX's folder remembers, else as usual
  Naming Usual() const;          // as most Hugging Face folders have it
  Naming TextAlone() const;
};

// Under this key the metadata of MLX's files has the name of the source's spelling, if it is not
// the usual one.
inline constexpr std::string_view kSpellingKey = "hugging_face_names";

Naming NamingOf(const Checkpoint& checkpoint);

}  // namespace lbrx
