#include "merge/merge.h"

#include <algorithm>

#include "convert/folder.h"
#include "core/base/format.h"
#include "core/io/file.h"
#include "merge/config.h"
#include "merge/merged_config.h"
#include "merge/merged_tokenizer.h"
#include "merge/models.h"
#include "merge/outline.h"
#include "merge/tensor_plan.h"
#include "merge/tokenizer/source_vocabulary.h"
#include "merge/tokenizer/token_ids.h"

namespace lbrx {
namespace {

constexpr const char* kCardName = "README.md";
constexpr const char* kGeneration = "generation_config.json";
constexpr uint64_t kGenerationLimit = uint64_t{1} << 20;

const Json& Require(const Json& json, std::string_view key) {
  const Json* value = json.Find(key);
  if (value == nullptr) {
    throw Error(ErrorCode::kInvalid, Format("the plan's merge has no \"{}\"", key));
  }
  return *value;
}

// The order in which mergekit works on tensors, which its random stream depends on: by the names of
// what they are made of.
std::vector<size_t> OrderOfPeer(const std::vector<OutlineTensor>& tensors) {
  std::vector<std::string> labels;
  std::vector<size_t> order;
  for (size_t i = 0; i < tensors.size(); ++i) {
    std::string& label = labels.emplace_back();
    for (const OutlineInput& input : tensors[i].inputs) {
      label = std::max(label, input.tensor->name);
    }
    order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return labels[a] < labels[b]; });
  return order;
}

MergeConfig ConfigOf(const MergeRequest& request) {
  MergeConfig config = ParseMergeConfig(request.config_text, request.config_file);
  if (request.dtype) {
    config.out_dtype = request.dtype;
  }
  return config;
}

class Planner {
 public:
  Planner(const MergeRequest& request, const OpenOptions& options)
      : request_(request),
        config_(ConfigOf(request)),
        models_(OpenAll(options)),
        donor_index_(
            static_cast<uint32_t>(config_.base_model ? models_.IndexOf(*config_.base_model) : 0)),
        donor_(models_[donor_index_]),
        tokenizer_(PlanTokenizer(config_, models_, donor_index_, merge_.notices)) {}

  Merge Make() {
    const Outline outline = MakeOutline(config_, models_, request_.compat);
    AddTensors(outline);
    AddDescription(outline);
    AddFiles();
    for (const std::shared_ptr<const Checkpoint>& file : models_.files()) {
      merge_.paths.push_back(file->path);
    }
    return std::move(merge_);
  }

 private:
  MergeModels OpenAll(const OpenOptions& options) {
    if (request_.strict) {
      RefuseWarnings(config_);
    }
    for (const ConfigWarning& warning : config_.warnings) {
      merge_.notices.push_back(config_.file + ": " + warning.text);
    }
    FindMergeMethod(config_.method);  // before models are opened
    std::vector<ModelRef> refs = ReferencedModels(config_);
    for (ModelRef& ref : ModelsOfTokenizer(config_)) {
      refs.push_back(std::move(ref));
    }
    return MergeModels(refs, request_.mixed, options, merge_.notices);
  }

  void AddTensors(const Outline& outline) {
    TensorPlanner planner(config_, models_, request_, tokenizer_.vocabulary, merge_.notices);
    merge_.source.files = models_.files();
    std::vector<std::optional<NamedValue>> planned(outline.tensors.size());
    uint64_t position = 0;
    std::vector<std::string> left_out;
    for (const size_t i : OrderOfPeer(outline.tensors)) {
      if (request_.compat && IsLeftOutByPeer(models_, outline.tensors[i])) {
        left_out.push_back(outline.tensors[i].name);
      } else {
        planned[i] = planner.Plan(outline.tensors[i], position);
      }
    }
    if (!left_out.empty()) {
      merge_.notices.push_back(Format("{} tensors are left out, as mergekit does: {}",
                                      left_out.size(), Listed(left_out, ", ")));
    }
    planner.RequireSameShapes();
    planner.Note(merge_.notices);
    merge_.parts = planner.TakeParts();
    for (std::optional<NamedValue>& tensor : planned) {
      if (tensor) {
        merge_.source.tensors.push_back(std::move(*tensor));
      }
    }
  }

  bool HasHead() const {
    return std::any_of(merge_.source.tensors.begin(), merge_.source.tensors.end(),
                       [&](const NamedValue& tensor) {
                         const TensorRule* rule = donor_.naming.Resolve(tensor.name).rule;
                         return rule != nullptr && rule->role == Role::kOutput;
                       });
  }

