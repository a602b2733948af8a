// What the readers of quantization methods share: arrays by name, their checks, and who owns them.
#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/checkpoint.h"
#include "formats/names.h"
#include "formats/problems.h"

namespace lbrx {

class QuantizedGroup {
 public:
  // `block` is the method's part of the configuration, found in the file `config_path`.
  QuantizedGroup(Checkpoint& checkpoint, const Json& block, std::string config_path,
                 const OpenOptions& options);

  const Json& block() const { return block_; }

  const StoredArray& Array(uint32_t index) const { return checkpoint_.arrays[index]; }

  std::optional<uint32_t> Find(const std::string& name) const { return table_.Find(name); }

  // kInvalid, about array `for_array`, where there is no array `name`.
  uint32_t Require(const std::string& name, uint32_t for_array) const;

  // Calls function(prefix, index) for each array whose name ends so and that no tensor has yet; an
  // Error from it is one of the checkpoint's problems.
  void ForEach(std::string_view suffix,
               const std::function<void(const std::string&, uint32_t)>& function);

  // A tensor called `name` whose values are `shape`, stored as `encoding` says in `planes`: checks
  // them against PackedPlanes and takes them.
  void Add(std::string name, const Encoding& encoding, const Shape& shape,
           std::vector<uint32_t> planes);
  // Whether Add would take them.
  bool Fits(const Encoding& encoding, const Shape& shape,
            const std::vector<uint32_t>& planes) const;
  // A tensor whose planes were checked by the caller.
  void Take(SourceTensor tensor);

  // Arrays that say nothing about values (scales of activations): they are left out.
  void Drop(uint32_t array) { claimed_[array] = true; }

  void DropAll(std::initializer_list<std::string_view> suffixes);

  // Everything else becomes a plain tensor; kInvalid for arrays with one of these suffixes, and for
  // weights of 8-bit types: their scales are missing.
  void Finish(std::initializer_list<std::string_view> orphans);

  // Says so where not one tensor was quantized.
  void WarnOfNone(std::string_view method);

  // The dtype of values that the method computes as `dtype`: F32 ones are rounded to the model's.
  DType ValueType(DType dtype) const;
  // That of config.json, where it names BF16, F16 or F32.
  std::optional<DType> ModelType() const;

  // A member of the block: its number; `otherwise` where it is missing or null. kInvalid where it
  // is something else.
  int64_t Number(const Json& block, std::string_view key, int64_t otherwise) const;
  // `value` as a size of groups: -1 (all of the row) becomes 0. kInvalid beyond 65535.
  uint16_t GroupSize(int64_t value) const;

  // The content of a small array. kInvalid for more than 64 KiB.
  std::vector<std::byte> Content(uint32_t array) const;

  [[noreturn]] void Throw(uint32_t array, std::string what, std::string expected,
                          std::string found) const;
  [[noreturn]] void ThrowConfig(std::string_view key, std::string what, std::string expected,
                                std::string found) const;

 private:
  std::optional<size_t> FirstMisfit(const Encoding& encoding, const Shape& shape,
                                    const std::vector<uint32_t>& planes) const;
  void CheckListed(const std::string& name, uint32_t array) const;

  Checkpoint& checkpoint_;
  const Json& block_;
  std::string config_path_;
  NameTable table_;
  ProblemSink problems_;
  std::vector<bool> claimed_;
  std::vector<std::string> kept_;  // modules that the block lists as not quantized
  bool conv1d_ = false;            // the model keeps its matrices [in, out] when not quantized
};

}  // namespace lbrx
