// Which GGML type each tensor of a GGUF file gets.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "convert/convert.h"
#include "convert/importance.h"
#include "formats/gguf/keys.h"
#include "quant/gguf/families.h"
#include "quant/gguf/mix.h"

namespace lbrx {

// GGML's type of an encoding; nullptr: a GGUF file has none for it.
const GgmlType* TypeOf(const Encoding& encoding);

// What the user's options say about types, parsed and checked once.
class GgufTypes {
 public:
  // kUsage for an unknown type, and for a -q that a GGUF file cannot hold or, beside a target, that
  // names no family.
  explicit GgufTypes(const ConvertRequest& request);

  // Whether types are asked for: by -q, or by a target.
  bool asked() const { return file_type_ != nullptr && file_type_->id != FileTypeId::kCopy; }

  // What the file's keys are to say; nullptr: what most of its weights have.
  const FileType* file_type() const { return is_target_ ? nullptr : file_type_; }

  // What was asked for, for people: "Q4_K_M", "4.5 bits per weight".
  const std::string& label() const { return label_; }

  // The tensors of a file, in their order, and what types depend on beside them.
  struct File {
    MixModel model;
    std::vector<MixTensor> tensors;    // their types: as they are stored while none is asked for
    std::vector<std::string> sources;  // names under which `importance` may have weights
    const Importance& importance;
  };

  // The type of each tensor. Notices of types that do not divide a row go to `notices`; `strict`
  // refuses them (kInvalid). kUsage where a type needs importance that a tensor does not have.
  std::vector<const GgmlType*> For(const File& file, std::vector<std::string>& notices) const;

  // Under a target the types among which to choose, the last the tensor as it is; empty for tensors
  // about which options or llama-quantize's rules for small ones have decided.
  std::vector<std::vector<Encoding>> Candidates(const File& file) const;

 private:
  TypeMix Mix(const File& file) const;
  std::vector<Encoding> CandidatesFor(const MixTensor& tensor, bool has_weights) const;
  void Choose(const File& file, TypeMix& mix) const;

  bool strict_;
  bool is_target_;
  const FileType* file_type_ = nullptr;  // of -q; of a target's family
  MixOptions options_;
  std::map<std::string, const GgmlType*> choices_;  // by tensor; nullptr: stays as it is
  std::string label_;
};

// The same facts of the model from a file's keys.
MixModel MixModelOf(const GgufKeys& keys, bool importance);

}  // namespace lbrx
