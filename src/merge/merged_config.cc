#include "merge/merged_config.h"

#include <algorithm>

#include "convert/front_matter.h"
#include "convert/markdown.h"
#include "core/base/format.h"
#include "formats/checkpoint.h"
#include "merge/method.h"
#include "model/config.h"

namespace lbrx {
namespace {

// Keys of config.json that have an entry for each layer.
constexpr std::string_view kListsOfLayers[] = {"layer_types", "layers_block_type", "no_rope_layers",
                                               "mlp_layer_types"};

Json& TextPart(Json& config) {
  Json* text = config.Find("text_config");
  return text != nullptr && text->is_object() ? *text : config;
}

void SetLayers(const MergeModel& donor, const std::vector<uint64_t>& source_layers, Json& config) {
  if (donor.naming.architecture == nullptr) {
    return;
  }
  Json& text = TextPart(config);
  const std::string key(donor.naming.architecture->keys.layers);
  const std::optional<uint64_t> before = ConfigUint(text, key);
  if (!before || source_layers.empty()) {
    return;
  }
  text.Set(key, static_cast<uint64_t>(source_layers.size()));
  for (const std::string_view name : kListsOfLayers) {
    const Json* list = text.Find(name);
    if (list == nullptr || !list->is_array() || list->AsArray().size() != *before) {
      continue;
    }
    Json permuted = Json::MakeArray();
    for (const uint64_t layer : source_layers) {
      permuted.Append(list->AsArray()[std::min(layer, *before - 1)]);
    }
    text.Set(name, std::move(permuted));
  }
}

std::string Link(const MergeModel& model) {
  return IsHubName(model.label) ? Format("[{0}](https://huggingface.co/{0})", model.label)
                                : CodeSpan(model.label);
}

}  // namespace

Json MergedConfig(const MergeConfig& config, const MergeModel& donor, const Outline& outline,
                  bool head) {
  Json out = donor.checkpoint->config;
  out.Erase("quantization");
  out.Erase("quantization_config");
  SetLayers(donor, outline.source_layers, out);
  if (const std::optional<DType> dtype = config.out_dtype ? config.out_dtype : config.dtype) {
    SetConfigDType(out, *dtype);
  }
  if (head && donor.tied) {
    SetTiedEmbeddings(out, false);
  }
  return out;
}

std::string MergeCard(const MergeConfig& config, const MergeModels& models) {
  const MergeMethod& method = FindMergeMethod(config.method);
  FrontMatter card;
  card.Set("library_name", "transformers");
  card.AddTag("mergekit");
  card.AddTag("merge");
  std::string bases;
  for (size_t i = 0; i < models.size(); ++i) {
    if (IsHubName(models[i].label)) {
      bases += Format("- {}\n", models[i].label);
    }
  }
  std::string text = Format("\n# Merge by {}\n\nMade by lbrx {} with the method {} ({}).\n\n",
                            method.name, LBRX_VERSION, method.name, method.reference);
  if (config.base_model) {
    text += Format("The base is {}. ", Link(models.Get(*config.base_model)));
  }
  text += "Models:\n\n";
  for (size_t i = 0; i < models.size(); ++i) {
    text += Format("- {}\n", Link(models[i]));
  }
  text += "\n## Configuration\n\nThis text is in mergekit_config.yml.\n\n" +
          Fenced("yaml", config.text.substr(0, config.text.find_last_not_of('\n') + 1));
  card.set_text(std::move(text));
  std::string out = card.ToString();
  if (!bases.empty()) {
    constexpr std::string_view kStart = "---\n";
    out.insert(kStart.size(), "base_model:\n" + bases);
  }
  return out;
}

}  // namespace lbrx