  // The model as a checkpoint that is not stored anywhere.
  void AddDescription(const Outline& outline) {
    auto model = std::make_shared<Checkpoint>();
    model->path = request_.config_file;
    model->format = "huggingface";
    model->reason = "merged from " + std::to_string(models_.size()) + " models";
    model->folder = donor_.checkpoint->folder;
    model->config = MergedConfig(config_, donor_, outline, !request_.compat && HasHead());
    if (tokenizer_.vocabulary != nullptr && donor_.naming.architecture != nullptr) {
      SetVocabularySize(*tokenizer_.vocabulary, donor_.naming.architecture->keys.vocabulary,
                        model->config);
      MoveTokenIds(*tokenizer_.vocabulary, donor_index_, model->config, merge_.notices);
    }
    for (const NamedValue& tensor : merge_.source.tensors) {
      model->tensors.push_back(
          {.name = tensor.name,
           .encoding = tensor.planes.empty() ? Plain(tensor.value->dtype()) : tensor.encoding,
           .shape = tensor.value->shape(),
           .planes = {}});
    }
    model->BuildIndex();
    AddDonorFiles(*model);
    merge_.source.model = std::move(model);
  }

  // What the donor has beside its tensors, but its model card.
  void AddDonorFiles(Checkpoint& model) {
    std::vector<OutputText>& texts = merge_.source.texts;
    const Checkpoint& donor = *donor_.checkpoint;
    const bool own_tokenizer = request_.copy_tokenizer && tokenizer_.files.empty();
    if (donor.gguf != nullptr) {
      texts = FilesOfGguf(donor, merge_.notices);
      std::erase_if(texts, [&](const OutputText& file) {
        return IsTokenizerFile(file.name) && !own_tokenizer;
      });
    }
    for (const SideFile& file : donor.side_files) {
      if (file.name == kGeneration && tokenizer_.vocabulary != nullptr) {
        Json generation = ParseJson(ReadWholeFile(file.path, kGenerationLimit), file.path);
        MoveTokenIds(*tokenizer_.vocabulary, donor_index_, generation, merge_.notices);
        texts.push_back(
            {.name = file.name, .content = WriteJson(generation, {.indent = 2}) + "\n"});
      } else if (file.name != kCardName && (own_tokenizer || !IsTokenizerFile(file.name))) {
        model.side_files.push_back(file);
      }
    }
    texts.insert(texts.end(), tokenizer_.files.begin(), tokenizer_.files.end());
  }

  void AddFiles() {
    std::vector<OutputText>& texts = merge_.source.texts;
    if (request_.card) {
      texts.push_back({.name = kCardName, .content = MergeCard(config_, models_)});
    }
    texts.push_back({.name = "mergekit_config.yml", .content = config_.text});
  }

  const MergeRequest& request_;
  Merge merge_;
  const MergeConfig config_;
  const MergeModels models_;
  const uint32_t donor_index_;
  const MergeModel& donor_;
  const MergedTokenizer tokenizer_;
};

}  // namespace

Json MergeRequest::ToJson() const {
  Json out = Json::MakeObject();
  out.Set("config_file", config_file);
  out.Set("config", config_text);
  out.Set("seed", seed);
  out.Set("compat", compat);
  out.Set("allow_crimes", mixed);
  out.Set("copy_tokenizer", copy_tokenizer);
  out.Set("card", card);
  out.Set("strict", strict);
  out.Set("dtype", dtype ? Json(Name(*dtype)) : Json());
  return out;
}

MergeRequest MergeRequest::FromJson(const Json& json) {
  MergeRequest out;
  out.config_file = Require(json, "config_file").AsString();
  out.config_text = Require(json, "config").AsString();
  out.seed = Require(json, "seed").AsUint64();
  out.compat = Require(json, "compat").AsBool();
  out.mixed = Require(json, "allow_crimes").AsBool();
  out.copy_tokenizer = Require(json, "copy_tokenizer").AsBool();
  out.card = Require(json, "card").AsBool();
  out.strict = Require(json, "strict").AsBool();
  if (const Json& dtype = Require(json, "dtype"); !dtype.is_null()) {
    out.dtype = DTypeByName(dtype.AsString());
    if (!out.dtype) {
      throw Error(ErrorCode::kInvalid,
                  Format("the merge's request: unknown dtype \"{}\"", Printable(dtype.AsString())));
    }
  }
  return out;
}

Merge PlanMerge(const MergeRequest& request, const OpenOptions& options) {
  return Planner(request, options).Make();
}

}  // namespace lbrx
