#include <limits>

#include "convert/convert.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

std::string_view TargetName(TargetKind kind) {
  switch (kind) {
    case TargetKind::kSafetensors:
      return "safetensors";
    case TargetKind::kHuggingFace:
      return "hf";
    case TargetKind::kMlx:
      return "mlx";
    case TargetKind::kGguf:
      return "gguf";
  }
  return "";
}

std::optional<TargetKind> TargetByName(std::string_view name) {
  for (const TargetKind kind :
       {TargetKind::kSafetensors, TargetKind::kHuggingFace, TargetKind::kMlx, TargetKind::kGguf}) {
    if (TargetName(kind) == name) {
      return kind;
    }
  }
  return std::nullopt;
}

const Json& Require(const Json& json, std::string_view key) {
  const Json* value = json.Find(key);
  if (value == nullptr) {
    throw Error(ErrorCode::kInvalid, Format("the plan's request has no \"{}\"", key));
  }
  return *value;
}

// A number that must fit the field it is put into.
template <typename T>
T Narrow(const Json& json, std::string_view what) {
  const uint64_t value = json.AsUint64();
  if (value > std::numeric_limits<T>::max()) {
    throw Error(ErrorCode::kInvalid,
                Format("the plan's request: {} is too large, expected at most {}, found {}", what,
                       std::numeric_limits<T>::max(), value));
  }
  return static_cast<T>(value);
}

[[noreturn]] void ThrowUnknown(std::string_view key, const std::string& value) {
  throw Error(ErrorCode::kInvalid,
              Format("the plan's request: unknown {} \"{}\"", key, Printable(value)));
}

Json ChoicesToJson(const std::vector<ConvertRequest::Choice>& choices) {
  Json out = Json::MakeArray();
  for (const ConvertRequest::Choice& choice : choices) {
    Json item = Json::MakeObject();
    item.Set("tensor", choice.tensor);
    item.Set("scheme", choice.scheme.empty() ? Json() : Json(choice.scheme));
    item.Set("squared_error", choice.squared_error);
    out.Append(std::move(item));
  }
  return out;
}

std::vector<ConvertRequest::Choice> ChoicesFromJson(const Json& json) {
  std::vector<ConvertRequest::Choice> out;
  for (const Json& item : json.AsArray()) {
    const Json& scheme = Require(item, "scheme");
    out.push_back({.tensor = Require(item, "tensor").AsString(),
                   .scheme = scheme.is_null() ? "" : scheme.AsString(),
                   .squared_error = Require(item, "squared_error").AsDouble()});
  }
  return out;
}

Json StringsToJson(const std::vector<std::string>& strings) {
  Json out = Json::MakeArray();
  for (const std::string& text : strings) {
    out.Append(text);
  }
  return out;
}

std::vector<std::string> StringsFromJson(const Json& json) {
  std::vector<std::string> out;
  for (const Json& item : json.AsArray()) {
    out.push_back(item.AsString());
  }
  return out;
}

}  // namespace

Json GgufOptions::ToJson() const {
  Json out = Json::MakeObject();
  if (*this == GgufOptions{}) {
    return out;
  }
  out.Set("pre", pre);
  out.Set("embed_hf", embed_hf);
  out.Set("imatrix", imatrix);
  out.Set("include_weights", StringsToJson(include_weights));
  out.Set("exclude_weights", StringsToJson(exclude_weights));
  out.Set("pure", pure);
  out.Set("leave_output_tensor", leave_output_tensor);
  out.Set("output_tensor_type", output_tensor_type);
  out.Set("token_embedding_type", token_embedding_type);
  Json types = Json::MakeArray();
  for (const TensorType& row : tensor_types) {
    Json item = Json::MakeObject();
    item.Set("regex", row.regex);
    item.Set("type", row.type);
    types.Append(std::move(item));
  }
  out.Set("tensor_types", std::move(types));
  out.Set("override_kv", StringsToJson(override_kv));
  Json layers = Json::MakeArray();
  for (const uint32_t layer : prune_layers) {
    layers.Append(static_cast<uint64_t>(layer));
  }
  out.Set("prune_layers", std::move(layers));
  out.Set("allow_requantize", allow_requantize);
  out.Set("keep_split", keep_split);
  return out;
}

GgufOptions GgufOptions::FromJson(const Json& json) {
  GgufOptions out;
  if (json.AsObject().empty()) {
    return out;
  }
  out.pre = Require(json, "pre").AsString();
  out.embed_hf = Require(json, "embed_hf").AsBool();
  out.imatrix = Require(json, "imatrix").AsString();
  out.include_weights = StringsFromJson(Require(json, "include_weights"));
  out.exclude_weights = StringsFromJson(Require(json, "exclude_weights"));
  out.pure = Require(json, "pure").AsBool();
  out.leave_output_tensor = Require(json, "leave_output_tensor").AsBool();
  out.output_tensor_type = Require(json, "output_tensor_type").AsString();
  out.token_embedding_type = Require(json, "token_embedding_type").AsString();
  for (const Json& item : Require(json, "tensor_types").AsArray()) {
    out.tensor_types.push_back(
        {.regex = Require(item, "regex").AsString(), .type = Require(item, "type").AsString()});
  }
  out.override_kv = StringsFromJson(Require(json, "override_kv"));
  for (const Json& layer : Require(json, "prune_layers").AsArray()) {
    out.prune_layers.push_back(Narrow<uint32_t>(layer, "prune_layers"));
  }
  out.allow_requantize = Require(json, "allow_requantize").AsBool();
  out.keep_split = Require(json, "keep_split").AsBool();
  return out;
}

