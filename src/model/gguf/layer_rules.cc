// Keys about windows and about single layers, and about widths and experts where they are no plain
// numbers.
#include "core/base/error.h"
#include "core/base/format.h"
#include "model/gguf/family.h"

namespace lbrx {
namespace {

constexpr std::string_view kPositions = "max_position_embeddings";
constexpr std::string_view kWindow = "sliding_window";
constexpr std::string_view kWindowKey = "attention.sliding_window";
constexpr std::string_view kPatternKey = "attention.sliding_window_pattern";
constexpr std::string_view kLayerTypes = "layer_types";
constexpr std::string_view kSlidingLayer = "sliding_attention";
constexpr std::string_view kFullLayer = "full_attention";
constexpr std::string_view kGating = "scoring_func";
constexpr std::string_view kTopNorm = "norm_topk_prob";
constexpr std::string_view kNoRope = "no_rope_layers";
constexpr uint64_t kSigmoid = 2;
constexpr uint64_t kNoRopeStep = 4;  // llama.cpp's constant
constexpr uint64_t kGpt2Widening = 4;
constexpr uint64_t kGemma2Window = 4096;  // llama.cpp's where a file does not say

// Of every `period` layers the last one attends to everything: llama.cpp's constants.
uint64_t PeriodOf(const GgufFamily& family) {
  return family.name == "gemma3" ? 6 : 2;
}

std::vector<bool> Periodic(uint64_t layers, uint64_t period) {
  std::vector<bool> slides;
  for (uint64_t layer = 0; layer < layers; ++layer) {
    slides.push_back(period == 0 || layer % period < period - 1);
  }
  return slides;
}

// Which layers have a window, by layer_types, else by sliding_window_pattern.
std::vector<bool> SlidingLayers(const KeyWriter& writer) {
  constexpr uint64_t kMost = 4096;
  const uint64_t layers = writer.Size(&ConfigKeys::layers);
  if (layers > kMost) {
    FailMember("num_hidden_layers", "is out of range", Format("at most {}", kMost),
               Format("{}", layers));
  }
  const Json* types = writer.config().Find(kLayerTypes);
  if (types == nullptr || types->is_null()) {
    const auto pattern = writer.Count("sliding_window_pattern");
    return Periodic(layers, pattern.value_or(PeriodOf(writer.family())));
  }
  std::vector<bool> slides;
  for (const Json& type : types->AsArray()) {
    if (type != Json(kSlidingLayer) && type != Json(kFullLayer)) {
      FailMember(kLayerTypes, "names a kind of layer that llama.cpp has not", "", WriteJson(type));
    }
    slides.push_back(type == Json(kSlidingLayer));
  }
  if (slides.size() != layers) {
    FailMember(kLayerTypes, "does not have an entry for each layer", Format("{}", layers),
               Format("{}", slides.size()));
  }
  return slides;
}

GgufValue Bools(const std::vector<bool>& values) {
  std::vector<std::byte> bytes;
  bytes.reserve(values.size());
  for (const bool value : values) {
    bytes.push_back(std::byte{value});
  }
  return GgufValue::FromBytes(GgufType::kBool, true, std::move(bytes));
}

void WriteWindow(KeyWriter& writer) {
  const std::vector<bool> slides = SlidingLayers(writer);
  const bool any = slides != std::vector<bool>(slides.size(), false);
  const auto window = writer.Count(kWindow);
  if (any && !window) {
    FailMember(kWindow, "is missing");
  }
  if (any || writer.family().name != "gemma3") {  // which takes its absence for no window at all
    writer.SetUint(kWindowKey, window.value_or(0));
  }
  if (slides != Periodic(slides.size(), PeriodOf(writer.family())) &&
      (any || writer.family().name != "gemma3")) {
    writer.Set(kPatternKey, Bools(slides));
  }
}

// As the file lists them, or as its number says, else llama.cpp's constant.
std::vector<bool> ReadSlidingLayers(const KeyReader& reader) {
  const uint64_t layers = reader.Size(&ConfigKeys::layers);
  const GgufValue* pattern = reader.Find(kPatternKey);
  if (pattern == nullptr) {
    return Periodic(layers, PeriodOf(reader.family()));
  }
  if (!pattern->is_array()) {
    return Periodic(layers, reader.NeedUint(kPatternKey));
  }
  if (pattern->type() != GgufType::kBool || pattern->size() != layers) {
    reader.Fail(kPatternKey, "is no list of one bool a layer");
  }
  std::vector<bool> slides;
  for (const std::byte slide : pattern->bytes()) {
    slides.push_back(slide != std::byte{0});
  }
  return slides;
}

void ReadWindow(KeyReader& reader) {
  const auto window = reader.Uint(kWindowKey);
  std::vector<bool> slides = ReadSlidingLayers(reader);
  if (window.value_or(0) != 0) {
    reader.Set(kWindow, *window);
  } else if (reader.family().name == "gemma3") {
    slides.assign(slides.size(), false);
  } else if (window || reader.family().name != "gemma2") {
    reader.Fail(kWindowKey, "is missing or 0");
  } else {
    reader.Set(kWindow, kGemma2Window);
  }
  Json types = Json::MakeArray();
  for (const bool slide : slides) {
    types.Append(slide ? kSlidingLayer : kFullLayer);
  }
  reader.Set(kLayerTypes, std::move(types));
}

void WriteWindowOrZero(KeyWriter& writer) {
  writer.SetUint(kWindowKey, writer.Count(kWindow).value_or(0));
}

void ReadWindowOrZero(KeyReader& reader) {
  const uint64_t window = reader.Uint(kWindowKey).value_or(0);
  reader.Set(kWindow, window == 0 ? Json() : Json(window));
}

// A window as long as the context is none.
void WriteNoWindow(KeyWriter& writer) {
  const auto window = writer.Count(kWindow);
  const Json* used = writer.config().Find("use_sliding_window");
  const uint64_t context = writer.Count(kPositions).value_or(0);
  if (window && *window != 0 && *window < context && (used == nullptr || *used == Json(true))) {
    writer.Notice(
        Format("config.json says sliding_window = {}, but llama.cpp's {} attends to "
               "everything: texts longer than that are computed otherwise",
               *window, writer.family().name));
  }
}

void ReadNoWindow(KeyReader& reader) {
  reader.Set(kWindow, nullptr);
}

void WriteNoRopeLayers(KeyWriter& writer) {
  const Json* layers = writer.config().Find(kNoRope);  // 1: rope
  if (layers == nullptr || layers->is_null()) {
    const auto step = writer.Count("no_rope_layer_interval");
    if (!step || *step == kNoRopeStep) {
      return;
    }
  } else {
    bool same = true;
    for (uint64_t layer = 0; layer < layers->AsArray().size(); ++layer) {
      const bool rope = (layer + 1) % kNoRopeStep != 0;
      same = same && layers->AsArray()[layer] == Json(uint64_t{rope});
    }
    if (same) {
      return;
    }
  }
  FailMember(kNoRope, "llama.cpp leaves every fourth layer without rope, not others");
}

void ReadNoRopeLayers(KeyReader& reader) {
  Json layers = Json::MakeArray();
  for (uint64_t layer = 0; layer < reader.Size(&ConfigKeys::layers); ++layer) {
    layers.Append(uint64_t{(layer + 1) % kNoRopeStep != 0});
  }
  reader.Assume("no_rope_layer_interval", kNoRopeStep);
  reader.Set(kNoRope, std::move(layers));
}

// Cohere's first models were trained on more than max_position_embeddings says.
void WriteContext(KeyWriter& writer) {
  const auto longer = writer.Count("model_max_length");
  const auto context = longer ? longer : writer.Count(kPositions);
  if (!context) {
    FailMember(kPositions, "is missing");
  }
  writer.SetUint("context_length", *context);
}

void ReadContext(KeyReader& reader) {
  reader.Set(kPositions, reader.NeedUint("context_length"));
}

// The converter has four times n_embd whatever n_inner says; null means that.
void WriteWidening(KeyWriter& writer) {
  const uint64_t usual = kGpt2Widening * writer.Size(&ConfigKeys::hidden);
  writer.SetUint("feed_forward_length", writer.Count("n_inner").value_or(usual));
}

void ReadWidening(KeyReader& reader) {
  const uint64_t usual = kGpt2Widening * reader.Size(&ConfigKeys::hidden);
  const uint64_t width = reader.Uint("feed_forward_length").value_or(usual);
  reader.Set("n_inner", width == usual ? Json() : Json(width));
}

void WriteGating(KeyWriter& writer) {
  const Json* gating = writer.config().Find(kGating);
  if (gating == nullptr || gating->is_null()) {
    writer.Notice(
        "config.json has no scoring_func: llama.cpp takes softmax where a file does not "
        "say, DeepSeek V3 computes with sigmoid; set deepseek2.expert_gating_func to 2 "
        "(u32) to run it there");
    return;
  }
  if (*gating != Json("sigmoid")) {
    FailMember(kGating, "is not what DeepSeek V3 has", "\"sigmoid\"", WriteJson(*gating));
  }
  writer.SetUint("expert_gating_func", kSigmoid);
}

void WriteTopNorm(KeyWriter& writer) {
  const Json* norm = writer.config().Find(kTopNorm);
  if (norm != nullptr && *norm == Json(true)) {
    writer.SetBool("expert_weights_norm", true);
  }
}

// DeepSeek V2 shares the architecture but not the way of choosing experts.
void ReadGating(KeyReader& reader) {
  const auto gating = reader.Uint("expert_gating_func");
  if (gating.value_or(kSigmoid) != kSigmoid || !reader.facts().expert_bias) {
    reader.Fail("expert_gating_func",
                "is not DeepSeek V3's: its experts are chosen by sigmoid and "
                "exp_probs_b, and nothing else of this architecture is known",
                Format("{}", kSigmoid), gating ? Format("{}", *gating) : "");
  }
  if (gating) {
    reader.Set(kGating, "sigmoid");
  }
}

void ReadTopNorm(KeyReader& reader) {
  reader.Set(kTopNorm, reader.Bool("expert_weights_norm").value_or(false));
}

}  // namespace

const KeyRule kWindowRule = {WriteWindow, ReadWindow};
const KeyRule kWindowOrZeroRule = {WriteWindowOrZero, ReadWindowOrZero};
const KeyRule kNoWindowRule = {WriteNoWindow, ReadNoWindow};
const KeyRule kNoRopeLayersRule = {WriteNoRopeLayers, ReadNoRopeLayers};
const KeyRule kContextRule = {WriteContext, ReadContext};
const KeyRule kWideningRule = {WriteWidening, ReadWidening};
const KeyRule kGatingRule = {WriteGating, ReadGating};
const KeyRule kTopNormRule = {WriteTopNorm, ReadTopNorm};

}  // namespace lbrx
