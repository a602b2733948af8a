#include "convert/gguf_file.h"

#include <algorithm>
#include <map>

#include "convert/gguf_types.h"
#include "core/base/format.h"
#include "core/io/file.h"
#include "core/tensor/ggml_types.h"
#include "formats/gguf/gguf.h"
#include "model/config.h"
#include "model/gguf/embedded.h"
#include "model/gguf/general_keys.h"
#include "model/gguf/gguf_config.h"
#include "model/gguf_names.h"
#include "model/wrapper.h"
#include "quant/gguf/tensor_names.h"
#include "stream/constant.h"
#include "tokenizer/tokenizer.h"

namespace lbrx {
namespace {

constexpr std::string_view kFileTypeKey = "general.file_type";
constexpr std::string_view kQuantizationVersionKey = "general.quantization_version";
constexpr uint32_t kQuantizationVersion = 2;  // of GGML's blocks

// The text model's config.json, in both spellings.
Json TextModelConfig(const Checkpoint& source, const SourceFacts& facts) {
  Json config = source.config;
  CompleteConfig(config);
  return facts.naming.wrapper == nullptr
             ? config
             : TextOnlyConfig(config, *facts.naming.TextAlone().architecture);
}

// The file type of a file in which most weights of matrices are stored so: that without a mix, or
// with the usual one.
const FileType* FileTypeOf(const std::vector<PlannedTensor>& tensors) {
  std::map<const GgmlType*, uint64_t> weights;
  for (const PlannedTensor& tensor : tensors) {
    if (tensor.output.shape.rank() > 1) {
      weights[TypeOf(tensor.output.encoding)] += tensor.output.shape.elements();
    }
  }
  const auto most =
      std::max_element(weights.begin(), weights.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most == weights.end() || most->first == nullptr) {
    return nullptr;
  }
  if (const FileType* same = FindFileType(most->first->name)) {
    return same;
  }
  const auto types = FileTypes();
  const auto base = std::find_if(types.begin(), types.end(), [&](const FileType& type) {
    return type.base == most->first->name;
  });
  return base == types.end() ? nullptr : &*base;
}

bool IsStoredAsInSource(const Checkpoint& source, const std::vector<PlannedTensor>& tensors) {
  return std::all_of(tensors.begin(), tensors.end(), [&](const PlannedTensor& tensor) {
    const SourceTensor* before = source.Find(tensor.output.name);
    return before != nullptr && before->encoding == tensor.output.encoding;
  });
}

// config.json as it is, unless it tells of more than the GGUF file has: of the parts of a
// multimodal model beside its text, or of quantized tensors of the folder's own; or the model is
// not the folder's.
std::string ConfigToEmbed(const Checkpoint& source, const SourceFacts& facts) {
  const bool quantized = source.config.Find("quantization") != nullptr ||
                         source.config.Find("quantization_config") != nullptr;
  const std::string path = JoinPath(source.folder, "config.json");
  if (facts.naming.wrapper == nullptr && !quantized && !source.files.empty() &&
      IsRegularFile(path)) {
    return ReadWholeFile(path);
  }
  Json config = TextModelConfig(source, facts);
  config.Erase("quantization");
  config.Erase("quantization_config");
  return WriteConfig(TargetKind::kHuggingFace, config);
}

void Embed(const Checkpoint& source, const std::vector<OutputText>& texts, const SourceFacts& facts,
           GgufKeys& keys) {
  std::vector<OutputText> files;
  const auto add = [&](std::string_view name, std::string content) {
    files.push_back({.name = std::string(name), .content = std::move(content)});
  };
  for (const std::string_view name : EmbeddableFiles()) {
    const std::string path = JoinPath(source.folder, std::string(name));
    if (name == "config.json" && !source.folder.empty()) {
      add(name, ConfigToEmbed(source, facts));
    } else if (const std::string* text = FindText(texts, name)) {
      add(name, *text);
    } else if (!source.folder.empty() && IsRegularFile(path)) {
      add(name, ReadWholeFile(path));
    }
  }
  EmbedFiles(files, keys);
}

// The texts that are a tokenizer, if there is one among them.
std::vector<OutputText> TokenizerAmong(const std::vector<OutputText>& texts) {
  const bool any =
      FindText(texts, "tokenizer.json") != nullptr || FindText(texts, "tokenizer.model") != nullptr;
  return any ? texts : std::vector<OutputText>();
}

GeneralFacts GeneralFactsOf(const Checkpoint& source, const std::vector<NamedValue>& tensors) {
  constexpr uint64_t kCardLimit = uint64_t{1} << 20;
  GeneralFacts facts;
  facts.folder = BaseName(source.folder);
  const std::string card = JoinPath(source.folder, "README.md");
  if (!source.folder.empty() && IsRegularFile(card) && File::OpenRead(card)->Size() <= kCardLimit) {
    facts.model_card = ReadWholeFile(card, kCardLimit);
  }
  for (const NamedValue& tensor : tensors) {
    AddParameters(tensor.name, tensor.value->shape().dims(), facts.parameters);
  }
  return facts;
}

uint64_t VocabularyOf(const std::vector<NamedValue>& tensors) {
  for (const NamedValue& tensor : tensors) {
    if (tensor.name == "token_embd.weight" && tensor.value->shape().rank() > 0) {
      return tensor.value->shape()[0];
    }
  }
  return 0;
}

// Puts tensors into the parts where the source has them. Returns how many parts there are.
uint32_t KeepParts(const Checkpoint& source, const std::vector<std::string>& names,
                   std::vector<OutputTensor>& outputs) {
  for (size_t i = 0; i < outputs.size(); ++i) {
    const SourceTensor* const tensor = source.Find(names[i]);
    if (source.gguf == nullptr || tensor == nullptr || tensor->planes.empty()) {
      throw Error(ErrorCode::kUsage,
                  "--keep-split is for GGUF sets; --shard-size cuts the output of other sources");
    }
    outputs[i].planes[0].file = source.arrays[tensor->planes[0]].file;
  }
  return static_cast<uint32_t>(source.files.size());
}

}  // namespace

std::vector<NamedValue> RotaryTensors(const SourceFacts& facts, const Json& config) {
  std::vector<NamedValue> out;
  const auto add = [&](std::string_view name, std::vector<float> values) {
    if (!values.empty()) {
      out.push_back({.name = std::string(name),
                     .value = ConstantOf(std::move(values)),
                     .stored = nullptr,
                     .label = "config"});
    }
  };
  if (facts.naming.architecture != nullptr) {
    Json complete = config;
    CompleteConfig(complete);
    RopeFactors factors = RopeFactorsOf(complete);
    add(kRopeFrequenciesName, RopeFrequencies(complete));
    add(kLongFactorsName, std::move(factors.long_factors));
    add(kShortFactorsName, std::move(factors.short_factors));
  }
  return out;
}

void OrderForGguf(const Checkpoint& source, std::vector<NamedValue>& tensors) {
  std::map<std::string_view, size_t> place;
  if (source.gguf != nullptr) {
    for (const SourceTensor* tensor : GgufFileOrder(source)) {
      place.emplace(tensor->name, place.size());
    }
  }
  const auto place_of = [&](const NamedValue& tensor) {
    const auto found = place.find(tensor.name);
    return found == place.end() ? place.size() : found->second;
  };
  std::stable_sort(tensors.begin(), tensors.end(), [&](const NamedValue& a, const NamedValue& b) {
    const size_t first = place_of(a);
    const size_t second = place_of(b);
    return first != second ? first < second : GgufTensorOrder()(a.name, b.name);
  });
}

GgufKeys KeysForGguf(const ConvertRequest& request, const Checkpoint& source,
                     const std::vector<OutputText>& texts, const SourceFacts& facts,
                     const std::vector<NamedValue>& tensors, std::vector<std::string>& notices) {
  if (source.gguf != nullptr) {
    return *source.gguf;
  }
  const Architecture& architecture = *facts.naming.TextAlone().architecture;
  GgufKeys keys;
  AddGeneralKeys(architecture, GeneralFactsOf(source, tensors), keys);
  AddModelKeys(architecture, TextModelConfig(source, facts), keys, notices);
  keys.Set(kFileTypeKey, GgufValue::U32(0));
  keys.Set(kQuantizationVersionKey, GgufValue::U32(kQuantizationVersion));
  std::vector<OutputText> files = TokenizerAmong(texts);
  if (!files.empty() || HasTokenizer(source.folder)) {
    AddTokenizerKeys({.folder = source.folder,
                      .files = std::move(files),
                      .config = source.config,
                      .vocabulary = VocabularyOf(tensors),
                      .architecture = std::string(GgufArchitecture(architecture))},
                     request.gguf.pre, keys, notices);
  } else {
    notices.emplace_back("the source has no tokenizer; the result has none either");
  }
  if (request.gguf.embed_hf) {
    Embed(source, texts, facts, keys);
  }
  return keys;
}

void SetStorageKeys(const Checkpoint& source, const FileType* file_type,
                    const std::vector<PlannedTensor>& tensors, GgufKeys& keys) {
  const bool copy = file_type != nullptr && file_type->id == FileTypeId::kCopy;
  if (source.gguf != nullptr &&
      (copy || (file_type == nullptr && IsStoredAsInSource(source, tensors)))) {
    return;
  }
  const FileType* type = file_type == nullptr || copy ? FileTypeOf(tensors) : file_type;
  if (source.gguf != nullptr) {  // to the end, where llama-quantize has them
    keys.Remove(kQuantizationVersionKey);
    if (type != nullptr) {
      keys.Remove(kFileTypeKey);
    }
  }
  keys.Set(kQuantizationVersionKey, GgufValue::U32(kQuantizationVersion));
  if (type != nullptr) {
    keys.Set(kFileTypeKey, GgufValue::U32(static_cast<uint32_t>(type->id)));
  }
}

OutputLayout LayOutForGguf(const ConvertRequest& request, const Checkpoint& source,
                           const GgufKeys& keys, const std::vector<std::string>& names,
                           std::vector<OutputTensor>& outputs) {
  GgufTarget target = source.gguf == nullptr ? GgufTarget{} : GgufTargetOf(source);
  target.keys = &keys;
  target.shard_size = request.shard_size;
  if (request.gguf.keep_split) {
    target.parts = KeepParts(source, names, outputs);
  }
  const std::string name = BaseName(request.destination);
  target.prefix = name.substr(0, name.size() - std::string_view(".gguf").size());
  return LayOutGguf(outputs, target);
}

}  // namespace lbrx
