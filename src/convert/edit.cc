#include "convert/edit.h"

#include <utility>

#include "core/base/format.h"
#include "core/text/suggest.h"
#include "formats/gguf/gguf.h"
#include "stream/lay_out_plan.h"

namespace lbrx {
namespace {

[[noreturn]] void Refuse(const std::string& object, std::string what, std::string advice) {
  throw Error(ErrorCode::kUsage, {.file = {},
                                  .object = object,
                                  .what = std::move(what),
                                  .expected = {},
                                  .found = {},
                                  .offset = {},
                                  .advice = std::move(advice)});
}

std::string TypeText(const GgufValue& value) {
  return std::string(GgufTypeName(value.type())) + (value.is_array() ? "[]" : "");
}

class Editor {
 public:
  Editor(const EditRequest& request, std::shared_ptr<const Checkpoint> source)
      : request_(request), source_(std::move(source)) {
    if (source_->gguf == nullptr) {
      Refuse(source_->path, "only GGUF files have keys to edit",
             Format("this is of format {}; a folder's config.json is a text", source_->format));
    }
    plan_.command = "edit";
    plan_.request = request.ToJson();
    plan_.sources = {source_};
  }

  Plan Build() {
    keys_ = *source_->gguf;
    for (const GgufEdit& edit : request_.edits) {
      Apply(edit);
    }
    for (const SourceTensor* tensor : GgufFileOrder(*source_)) {
      Copy(*tensor);
    }
    LayOut();
    return std::move(plan_);
  }

 private:
  void Apply(const GgufEdit& edit) {
    if (IsGgufSplitKey(edit.key)) {
      Refuse(edit.key, "is set by the program", "--shard-size makes parts");
    }
    const GgufValue* before = keys_.Find(edit.key);
    if (!edit.value) {
      if (!keys_.Remove(edit.key)) {
        NoteMissing(edit.key);
      }
      return;
    }
    if (edit.key == kGgufAlignmentKey) {
      if (std::optional<ErrorDetail> wrong = CheckGgufAlignment(*edit.value)) {
        throw Error(ErrorCode::kUsage, std::move(*wrong));
      }
    }
    if (before != nullptr && TypeText(*before) != TypeText(*edit.value)) {
      plan_.notices.push_back(Format("{} was of type {} and becomes {}", Printable(edit.key),
                                     TypeText(*before), TypeText(*edit.value)));
    }
    keys_.Set(edit.key, *edit.value);
  }

  void NoteMissing(const std::string& key) {
    std::vector<std::string> names;
    for (const auto& [name, value] : keys_.entries()) {
      names.push_back(name);
    }
    plan_.notices.push_back(Format("there is no key {} to remove; {}", Printable(key),
                                   Suggestion(key, names, "lbrx inspect lists the keys")));
  }

  void Copy(const SourceTensor& tensor) {
    PlannedTensor planned;
    planned.output = OutputTensor(tensor.name, tensor.encoding, tensor.shape);
    planned.source_label = SchemeLabel(tensor.encoding);
    planned.copies = {LoadArray(plan_.sources, 0, tensor.planes.front(), /*check=*/false)};
    plan_.tensors.push_back(std::move(planned));
  }

  void LayOut() {
    constexpr std::string_view kEnding = ".gguf";
    GgufTarget target = GgufTargetOf(*source_);
    target.keys = &keys_;
    target.shard_size = request_.shard_size;
    target.prefix = BaseName(request_.destination);
    if (target.prefix.ends_with(kEnding)) {
      target.prefix.resize(target.prefix.size() - kEnding.size());
    }
    LayOutPlan(plan_,
               [&](std::vector<OutputTensor>& outputs) { return LayOutGguf(outputs, target); });
  }

  const EditRequest& request_;
  std::shared_ptr<const Checkpoint> source_;
  GgufKeys keys_;
  Plan plan_;
};

}  // namespace

Json EditRequest::ToJson() const {
  Json changes = Json::MakeArray();
  for (const GgufEdit& edit : edits) {
    Json change = Json::MakeObject();
    change.Set(edit.value ? "set" : "remove", edit.key);
    if (edit.value) {
      change.Set("type", TypeText(*edit.value));
    }
    changes.Append(std::move(change));
  }
  Json json = Json::MakeObject();
  json.Set("source", source);
  json.Set("edits", std::move(changes));
  json.Set("shard_size", shard_size ? Json(*shard_size) : Json());
  return json;
}

Plan PlanEdit(const EditRequest& request, std::shared_ptr<const Checkpoint> source) {
  return Editor(request, std::move(source)).Build();
}

}  // namespace lbrx
