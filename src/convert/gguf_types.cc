#include "convert/gguf_types.h"

#include <algorithm>
#include <functional>

#include "core/base/format.h"
#include "core/text/suggest.h"
#include "quant/gguf/fallback.h"

namespace lbrx {
namespace {

[[noreturn]] void RefuseScheme(const std::string& scheme, const Encoding& encoding) {
  static const std::map<uint8_t, std::string_view> nearest = {
      {1, "Q1_0"}, {2, "Q2_K"}, {3, "Q3_K_M"}, {4, "Q4_K_M"}, {5, "Q5_K_M"}, {6, "Q6_K"}};
  const auto found = nearest.find(encoding.bits);
  throw Error(ErrorCode::kUsage,
              Format("a GGUF file cannot hold {}; the nearest that it can is -q {}", scheme,
                     found == nearest.end() ? "Q8_0" : found->second));
}

// A file type of llama-quantize's, and how MLX's schemes are spelt with them.
struct AskedType {
  const FileType* type = nullptr;
  bool pure = false;
};

AskedType ParseAskedType(const std::string& scheme) {
  if (FindFileType(scheme) == nullptr) {
    if (const std::optional<Encoding> encoding = ParseScheme(scheme, 0)) {
      if (encoding->scheme == Scheme::kMxfp4) {
        return {FindFileType(FileTypeId::kMxfp4Moe), true};
      }
      if (encoding->scheme != Scheme::kNvfp4) {
        RefuseScheme(scheme, *encoding);
      }
    }
  }
  const FileType& type = ParseFileType(scheme);
  return {&type, type.id == FileTypeId::kNvfp4};
}

// What a target's -q names; without one, K quants.
const FileType& ParseFamily(const std::optional<std::string>& scheme) {
  const FileType& type = scheme ? *ParseAskedType(*scheme).type : *FindFileType(FileTypeId::kQ4KM);
  if (FamilyOf(type).empty()) {
    throw Error(ErrorCode::kUsage,
                Format("there is nothing to choose among beside {}; name Q4_K_M for K quants, "
                       "IQ4_XS for IQ types, Q4_0 for legacy ones",
                       type.name));
  }
  return type;
}

// nullptr for an empty name.
const GgmlType* TypeNamed(const std::string& name) {
  const GgmlType* type = FindGgmlType(name);
  if (type == nullptr && !name.empty()) {
    std::vector<std::string> known;
    for (const GgmlType& row : GgmlTypes()) {
      known.emplace_back(row.name);
    }
    throw Error(ErrorCode::kUsage, Format("unknown GGML type \"{}\"; {}", Printable(name),
                                          Suggestion(name, known, "Q4_K, Q6_K, Q8_0, F16...")));
  }
  return type;
}

MixOptions MixOptionsOf(const GgufOptions& gguf, const AskedType& asked) {
  MixOptions options;
  options.file_type = asked.type;
  options.pure = asked.pure || gguf.pure;
  options.leave_output = gguf.leave_output_tensor;
  options.output_type = TypeNamed(gguf.output_tensor_type);
  options.embedding_type = TypeNamed(gguf.token_embedding_type);
  for (const GgufOptions::TensorType& row : gguf.tensor_types) {
    options.rules.push_back({Regex(row.regex), TypeNamed(row.type)});
  }
  return options;
}

// A line for each pair of types, however many tensors there are.
void NoteFallbacks(const std::vector<MixTensor>& tensors, const TypeMix& mix, bool strict,
                   std::vector<std::string>& notices) {
  std::map<std::pair<std::string_view, std::string_view>, std::vector<const MixTensor*>> pairs;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const TypeChoice& choice = mix.choices[i];
    if (choice.type != choice.wanted) {
      pairs[{choice.wanted->name, choice.type->name}].push_back(&tensors[i]);
    }
  }
  for (const auto& [types, list] : pairs) {
    const MixTensor& first = *list.front();
    const std::string text = Format(
        "{} tensors become {} in place of {}, into whose blocks their rows do not divide; "
        "{} of {} columns first",
        list.size(), types.second, types.first, first.name, first.shape.back());
    if (strict) {
      throw Error(ErrorCode::kInvalid, text + "; leave out --strict to go on");
    }
    notices.push_back(text);
  }
}

// Of a number, or of the first layer's where there is one for each.
std::optional<uint64_t> FirstUint(const GgufKeys& keys, const std::string& key) {
  const GgufValue* value = keys.Find(key);
  if (value == nullptr || !value->is_array()) {
    return keys.Uint(key);
  }
  const auto numbers = value->AsInts();
  return numbers && !numbers->empty() ? std::optional(static_cast<uint64_t>(numbers->front()))
                                      : std::nullopt;
}

}  // namespace

