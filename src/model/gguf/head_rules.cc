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
  const double size = RotaryPart(writer) * static_cast<double>(HeadSize(writer.config()));
  writer.SetUint("rope.dimension_count", static_cast<uint64_t>(size));
}

// As the file says; nullopt where it does not.
std::optional<uint64_t> HeadKey(const KeyReader& reader) {
  const auto keys = reader.Uint("attention.key_length");
  const auto values = reader.Uint("attention.value_length");
  if (keys != values) {
    reader.Fail("attention.value_length", "differs from attention.key_length");
  }
  return keys;
}

void ReadHeadDim(KeyReader& reader) {
  if (const auto size = HeadKey(reader)) {
    reader.Set(kHeadDim, *size);
  }
}

void ReadHeadDimAlways(KeyReader& reader) {
  const auto size = HeadKey(reader);
  reader.Set(kHeadDim, size ? *size : EqualPart(reader.config()));
}

void ReadHeadDimUnusual(KeyReader& reader) {
  const auto size = HeadKey(reader);
  if (size && *size != EqualPart(reader.config())) {
    reader.Set(kHeadDim, *size);
  }
}

// A factor whose product with `head` is `dimensions` when it is cut to an integer.
double PartOf(uint64_t dimensions, uint64_t head) {
  double part = static_cast<double>(dimensions) / static_cast<double>(head);
  while (static_cast<uint64_t>(part * static_cast<double>(head)) < dimensions) {
    part = std::nextafter(part, 2.0);
  }
  return part;
}

void ReadRotary(KeyReader& reader) {
  const uint64_t head = HeadSize(reader.config());
  const uint64_t dimensions = reader.Uint("rope.dimension_count").value_or(head);
  if (dimensions == 0 || dimensions > head || (dimensions < head && !reader.family().rotary_part)) {
    reader.Fail("rope.dimension_count", "does not fit the heads", Format("{}", head),
                Format("{}", dimensions));
  }
  if (reader.family().rotary_part) {
    SetRope(reader.config(), "partial_rotary_factor", PartOf(dimensions, head));
  }
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

void ReadLatent(KeyReader& reader) {
  reader.Find("attention.head_count_kv");
  reader.SetSize(&ConfigKeys::key_value_heads, reader.Size(&ConfigKeys::heads));
}

// Old files have the heads as computed under the usual keys.
void ReadLatentHeads(KeyReader& reader) {
  const uint64_t rope = reader.config().Find(kRopeHead)->AsUint64();
  const uint64_t stored_key = reader.NeedUint("attention.key_length");
  const uint64_t stored_value = reader.NeedUint("attention.value_length");
  const uint64_t key = reader.Uint("attention.key_length_mla").value_or(stored_key);
  const uint64_t value = reader.Uint("attention.value_length_mla").value_or(stored_value);
  if (key <= rope) {
    reader.Fail("attention.key_length_mla", "leaves nothing beside rope.dimension_count",
                Format("more than {}", rope), Format("{}", key));
  }
  reader.Set(kPlainHead, key - rope);
  reader.Set(kValueHead, value);
  reader.Set("qk_head_dim", key);
  reader.Set(kHeadDim, rope);
}

void ReadQueryScale(KeyReader& reader) {
  constexpr uint64_t kUsual = 256;
  constexpr uint64_t kNarrow = 128;
  const bool narrow = HeadSize(reader.config()) == kNarrow;
  reader.Assume("query_pre_attn_scalar", narrow ? EqualPart(reader.config()) : kUsual);
}

}  // namespace

uint64_t HeadSize(const Json& config) {
  constexpr uint64_t kMost = 65536;
  const auto given = ConfigUint(config, kHeadDim);
  const uint64_t size = given ? *given : EqualPart(config);
  if (size == 0 || size > kMost) {
    FailMember(kHeadDim, "is out of range", Format("1 to {}", kMost), Format("{}", size));
  }
  return size;
}

const KeyRule kHeadDimRule = {WriteHeadDim, ReadHeadDim};
const KeyRule kHeadDimAlwaysRule = {WriteHeadDimAlways, ReadHeadDimAlways};
const KeyRule kHeadDimUnusualRule = {WriteHeadDimUnusual, ReadHeadDimUnusual};
const KeyRule kRotaryRule = {WriteRotary, ReadRotary};
const KeyRule kLatentRule = {WriteLatent, ReadLatent};
const KeyRule kLatentWidthRule = {WriteLatentWidth, nullptr};
const KeyRule kLatentHeadsRule = {WriteLatentHeads, ReadLatentHeads};
const KeyRule kQueryScaleRule = {WriteQueryScale, ReadQueryScale};

}  // namespace lbrx
