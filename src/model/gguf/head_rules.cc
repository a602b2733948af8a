// Keys about the heads of attention.
#include <cmath>

#include "core/base/error.h"
#include "core/base/format.h"
#include "model/config.h"
#include "model/gguf/family.h"
#include "model/gguf/rope.h"

namespace lbrx {
namespace {

constexpr std::string_view kHeadDim = "head_dim";
constexpr std::string_view kRopeHead = "qk_rope_head_dim";
constexpr std::string_view kPlainHead = "qk_nope_head_dim";
constexpr std::string_view kValueHead = "v_head_dim";
constexpr std::string_view kLatent = "kv_lora_rank";

uint64_t EqualPart(const Json& config) {
  const auto hidden = ConfigUint(config, "hidden_size");
  const auto heads = ConfigUint(config, "num_attention_heads");
  if (!hidden || !heads || *heads == 0) {
    FailMember("num_attention_heads", "this or hidden_size is missing or 0");
  }
  return *hidden / *heads;
}

void SetHead(KeyWriter& writer, uint64_t size) {
  writer.SetUint("attention.key_length", size);
  writer.SetUint("attention.value_length", size);
}

void WriteHeadDim(KeyWriter& writer) {
  if (const auto size = writer.Count(kHeadDim)) {
    SetHead(writer, *size);
  }
}

void WriteHeadDimAlways(KeyWriter& writer) {
  SetHead(writer, HeadSize(writer.config()));
}

void WriteHeadDimUnusual(KeyWriter& writer) {
  if (HeadSize(writer.config()) != EqualPart(writer.config())) {
    SetHead(writer, HeadSize(writer.config()));
  }
}

void WriteRotary(KeyWriter& writer) {
  const double part =
      RopeNumber(writer.config(), "partial_rotary_factor").value_or(writer.family().rotary_factor);
  const double size = part * static_cast<double>(HeadSize(writer.config()));
  writer.SetUint("rope.dimension_count", static_cast<uint64_t>(size));
}

uint64_t Need(const KeyWriter& writer, std::string_view member) {
  const auto value = writer.Count(member);
  if (!value) {
    FailMember(member, "is missing");
  }
  return *value;
}

// In the compressed form all heads share one head of keys and values.
void WriteLatent(KeyWriter& writer) {
  writer.SetUint("attention.head_count_kv", 1);
}

void WriteLatentWidth(KeyWriter& writer) {
  writer.SetUint("attention.key_length", Need(writer, kLatent) + Need(writer, kRopeHead));
  writer.SetUint("attention.value_length", Need(writer, kLatent));
}

void WriteLatentHeads(KeyWriter& writer) {
  writer.SetUint("attention.key_length_mla", Need(writer, kPlainHead) + Need(writer, kRopeHead));
  writer.SetUint("attention.value_length_mla", Need(writer, kValueHead));
}

// Gemma's own models have 256, but hidden_size / heads where a head has 128 dimensions. llama.cpp
// takes the head's size, or hidden_size / heads in models as deep as Gemma 27B.
void WriteQueryScale(KeyWriter& writer) {
  const double configured = writer.Real("query_pre_attn_scalar").value_or(0);
  const uint64_t layers = writer.Size(&ConfigKeys::layers);
  const bool large = layers == (writer.family().name == "gemma2" ? 46 : 62);
  const uint64_t taken = large ? EqualPart(writer.config()) : HeadSize(writer.config());
  if (configured != static_cast<double>(taken)) {
    writer.Notice(
        Format("config.json says query_pre_attn_scalar = {}, for which GGUF has no key: "
               "llama.cpp computes with {}",
               configured, taken));
  }
}

}  // namespace

uint64_t HeadSize(const Json& config) {
  const auto size = ConfigUint(config, kHeadDim);
  return size ? *size : EqualPart(config);
}

const KeyRule kHeadDimRule = {WriteHeadDim, nullptr};
const KeyRule kHeadDimAlwaysRule = {WriteHeadDimAlways, nullptr};
const KeyRule kHeadDimUnusualRule = {WriteHeadDimUnusual, nullptr};
const KeyRule kRotaryRule = {WriteRotary, nullptr};
const KeyRule kLatentRule = {WriteLatent, nullptr};
const KeyRule kLatentWidthRule = {WriteLatentWidth, nullptr};
const KeyRule kLatentHeadsRule = {WriteLatentHeads, nullptr};
const KeyRule kQueryScaleRule = {WriteQueryScale, nullptr};

}  // namespace lbrx