const GgmlType* TypeOf(const Encoding& encoding) {
  return IsBlock(encoding.scheme) ? &FindGgmlType(encoding.scheme) : FindGgmlType(encoding.dtype);
}

MixModel MixModelOf(const GgufKeys& keys, bool importance) {
  MixModel model;
  model.architecture = keys.String("general.architecture");
  const auto number = [&](const std::string& key) {
    return static_cast<uint32_t>(FirstUint(keys, model.architecture + "." + key).value_or(0));
  };
  model.layers = number("block_count");
  model.heads = number("attention.head_count");
  model.kv_heads = number("attention.head_count_kv");
  model.kv_heads = model.kv_heads == 0 ? model.heads : model.kv_heads;
  model.experts = number("expert_count");
  model.importance = importance;
  return model;
}

GgufTypes::GgufTypes(const ConvertRequest& request)
    : strict_(request.strict), is_target_(request.target_bpw || request.target_size) {
  AskedType asked;
  if (is_target_) {
    asked.type = &ParseFamily(request.scheme);
    label_ = request.target_bpw ? Format("{} bits per weight", *request.target_bpw)
                                : Format("{} bytes", *request.target_size);
  } else if (request.scheme) {
    asked = ParseAskedType(*request.scheme);
    label_ = *request.scheme;
  }
  file_type_ = asked.type;
  options_ = MixOptionsOf(request.gguf, asked);
  for (const ConvertRequest::Choice& choice : request.choices) {
    choices_.emplace(choice.tensor, TypeNamed(choice.scheme));
  }
}

std::vector<const GgmlType*> GgufTypes::For(const File& file,
                                            std::vector<std::string>& notices) const {
  std::vector<const GgmlType*> types;
  if (!asked()) {
    for (const MixTensor& tensor : file.tensors) {
      types.push_back(tensor.type);
    }
    return types;
  }
  const TypeMix mix = Mix(file);
  std::map<std::string, size_t> places;
  for (size_t i = 0; i < file.tensors.size(); ++i) {
    places.emplace(file.tensors[i].name, i);
  }
  std::function<bool(const std::string&)> has_weights;  // none where there is no matrix
  if (file.importance.any()) {
    has_weights = [&](const std::string& name) {
      const size_t i = places.at(name);
      return file.importance.Has(file.sources[i], file.tensors[i].shape);
    };
  }
  RequireImportance(options_, file.tensors, mix, has_weights);
  NoteFallbacks(file.tensors, mix, strict_, notices);
  for (const TypeChoice& choice : mix.choices) {
    types.push_back(choice.type);
  }
  return types;
}

TypeMix GgufTypes::Mix(const File& file) const {
  TypeMix mix = MixTypes(file.model, options_, file.tensors);
  if (is_target_) {
    Choose(file, mix);
  }
  return mix;
}

// Puts what was chosen in the place of what the family's file type would be.
void GgufTypes::Choose(const File& file, TypeMix& mix) const {
  for (size_t i = 0; i < file.tensors.size(); ++i) {
    const auto found = choices_.find(file.tensors[i].name);
    if (!mix.choices[i].by_file_type || found == choices_.end()) {
      continue;
    }
    const GgmlType* const type = found->second != nullptr ? found->second : file.tensors[i].type;
    mix.choices[i] = {
        .type = type,
        .wanted = type,
        .needs_importance = type != file.tensors[i].type && WantsImportance(type->encoding.scheme),
        .by_file_type = true};
  }
}

std::vector<std::vector<Encoding>> GgufTypes::Candidates(const File& file) const {
  const TypeMix mix = MixTypes(file.model, options_, file.tensors);
  std::vector<std::vector<Encoding>> out(file.tensors.size());
  for (size_t i = 0; i < out.size(); ++i) {
    const MixTensor& tensor = file.tensors[i];
    if (mix.choices[i].by_file_type) {
      out[i] = CandidatesFor(tensor, file.importance.Has(file.sources[i], tensor.shape));
    }
  }
  return out;
}

std::vector<Encoding> GgufTypes::CandidatesFor(const MixTensor& tensor, bool has_weights) const {
  std::vector<Encoding> fitting;
  for (const Scheme scheme : FamilyOf(*file_type_)) {
    const GgmlType& type = *FallbackType(FindGgmlType(scheme), tensor.shape.back(), tensor.name);
    const bool usable = IsBlock(type.encoding.scheme) && &type != tensor.type &&
                        (has_weights || !WantsImportance(type.encoding.scheme));
    const bool known = std::find(fitting.begin(), fitting.end(), type.encoding) != fitting.end();
    if (usable && !known) {
      fitting.push_back(type.encoding);
    }
  }
  if (!fitting.empty()) {
    fitting.push_back(tensor.type->encoding);
  }
  return fitting;
}

}  // namespace lbrx
