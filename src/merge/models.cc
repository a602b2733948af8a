#include "merge/models.h"

#include <algorithm>

#include "adapt/apply.h"
#include "convert/arrange.h"
#include "core/base/format.h"
#include "core/io/file.h"
#include "model/config.h"
#include "model/open_model.h"

namespace lbrx {
namespace {

// `org/name@revision` is how the cache is asked; a folder has no revisions.
std::string PathToOpen(const ModelPath& path) {
  if (path.revision.empty()) {
    return path.path;
  }
  if (PathExists(path.path)) {
    throw Error(ErrorCode::kInvalid, {.file = path.path,
                                      .object = "",
                                      .what = "a folder has no revisions",
                                      .expected = "a name of the Hugging Face cache before the @",
                                      .found = ToString(path),
                                      .offset = {},
                                      .advice = ""});
  }
  return ToString(path);
}

std::shared_ptr<const Checkpoint> Open(const ModelRef& ref, const OpenOptions& options) {
  Checkpoint checkpoint = OpenModel(PathToOpen(ref.model), options);
  if (!ref.override_architecture.empty()) {
    Json names = Json::MakeArray();
    names.Append(ref.override_architecture);
    checkpoint.config.Set("architectures", std::move(names));
  }
  return std::make_shared<const Checkpoint>(std::move(checkpoint));
}

// An adapter that is applied to a model, and its place among the files.
struct Applied {
  std::shared_ptr<const Adapter> adapter;  // null: none
  uint32_t source = 0;
};

// Tensors under Hugging Face's names and in its shapes, with the types that they have there.
MergeModel Arrange(const ModelRef& ref, const SourceFiles::Checkpoints& files, uint32_t index,
                   const Applied& applied, std::vector<std::string>& notices) {
  ConvertRequest request;
  request.source = ref.model.path;
  request.target = TargetKind::kHuggingFace;
  Plan scratch;
  const Arrangement arranged(
      request,
      ModelSource{
          .model = files[index], .files = files, .tensors = AsStored(files, index), .texts = {}},
      TargetKind::kHuggingFace, scratch);
  MergeModel model;
  model.label = ToString(ref);
  model.checkpoint = files[index];
  model.naming = arranged.naming();
  model.tied = arranged.facts().tied;
  std::vector<NamedValue> tensors = arranged.Tensors(scratch);
  if (applied.adapter != nullptr) {
    for (std::string& notice : ApplyAdapter(*applied.adapter, files, applied.source, model.naming,
                                            TextConfig(model.checkpoint->config), tensors)) {
      scratch.notices.push_back(std::move(notice));
    }
  }
  for (NamedValue& tensor : tensors) {
    tensor.value = CastTo(tensor.value, arranged.types().For(tensor));
    std::string name = tensor.name;
    model.tensors.emplace(std::move(name), std::move(tensor));
  }
  for (const std::string& notice : scratch.notices) {
    notices.push_back(Format("{}: {}", model.label, notice));
  }
  return model;
}

std::string ArchitectureOf(const MergeModel& model) {
  if (model.naming.architecture != nullptr) {
    return std::string(model.naming.architecture->name);
  }
  const Json* type = model.checkpoint->config.Find("model_type");
  return type != nullptr && type->is_string() ? type->AsString() : "unknown";
}

// Folders of one architecture may spell names in several ways.
void SpellAs(const Naming& naming, MergeModel& model) {
  if (model.naming == naming || model.naming.architecture != naming.architecture) {
    return;
  }
  std::map<std::string, NamedValue> tensors;
  for (auto& [name, tensor] : model.tensors) {
    tensor.name = naming.Translate(model.naming, name);
    std::string key = tensor.name;
    tensors.emplace(std::move(key), std::move(tensor));
  }
  model.tensors = std::move(tensors);
  model.naming = naming;
}

}  // namespace

const NamedValue* MergeModel::Find(const std::string& name) const {
  const auto found = tensors.find(name);
  return found == tensors.end() ? nullptr : &found->second;
}

const NamedValue* MergeModel::Find(Role role) const {
  if (naming.architecture == nullptr) {
    return nullptr;
  }
  const auto& rules = naming.architecture->tensors;
  const auto rule = std::find_if(rules.begin(), rules.end(),
                                 [&](const TensorRule& row) { return row.role == role; });
  if (rule == rules.end()) {
    return nullptr;
  }
  TensorMeaning meaning;
  meaning.rule = &*rule;
  meaning.leaf = "weight";
  return Find(naming.Spell(meaning));
}

MergeModels::MergeModels(const std::vector<ModelRef>& refs, bool mixed, const OpenOptions& options,
                         std::vector<std::string>& notices)
    : refs_(refs) {
  for (const ModelRef& ref : refs_) {
    files_.push_back(Open(ref, options));
  }
  std::vector<Applied> applied(refs_.size());
  for (size_t i = 0; i < refs_.size(); ++i) {
    if (refs_[i].adapter) {
      applied[i].adapter = OpenAdapter(PathToOpen(*refs_[i].adapter), options);
      applied[i].source = static_cast<uint32_t>(files_.size());
      files_.push_back(applied[i].adapter->checkpoint);
    }
  }
  for (uint32_t i = 0; i < refs_.size(); ++i) {
    models_.push_back(Arrange(refs_[i], files_, i, applied[i], notices));
  }
  if (!mixed) {
    RequireOneArchitecture();
  }
  for (MergeModel& model : models_) {
    SpellAs(models_[0].naming, model);
  }
}

size_t MergeModels::IndexOf(const ModelRef& ref) const {
  const auto found = std::find(refs_.begin(), refs_.end(), ref);
  if (found == refs_.end()) {
    throw Error(ErrorCode::kInternal, Format("{} was not opened", ToString(ref)));
  }
  return static_cast<size_t>(found - refs_.begin());
}

void MergeModels::RequireOneArchitecture() const {
  for (const MergeModel& model : models_) {
    if (ArchitectureOf(model) != ArchitectureOf(models_[0])) {
      throw Error(ErrorCode::kInvalid,
                  {.file = model.label,
                   .object = "",
                   .what = "is of another architecture than " + models_[0].label,
                   .expected = ArchitectureOf(models_[0]),
                   .found = ArchitectureOf(model),
                   .offset = {},
                   .advice = "--allow-crimes merges them all the same, by names and shapes"});
    }
  }
}

}  // namespace lbrx
