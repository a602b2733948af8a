// A model as mergekit's files name it: MODEL[@REVISION][+ADAPTER[@REVISION]].
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tuple>

namespace lbrx {

// A folder, file or Hugging Face name with a revision of it.
struct ModelPath {
  std::string path;
  std::string revision;  // empty: the current one
  bool operator==(const ModelPath&) const = default;

  bool operator<(const ModelPath& other) const {
    return std::tie(path, revision) < std::tie(other.path, other.revision);
  }
};

// Two references are the same model where all of this is equal as written: "./a" is not "a".
struct ModelRef {
  ModelPath model;
  std::optional<ModelPath> adapter;   // a PEFT adapter to apply
  std::string override_architecture;  // takes the place of config.json's `architectures`
  bool operator==(const ModelRef&) const = default;

  bool operator<(const ModelRef& other) const {
    return std::tie(model, adapter, override_architecture) <
           std::tie(other.model, other.adapter, other.override_architecture);
  }
};

// "path[@revision]" and "model[+adapter]", without the architecture.
std::string ToString(const ModelPath& path);
std::string ToString(const ModelRef& model);

// Throws kInvalid for a text with more than one '+' or more than one '@' in a part (so paths cannot
// have them), and for an empty part.
ModelRef ParseModelRef(std::string_view text);
// The same for PATH[@REVISION], which may have a '+'.
ModelPath ParseModelPath(std::string_view text);

}  // namespace lbrx
