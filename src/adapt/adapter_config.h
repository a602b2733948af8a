// adapter_config.json of an adapter's folder: PEFT's, or mlx-lm's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/text/json.h"
#include "core/text/regex.h"

namespace lbrx {

struct AdapterConfig {
  enum class Kind : uint8_t { kPeft, kMlx };

  // Values for the modules whose names an expression fits; the first that does counts.
  using Patterns = std::vector<std::pair<Regex, double>>;

  Kind kind = Kind::kPeft;
  bool dora = false;
  bool fan_in_fan_out = false;  // PEFT: adapted matrices are stored [in, out]
  uint64_t rank = 0;
  double alpha = 0;     // PEFT
  bool rslora = false;  // PEFT
  double scale = 0;     // mlx-lm: the factor itself
  Patterns ranks;       // PEFT
  Patterns alphas;      // PEFT

  uint64_t RankOf(std::string_view module) const;
  // What the product of a module's two matrices is multiplied by.
  double ScaleOf(std::string_view module) const;
};

// kInvalid for what is no such configuration, and for adapters that cannot be added to weights or
// whose weights mean something that is not known here. `path` is for messages.
AdapterConfig ParseAdapterConfig(const Json& config, const std::string& path);

}  // namespace lbrx
