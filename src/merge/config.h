// mergekit's configuration file, read and checked as far as that can be done without the models.
//
// The three forms of a file (`models`, `slices`, `modules`) become one: modules of slices of
// sources. What needs a model or the list of methods is left to the planner: numbers of layers,
// names of methods and their parameters (each has its position, for warnings).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor/dtype.h"
#include "core/text/yaml.h"
#include "merge/model_ref.h"
#include "merge/settings.h"

namespace lbrx {

struct LayerRange {
  uint32_t begin = 0;
  uint32_t end = 0;  // exclusive; greater than begin
};

// One model's part of a slice.
struct MergeSource {
  ModelRef model;
  std::optional<LayerRange> layers;  // none: all of them, in files or modules with `models`
  Parameters parameters;
  bool implied = false;  // the base model, added behind the models listed
  YamlPosition position;
};

// Layers of the output, from ranges of equally many layers. No model stands twice in a slice.
struct MergeSlice {
  std::vector<MergeSource> sources;    // at least one
  std::optional<ModelRef> base_model;  // takes precedence over the file's
  Parameters parameters;
  YamlPosition position;
};

// A part of the model such as text_decoder or vision_tower.
struct MergeModule {
  // Empty: every module of the models (form `models`), or the only one (form `slices`).
  std::string name;
  std::vector<MergeSlice> slices;  // at least one; one without ranges where `models` were listed
  Parameters parameters;
  YamlPosition position;
};

enum class TokenizerChoice : uint8_t { kUnion, kBase, kModel };

struct VocabularySource {
  TokenizerChoice choice = TokenizerChoice::kUnion;
  ModelRef model;  // of kModel
};

// Where a token's row of embeddings and head comes from.
struct TokenRule {
  enum class Kind : uint8_t {
    kDefault,     // as without a rule
    kModel,       // this model's row of the token itself
    kModelToken,  // this model's row of another token
    kZero
  };
  std::string token;
  Kind kind = Kind::kDefault;
  ModelRef model;                       // of kModel and kModelToken
  std::optional<std::string> of_token;  // of kModelToken: either this
  std::optional<uint32_t> of_id;        // or this
  bool force = false;                   // also in the rows of models that have the token
  YamlPosition position;
};

struct TokenizerBlock {
  VocabularySource source;
  std::vector<TokenRule> tokens;    // in the order of the file
  uint32_t pad_to_multiple_of = 0;  // 0: no padding
  YamlPosition position;
};

// Something that mergekit would ignore in silence.
struct ConfigWarning {
  YamlPosition position;
  std::string text;  // begins with the position: "line 3, column 5: models[0]: ..."
};

enum class ConfigForm : uint8_t { kModels, kSlices, kModules };

struct MergeConfig {
  std::string file;  // as named by the caller
  std::string text;  // of the file, verbatim
  std::string method;
  YamlPosition method_position;
  ConfigForm form = ConfigForm::kModels;
  std::vector<MergeModule> modules;  // at least one
  std::optional<ModelRef> base_model;
  Parameters parameters;
  std::optional<DType> dtype;      // for the arithmetic; sources are cast to it
  std::optional<DType> out_dtype;  // of the output
  // From `tokenizer`, or from `tokenizer_source` (then without tokens and padding).
  std::optional<TokenizerBlock> tokenizer;
  std::string chat_template;  // "auto", a built-in name or Jinja; empty: none given
  YamlPosition chat_template_position;
  std::vector<ConfigWarning> warnings;  // in the order of the file
};

// Throws kInvalid naming `file`, line and column.
MergeConfig ParseMergeConfig(std::string_view text, const std::string& file);
// Also what opening and reading throws.
MergeConfig ReadMergeConfig(const std::string& path);

// For --strict: throws kInvalid with the first of the warnings and their number, if there are any.
void RefuseWarnings(const MergeConfig& config);

// The base model first, then every other model that is a source, once each, in the order of the
// file. Models that only `tokenizer` names are not among them.
std::vector<ModelRef> ReferencedModels(const MergeConfig& config);

// The base that counts in a slice.
const std::optional<ModelRef>& BaseModel(const MergeConfig& config, const MergeSlice& slice);

// Where parameters are looked up for a tensor of a slice.
struct ParameterScope {
  const MergeConfig* config;
  const MergeModule* module;
  const MergeSlice* slice;
};

// The value of a parameter that all models share: from the slice, else the module, else the file.
// None where nobody sets it for this tensor. `tensor` is its name in the output, `t` its position
// in the slice (idx / (layers - 1), 1 where there is one layer, 0 outside layers). Throws as
// Setting::Evaluate, with file.
std::optional<double> GlobalParameter(const ParameterScope& scope, std::string_view parameter,
                                      ParameterType type, std::string_view tensor, double t);

// The value of a parameter that each model has of its own: from the model's source in the slice,
// else as above. `tensor` is its name in that model.
std::optional<double> ModelParameter(const ParameterScope& scope, std::string_view parameter,
                                     ParameterType type, const ModelRef& model,
                                     std::string_view tensor, double t);

}  // namespace lbrx
