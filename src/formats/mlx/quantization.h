// The `quantization` block of an MLX config.json.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/tensor/encoding.h"
#include "core/text/json.h"

namespace lbrx {

// How a module is to be read. `encoding.dtype` is not set here: the arrays tell it.
struct MlxModule {
  enum class Kind : uint8_t {
    kUnlisted,   // no entry of its own: quantized iff its scales are there
    kFloat,      // false
    kQuantized,  // an entry of its own
  } kind = Kind::kUnlisted;
  Encoding encoding;
};

// The parameters that mlx takes where an entry does not name them.
Encoding DefaultMlxEncoding(Scheme scheme);

class MlxQuantization {
 public:
  // Reads `quantization` (or, where it is missing, `quantization_config` written by MLX). Throws
  // kInvalid for parameters that no scheme has.
  explicit MlxQuantization(const Json& config);

  bool present() const { return block_ != nullptr; }

  const Encoding& global() const { return global_; }

  // Throws kInvalid for an entry with impossible parameters.
  MlxModule Find(const std::string& module) const;

  // Modules that have an entry of their own which says that they are quantized.
  std::vector<std::string_view> Listed() const;

 private:
  const Json* block_ = nullptr;
  Encoding global_;
  std::vector<const Json::Member*> entries_;  // that may be modules, sorted by name
};

}  // namespace lbrx