bool ConvertRequest::AsksForSchemes() const {
  return scheme || dequantize || protect_routers || !rules.empty() || target_bpw || target_size ||
         gguf.pure || gguf.leave_output_tensor || !gguf.output_tensor_type.empty() ||
         !gguf.token_embedding_type.empty() || !gguf.tensor_types.empty();
}

Json ConvertRequest::ToJson() const {
  Json out = Json::MakeObject();
  out.Set("command", command);
  out.Set("source", source);
  out.Set("merge", merge);
  out.Set("destination", destination);
  out.Set("to", target ? Json(TargetName(*target)) : Json());
  out.Set("scheme", scheme ? Json(*scheme) : Json());
  out.Set("group_size", static_cast<uint64_t>(group_size));
  out.Set("mlx_rule", rule == MlxRule::kMetal ? "metal" : "cpu");
  out.Set("search", search);
  out.Set("dequantize", dequantize);
  out.Set("dtype", dtype ? Json(Name(*dtype)) : Json());
  out.Set("text_only", text_only);
  out.Set("target_bpw", target_bpw ? Json(*target_bpw) : Json());
  out.Set("target_size", target_size ? Json(*target_size) : Json());
  out.Set("choices", ChoicesToJson(choices));
  Json list = Json::MakeArray();
  for (const Rule& row : rules) {
    Json item = Json::MakeObject();
    item.Set("regex", row.regex);
    item.Set("scheme", row.scheme.empty() ? Json() : Json(row.scheme));
    list.Append(std::move(item));
  }
  out.Set("rules", std::move(list));
  out.Set("protect_routers", protect_routers);
  out.Set("shard_size", shard_size ? Json(*shard_size) : Json());
  out.Set("strict", strict);
  out.Set("card", card);
  out.Set("gguf", gguf.ToJson());
  return out;
}

ConvertRequest ConvertRequest::FromJson(const Json& json) {
  ConvertRequest out;
  out.command = Require(json, "command").AsString();
  out.source = Require(json, "source").AsString();
  out.merge = Require(json, "merge");
  out.destination = Require(json, "destination").AsString();
  if (const Json& to = Require(json, "to"); !to.is_null()) {
    out.target = TargetByName(to.AsString());
    if (!out.target) {
      ThrowUnknown("target", to.AsString());
    }
  }
  if (const Json& scheme = Require(json, "scheme"); !scheme.is_null()) {
    out.scheme = scheme.AsString();
  }
  out.group_size = Narrow<uint16_t>(Require(json, "group_size"), "group_size");
  const std::string& rule = Require(json, "mlx_rule").AsString();
  if (rule != "metal" && rule != "cpu") {
    ThrowUnknown("mlx_rule", rule);
  }
  out.rule = rule == "metal" ? MlxRule::kMetal : MlxRule::kCpu;
  out.search = Require(json, "search").AsBool();
  out.dequantize = Require(json, "dequantize").AsBool();
  if (const Json& dtype = Require(json, "dtype"); !dtype.is_null()) {
    out.dtype = DTypeByName(dtype.AsString());
    if (!out.dtype) {
      ThrowUnknown("dtype", dtype.AsString());
    }
  }
  out.text_only = Require(json, "text_only").AsBool();
  if (const Json& bpw = Require(json, "target_bpw"); !bpw.is_null()) {
    out.target_bpw = bpw.AsDouble();
  }
  if (const Json& size = Require(json, "target_size"); !size.is_null()) {
    out.target_size = size.AsUint64();
  }
  out.choices = ChoicesFromJson(Require(json, "choices"));
  for (const Json& item : Require(json, "rules").AsArray()) {
    const Json& scheme = Require(item, "scheme");
    out.rules.push_back({.regex = Require(item, "regex").AsString(),
                         .scheme = scheme.is_null() ? "" : scheme.AsString()});
  }
  out.protect_routers = Require(json, "protect_routers").AsBool();
  if (const Json& size = Require(json, "shard_size"); !size.is_null()) {
    out.shard_size = size.AsUint64();
  }
  out.strict = Require(json, "strict").AsBool();
  out.card = Require(json, "card").AsBool();
  out.gguf = GgufOptions::FromJson(Require(json, "gguf"));
  return out;
}

}  // namespace lbrx
