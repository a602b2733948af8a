#include "quant/gguf/mix_rules.h"

#include <algorithm>
#include <initializer_list>

namespace lbrx {
namespace {

using Id = FileTypeId;
using Kind = TensorKind;

struct Rule {
  uint32_t kinds;       // bits
  uint64_t file_types;  // bits
  uint32_t when;        // all must hold
  Scheme type;
};

constexpr uint32_t Kinds(std::initializer_list<Kind> kinds) {
  uint32_t set = 0;
  for (const Kind kind : kinds) {
    set |= 1U << static_cast<uint32_t>(kind);
  }
  return set;
}

constexpr uint32_t kEmbedding = Kinds({Kind::kEmbedding});
constexpr uint32_t kOutput = Kinds({Kind::kOutput});
constexpr uint32_t kKey = Kinds({Kind::kKey});
constexpr uint32_t kQueryOrKey = Kinds({Kind::kQuery, Kind::kKey});
constexpr uint32_t kValue = Kinds({Kind::kValue});
constexpr uint32_t kAttentionOutput = Kinds({Kind::kAttentionOutput});
constexpr uint32_t kDown = Kinds({Kind::kDown});
constexpr uint32_t kUpOrGate = Kinds({Kind::kUp, Kind::kGate});
constexpr uint32_t kFeedForward = kDown | kUpOrGate;
constexpr uint32_t kAnyKind = ~0U;
constexpr uint64_t kAny = ~uint64_t{0};
constexpr uint64_t kIq1 = FileTypeSet({Id::kIq1S, Id::kIq1M});
constexpr uint64_t kIq2Large = FileTypeSet({Id::kIq2S, Id::kIq2M});
constexpr uint64_t kIq4 = FileTypeSet({Id::kIq4Nl, Id::kIq4Xs});

constexpr uint64_t Only(Id id) {
  return FileTypeSet({id});
}

// The first that fits decides.
constexpr Rule kRules[] = {
    {kAnyKind, kAny, kGlm5Next, Scheme::kQ80},
    // The output matrix, and the embedding where it is both.
    {kOutput, Only(Id::kMxfp4Moe), 0, Scheme::kQ80},
    {kOutput, kAny, kFalcon, Scheme::kQ80},
    {kOutput, kAny, kUneven, Scheme::kQ80},
    {kOutput, kTinyFileTypes | Only(Id::kIq3Xxs), 0, Scheme::kQ5K},
    {kOutput, ~Only(Id::kQ80), 0, Scheme::kQ6K},
    // Experts in 4 bits.
    {kAnyKind & ~kFeedForward, Only(Id::kMxfp4Moe), kBailingMoe3, Scheme::kQ80},
    {kAnyKind, Only(Id::kMxfp4Moe), kStacked, Scheme::kBlockMxfp4},
    {kAnyKind, Only(Id::kMxfp4Moe), 0, Scheme::kQ80},
    // The embedding.
    {kEmbedding, kIq1 | FileTypeSet({Id::kIq2Xxs, Id::kIq2Xs}), 0, Scheme::kQ2K},
    {kEmbedding, kIq2Large | Only(Id::kIq3Xxs), 0, Scheme::kIq3S},
    {kEmbedding, FileTypeSet({Id::kTq10, Id::kTq20, Id::kQ20}), 0, Scheme::kQ4K},
    // Below 3 bits.
    {kValue, kTinyFileTypes, kSharedHeads, Scheme::kQ4K},
    {kValue, kTinyFileTypes, kManyExperts, Scheme::kQ4K},
    {kValue, kIq2Large, 0, Scheme::kIq3S},
    {kValue, kTinyFileTypes, 0, Scheme::kQ2K},
    {kKey, kTinyFileTypes, kEightExperts, Scheme::kQ4K},
    {kDown, kIq2Large, kFirstEighth, Scheme::kIq3S},
    {kDown, kTinyFileTypes, kFirstEighth, Scheme::kQ2K},
    {kAttentionOutput, kTinyFileTypes, kEightExperts, Scheme::kQ5K},
    {kAttentionOutput, kIq1, 0, Scheme::kIq2Xxs},
    {kAttentionOutput, kIq2Large, 0, Scheme::kIq3S},
    // Values.
    {kValue, kAny, kEightExperts, Scheme::kQ80},
    {kValue, Only(Id::kQ2K), kSharedHeads, Scheme::kQ4K},
    {kValue, Only(Id::kQ2K), 0, Scheme::kQ3K},
    {kValue, FileTypeSet({Id::kQ2KS, Id::kIq3Xxs, Id::kIq3Xs, Id::kIq3S}), kSharedHeads,
     Scheme::kQ4K},
    {kValue, Only(Id::kIq3Xxs), kNoImportance, Scheme::kIq3S},
    {kValue, Only(Id::kIq3M), 0, Scheme::kQ4K},
    {kValue, Only(Id::kQ3KM), kFirstTwo, Scheme::kQ5K},
    {kValue, Only(Id::kQ3KM), 0, Scheme::kQ4K},
    {kValue, Only(Id::kQ3KL), 0, Scheme::kQ5K},
    {kValue, kIq4, kSharedHeads, Scheme::kQ5K},
    {kValue, FileTypeSet({Id::kQ4KM, Id::kQ5KM}), kMoreBits, Scheme::kQ6K},
    {kValue, Only(Id::kQ4KS), kFirstFour, Scheme::kQ5K},
    // Keys and queries.
    {kKey, kAny, kEightExperts, Scheme::kQ80},
    {kQueryOrKey, Only(Id::kIq3Xs), 0, Scheme::kIq3Xxs},
    {kQueryOrKey, Only(Id::kIq3Xxs), 0, Scheme::kIq2S},
    // Down projections.
    {kDown, Only(Id::kQ2K), 0, Scheme::kQ3K},
    {kDown, Only(Id::kQ2KS), kFirstEighth, Scheme::kQ4K},
    {kDown, Only(Id::kIq3Xxs), kNoImportance | kFirstEighth, Scheme::kQ4K},
    {kDown, Only(Id::kIq3Xxs), kNoImportance, Scheme::kQ3K},
    {kDown, Only(Id::kQ3KM), kFirstSixteenth, Scheme::kQ5K},
    {kDown, Only(Id::kQ3KM), kNotFalcon, Scheme::kQ4K},
    {kDown, Only(Id::kQ3KM), kMoreBits, Scheme::kQ4K},
    {kDown, Only(Id::kIq3M), kFirstEighth, Scheme::kQ4K},
    {kDown, Only(Id::kIq3M), kEightExperts | kMoreBits, Scheme::kQ4K},
    {kDown, Only(Id::kQ3KL), kFalcon, Scheme::kQ4K},
    {kDown, Only(Id::kQ3KL), 0, Scheme::kQ5K},
    {kDown, Only(Id::kQ4KM), kFalcon | kFirstSixteenth, Scheme::kQ6K},
    {kDown, Only(Id::kQ4KM), kFalcon | kMoreBits, Scheme::kQ5K},
    {kDown, Only(Id::kQ4KM), kNotFalcon | kMoreBits, Scheme::kQ6K},
    {kDown, kIq4, kNoImportance | kFirstEighth, Scheme::kQ5K},
    {kDown, Only(Id::kQ5KM), kMoreBits, Scheme::kQ6K},
    {kDown, Only(Id::kQ4KS), kNotFalcon | kFirstEighth, Scheme::kQ5K},
    {kDown, Only(Id::kQ40), kImportance | kFirstEighth, Scheme::kQ41},
    {kDown, Only(Id::kQ50), kImportance | kFirstEighth, Scheme::kQ51},
    // Outputs of attention.
    {kAttentionOutput,
     kIq4 | FileTypeSet({Id::kQ2K, Id::kQ3KS, Id::kQ3KM, Id::kQ4KS, Id::kQ4KM, Id::kIq3Xxs,
                         Id::kIq3Xs, Id::kIq3S, Id::kIq3M}),
     kNotFalcon | kEightExperts, Scheme::kQ5K},
    {kAttentionOutput, Only(Id::kQ2K), kNotFalcon, Scheme::kQ3K},
    {kAttentionOutput, Only(Id::kIq3Xxs), kNotFalcon, Scheme::kIq3S},
    {kAttentionOutput, FileTypeSet({Id::kQ3KM, Id::kIq3M}), kNotFalcon, Scheme::kQ4K},
    {kAttentionOutput, Only(Id::kQ3KL), kFalcon, Scheme::kQ4K},
    {kAttentionOutput, Only(Id::kQ3KL), kNotEightExperts, Scheme::kQ5K},
    // Up and gate projections.
    {kUpOrGate, Only(Id::kIq3Xs), kMiddle, Scheme::kIq3Xxs},
};

}  // namespace

std::optional<Scheme> RuledScheme(TensorKind kind, FileTypeId file_type, uint32_t conditions) {
  for (const Rule& rule : kRules) {
    if ((rule.kinds & Kinds({kind})) != 0 && (rule.file_types & Only(file_type)) != 0 &&
        (rule.when & ~conditions) == 0) {
      return rule.type;
    }
  }
  return std::nullopt;
}

}  // namespace lbrx
