#include "check/repair/repair.h"

#include <algorithm>

#include "check/repair/assemble.h"
#include "check/repair/complete_config.h"
#include "check/repair/fill.h"
#include "check/repair/gguf_repair.h"
#include "check/repair/missing.h"
#include "check/repair/side_files.h"
#include "core/base/format.h"
#include "core/io/file.h"
#include "formats/mlx/mlx.h"
#include "formats/names.h"
#include "stream/lay_out_plan.h"

namespace lbrx {
namespace {

constexpr std::string_view FillName(RepairRequest::Fill fill) {
  switch (fill) {
    case RepairRequest::Fill::kZeros:
      return "zeros";
    case RepairRequest::Fill::kReference:
      return "reference";
    default:
      return "nothing";
  }
}

[[noreturn]] void ThrowNothing(const std::string& path, const std::vector<ForeignFile>& foreign) {
  ErrorDetail detail;
  detail.file = path;
  detail.what = foreign.empty() ? "nothing of it can be saved: no header can be read"
                                : "nothing of it can be saved: it is " + foreign.front().kind;
  detail.advice = foreign.empty()
                      ? "a --reference of the very same model may tell what the bytes are"
                      : foreign.front().advice;
  throw Error(ErrorCode::kInvalid, std::move(detail));
}

class Repairer {
 public:
  Repairer(const RepairRequest& request, std::shared_ptr<const Checkpoint> reference)
      : request_(request), reference_(std::move(reference)) {}

  Repair Run() {
    if (request_.fill == RepairRequest::Fill::kReference && reference_ == nullptr) {
      throw Error(ErrorCode::kUsage, "--fill reference needs a --reference");
    }
    gathered_ = Gather(request_.source);
    Assembled assembled = Assemble(gathered_, reference_.get());
    if (assembled.checkpoint.arrays.empty()) {
      ThrowNothing(request_.source, assembled.foreign);
    }
    out_.files = std::move(assembled.files);
    out_.mended = std::move(gathered_.mended);
    out_.mended.insert(out_.mended.end(), assembled.mended.begin(), assembled.mended.end());
    out_.lost = std::move(assembled.lost);
    source_ = std::move(assembled.checkpoint);
    for (const StoredArray& array : source_.arrays) {
      ++out_.tensors;
      out_.bytes += array.bytes;
    }
    bare_ = request_.destination.ends_with(".safetensors");
    Understand();
    BuildPlan();
    return std::move(out_);
  }

 private:
  // What the arrays are, by their names and the configuration; and what of both is missing.
  void Understand() {
    TakeQuantization();
    Json config = source_.config;
    const auto block = source_.metadata.find("quantization");
    if (gathered_.folder.empty() && block != source_.metadata.end()) {
      config = Json::MakeObject();
      try {
        config.Set("quantization", ParseJson(block->second, gathered_.path));
      } catch (const Error&) {
        config = source_.config;  // damaged metadata: the arrays stay as they are
      }
    }
    const bool mlx = !MlxReason(config, source_).empty();
    source_.format = mlx ? "mlx" : "huggingface";
    source_.reason = "being repaired";
    if (mlx) {
      GroupMlxTensors(source_, config, /*collect_problems=*/true);
    } else {
      AddPlainTensors(source_);
      source_.BuildIndex();
    }
    const Json before = source_.config;
    const ConfigEvidence evidence{
        .reference =
            reference_ != nullptr && reference_->config.is_object() ? &reference_->config : nullptr,
        .damaged = gathered_.config_damaged,
        .tensors_lost = !out_.lost.empty()};
    if (!bare_) {
      CompleteConfigFromShapes(source_, evidence, out_.mended, out_.lost);
    }
    config_changed_ = !(before == source_.config);
    CompleteLost(source_, reference_.get(), out_.lost);
  }

  // Without its block the planes of a quantized model are numbers without meaning.
  void TakeQuantization() {
    if (!gathered_.config_damaged || reference_ == nullptr || source_.config.is_null() ||
        MlxReason(source_.config, source_).empty()) {
      return;
    }
    for (const char* key : {"quantization", "quantization_config"}) {
      const Json* block = reference_->config.Find(key);
      if (block != nullptr && source_.config.Find(key) == nullptr) {
        source_.config.Set(key, Json(*block));
        out_.mended.push_back({"config.json", key, "taken from the reference"});
      }
    }
  }

  void BuildPlan() {
    Plan& plan = out_.plan;
    plan.command = "repair";
    plan.request = request_.ToJson();
    plan.sources.push_back(std::make_shared<const Checkpoint>(std::move(source_)));
    if (reference_ != nullptr) {
      plan.sources.push_back(reference_);
    }
    plan.tensors = PlanTensors(plan, request_.fill, out_.lost);
    LayOutTensors(plan);
    if (!bare_) {
      AddSideFiles(plan);
      AddConfig(plan);
    }
  }

  TargetKind Target() const {
    if (bare_) {
      return TargetKind::kSafetensors;
    }
    return Source().format == "mlx" ? TargetKind::kMlx : TargetKind::kHuggingFace;
  }

  const Checkpoint& Source() const { return *out_.plan.sources[0]; }

  // A bare file says in its metadata what a folder's config.json says.
  std::map<std::string, std::string> Metadata() const {
    std::map<std::string, std::string> metadata = Source().metadata;
    const Json* block = Source().config.Find("quantization");
    if (bare_ && block != nullptr && block->is_object()) {
      metadata["quantization"] = WriteJson(*block);
      metadata["format"] = "mlx";
    } else if (!bare_) {
      metadata.erase("quantization");
    }
    return metadata;
  }

  void LayOutTensors(Plan& plan) {
    LayOutPlan(plan, [&](std::vector<OutputTensor>& outputs) {
      return LayOut(Target(), outputs, request_.shard_size, Metadata());
    });
    plan.texts = std::move(plan.layout.texts);
    plan.layout.texts.clear();
  }

  void AddSideFiles(Plan& plan) {
    RepairSideFiles(gathered_.side_files, reference_.get(), plan, out_.mended, out_.lost);
    const std::string card = JoinPath(gathered_.folder, "README.md");
    if (!gathered_.folder.empty() && IsRegularFile(card)) {
      plan.copies.push_back({"README.md", card, File::OpenRead(card)->Size()});
    }
  }

  void AddConfig(Plan& plan) {
    const bool as_it_was = !config_changed_ && !gathered_.config_text.empty();
    plan.texts.push_back({"config.json", as_it_was ? gathered_.config_text
                                                   : WriteConfig(Target(), Source().config)});
  }

  const RepairRequest& request_;
  std::shared_ptr<const Checkpoint> reference_;
  Gathered gathered_;
  Checkpoint source_;
  bool bare_ = false;
  bool config_changed_ = false;
  Repair out_;
};

}  // namespace

Json RepairRequest::ToJson() const {
  Json json = Json::MakeObject();
  json.Set("source", source);
  json.Set("reference", reference.empty() ? Json() : Json(reference));
  json.Set("fill", FillName(fill));
  json.Set("shard_size", shard_size);
  return json;
}

Repair PlanRepair(const RepairRequest& request, std::shared_ptr<const Checkpoint> reference) {
  return IsGgufSource(request.source) ? PlanGgufRepair(request, std::move(reference))
                                      : Repairer(request, std::move(reference)).Run();
}

}  // namespace lbrx
