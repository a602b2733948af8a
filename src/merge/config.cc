#include "merge/config.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "core/base/error.h"
#include "core/base/format.h"
#include "core/io/file.h"
#include "core/text/suggest.h"
#include "merge/config_parts.h"
#include "merge/config_reader.h"

namespace lbrx {
namespace {

constexpr std::array<std::pair<std::string_view, DType>, 5> kDTypes = {{{"float16", DType::kF16},
                                                                        {"bfloat16", DType::kBF16},
                                                                        {"float32", DType::kF32},
                                                                        {"float64", DType::kF64},
                                                                        {"int64", DType::kI64}}};

std::optional<DType> ReadDType(const std::optional<ConfigNode>& node) {
  const std::string text = ReadOptionalText(node);
  if (text.empty()) {
    return std::nullopt;
  }
  const std::string name = text.starts_with("torch.") ? text.substr(6) : text;
  std::vector<std::string> names;
  for (const auto& [known, dtype] : kDTypes) {
    if (name == known) {
      return dtype;
    }
    names.emplace_back(known);
  }
  // Short names are ours, not mergekit's; whoever writes them means the long ones.
  const std::optional<DType> meant = ParseDType(name);
  FailAt(*node, "no element type for a merge", "float16, bfloat16, float32, float64 or int64",
         DescribeValue(node->node),
         meant ? Format("write {}", Info(*meant).long_name) : Suggestion(name, names, ""));
}

// Says what a file is that is no configuration of one merge.
void RefuseOtherTools(const YamlDocument& document) {
  if (const std::optional<YamlPosition> next = document.next_document()) {
    ErrorDetail detail;
    detail.object = ToString(*next);
    detail.what = "a second document, as in the files of mergekit-multi";
    detail.expected = "one merge in a file";
    detail.advice = "give each merge a file of its own and run one after the other";
    throw Error(ErrorCode::kInvalid, std::move(detail));
  }
  const YamlNode root = document.root();
  if (root.Find("experts") && !root.Find("merge_method")) {
    FailAt({root, ""}, "a configuration of mergekit-moe, which puts experts together", "",
           "experts without merge_method");
  }
}

MergeConfig ReadConfig(const YamlDocument& document) {
  RefuseOtherTools(document);
  ConfigWarnings warnings;
  MergeConfig out;
  ConfigMap map({document.root(), ""}, warnings);
  const ConfigNode method = map.Need("merge_method");
  out.method = ReadText(method);
  out.method_position = method.node.position();
  if (const std::optional<ConfigNode> base = map.Find("base_model")) {
    out.base_model = ReadModel(*base, warnings);
  }
  ReadModules(map, out.base_model, warnings, out);
  out.parameters = ReadParameters(map, warnings);
  out.dtype = ReadDType(map.Find("dtype"));
  out.out_dtype = ReadDType(map.Find("out_dtype"));
  out.tokenizer = ReadTokenizer(map, warnings);
  const std::optional<ConfigNode> chat_template = map.Find("chat_template");
  out.chat_template = ReadChatTemplate(chat_template);
  if (chat_template) {
    out.chat_template_position = chat_template->node.position();
  }
  map.Finish();
  out.warnings = std::move(warnings).Take();
  return out;
}

}  // namespace

MergeConfig ParseMergeConfig(std::string_view text, const std::string& file) {
  try {
    MergeConfig out = ReadConfig(ParseYaml(text, file));
    out.file = file;
    out.text = std::string(text);
    return out;
  } catch (Error& error) {
    error.InFile(file);
    throw;
  }
}

MergeConfig ReadMergeConfig(const std::string& path) {
  return ParseMergeConfig(ReadWholeFile(path, YamlLimits().max_bytes), path);
}

void RefuseWarnings(const MergeConfig& config) {
  if (config.warnings.empty()) {
    return;
  }
  ErrorDetail detail;
  detail.file = config.file;
  detail.what = config.warnings.front().text;
  if (const size_t more = config.warnings.size() - 1; more > 0) {
    detail.what += Format(" (and {} more)", more);
  }
  throw Error(ErrorCode::kInvalid, std::move(detail));
}

std::vector<ModelRef> ReferencedModels(const MergeConfig& config) {
  std::vector<ModelRef> out;
  std::set<ModelRef> seen;
  const auto add = [&](const ModelRef& model) {
    if (seen.insert(model).second) {
      out.push_back(model);
    }
  };
  if (config.base_model) {
    add(*config.base_model);
  }
  for (const MergeModule& module : config.modules) {
    for (const MergeSlice& slice : module.slices) {
      for (const MergeSource& source : slice.sources) {
        add(source.model);
      }
    }
  }
  return out;
}

}  // namespace lbrx
