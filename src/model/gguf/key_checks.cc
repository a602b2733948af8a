// Sizes of a GGUF file before they are believed.
#include "core/base/format.h"
#include "model/gguf/family.h"

namespace lbrx {
namespace {

struct Range {
  std::string_view key;
  uint64_t least;
  uint64_t most;
};

// Far beyond any model, but small enough that products of two do not overflow.
constexpr uint64_t kWide = uint64_t{1} << 24;
constexpr Range kRanges[] = {
    {"block_count", 1, 4096},
    {"context_length", 1, uint64_t{1} << 31},
    {"embedding_length", 1, kWide},
    {"feed_forward_length", 1, kWide},
    {"attention.head_count", 1, 65536},
    {"attention.head_count_kv", 1, 65536},
    {"attention.key_length", 1, 65536},
    {"attention.value_length", 1, 65536},
    {"attention.key_length_mla", 1, 65536},
    {"attention.value_length_mla", 1, 65536},
    {"attention.q_lora_rank", 1, kWide},
    {"attention.kv_lora_rank", 1, kWide},
    {"attention.sliding_window", 0, uint64_t{1} << 31},
    {"rope.dimension_count", 1, 65536},
    {"rope.scaling.original_context_length", 1, uint64_t{1} << 31},
    {"expert_count", 1, 65536},
    {"expert_used_count", 1, 65536},
    {"expert_group_count", 1, 65536},
    {"expert_group_used_count", 1, 65536},
    {"expert_shared_count", 0, 65536},
    {"expert_feed_forward_length", 1, kWide},
    {"expert_shared_feed_forward_length", 1, kWide},
};

// Must be positive where they are there.
constexpr std::string_view kPositive[] = {"attention.layer_norm_rms_epsilon",
                                          "attention.layer_norm_epsilon", "rope.freq_base",
                                          "rope.freq_base_swa"};

// `part` must divide `whole`.
struct Division {
  std::string_view whole;
  std::string_view part;
};

constexpr Division kDivisions[] = {
    {"attention.head_count", "attention.head_count_kv"},
    {"expert_count", "expert_group_count"},
};

constexpr Division kNotMore[] = {
    {"expert_count", "expert_used_count"},
    {"expert_group_count", "expert_group_used_count"},
    {"block_count", "leading_dense_block_count"},
};

// Keys that only a relative of the architecture has, whose config.json is another.
struct Foreign {
  std::string_view family;
  std::string_view key;
  std::string_view relative;
};

constexpr Foreign kForeign[] = {
    {"olmo2", "attention.sliding_window", "OLMo 3"},
    {"glm4", "rope.dimension_sections", "a GLM-4 with pictures"},
    {"glm4", "nextn_predict_layers", "GLM-OCR"},
    {"granite", "deepstack_mapping", "a Granite with pictures"},
};

void CheckRelatives(const KeyReader& reader) {
  for (const Foreign& row : kForeign) {
    if (row.family == reader.family().name && reader.Has(row.key)) {
      reader.Fail(row.key, Format("is of {}, whose config.json is not known", row.relative));
    }
  }
}

void CheckRanges(const KeyReader& reader) {
  for (const Range& range : kRanges) {
    const bool there = reader.Has(range.key);
    const uint64_t value = there ? reader.NeedUint(range.key) : range.least;
    if (value < range.least || value > range.most) {
      reader.Fail(range.key, "is out of range", Format("{} to {}", range.least, range.most),
                  Format("{}", value));
    }
  }
  for (const std::string_view key : kPositive) {
    if (reader.Has(key) && reader.NeedFloat(key) <= 0) {
      reader.Fail(key, "is not positive", "", Format("{}", reader.NeedFloat(key)));
    }
  }
}

void CheckPairs(const KeyReader& reader) {
  for (const Division& row : kDivisions) {
    if (reader.Has(row.whole) && reader.Has(row.part) &&
        reader.NeedUint(row.whole) % reader.NeedUint(row.part) != 0) {
      reader.Fail(row.part, Format("does not divide {}", row.whole),
                  Format("a divisor of {}", reader.NeedUint(row.whole)),
                  Format("{}", reader.NeedUint(row.part)));
    }
  }
  for (const Division& row : kNotMore) {
    if (reader.Has(row.whole) && reader.Has(row.part) &&
        reader.NeedUint(row.part) > reader.NeedUint(row.whole)) {
      reader.Fail(row.part, Format("is more than {}", row.whole),
                  Format("at most {}", reader.NeedUint(row.whole)),
                  Format("{}", reader.NeedUint(row.part)));
    }
  }
}

}  // namespace

void CheckSizes(const KeyReader& reader) {
  CheckRelatives(reader);
  CheckRanges(reader);
  CheckPairs(reader);
  const uint64_t hidden = reader.NeedUint("embedding_length");
  const uint64_t heads = reader.NeedUint("attention.head_count");
  if (!reader.Has("attention.key_length") && hidden % heads != 0) {
    reader.Fail("attention.head_count", "does not divide embedding_length",
                Format("a divisor of {}", hidden), Format("{}", heads));
  }
}

}  // namespace lbrx
