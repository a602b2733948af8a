#include "merge/rank_select.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "merge/rank_select_ops.h"

namespace lbrx {
namespace {

enum Pass : int { kUpper, kLower, kTies, kIndex };

constexpr size_t kUpperValues = size_t{1} << 15;  // of the bits above 16, without the sign
constexpr size_t kLowerValues = size_t{1} << 16;
// Counters for each upper half: equal neighbours count side by side instead of waiting for each
// other.
constexpr size_t kWays = 2;
constexpr size_t kRun = 1024;            // elements that are collected at once
constexpr uint64_t kFound = UINT64_MAX;  // one less than no ties before the element

uint32_t Magnitude(float value) {
  return std::bit_cast<uint32_t>(value) & 0x7FFFFFFF;
}

// Where in `counts` the element at `position` is; `position` becomes the one among those there.
size_t Locate(const uint64_t* counts, uint64_t& position) {
  size_t i = 0;
  while (position >= counts[i]) {
    position -= counts[i];
    ++i;
  }
  return i;
}

}  // namespace

size_t CollectLowerReference(const float* values, size_t count, uint32_t upper, uint32_t* out) {
  size_t found = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t bits = Magnitude(values[i]);
    out[found] = bits & 0xFFFF;
    found += bits >> 16 == upper ? 1 : 0;
  }
  return found;
}

uint64_t CountMagnitudeReference(const float* values, size_t count, uint32_t bits) {
  uint64_t found = 0;
  for (size_t i = 0; i < count; ++i) {
    found += Magnitude(values[i]) == bits ? 1 : 0;
  }
  return found;
}

void RankSelect::Ask(const std::vector<RankQuery>& queries) {
  queries_.clear();
  for (const RankQuery& asked : queries) {
    Query query;
    query.asked = asked;
    query.ascending =
        asked.order == TieOrder::kAscending ? asked.position : elements_ - 1 - asked.position;
    queries_.push_back(std::move(query));
  }
}

bool RankSelect::Needs(int pass, size_t piece) const {
  return pass < kTies || std::any_of(queries_.begin(), queries_.end(), [&](const Query& query) {
           return query.ties > 0 && (pass == kTies || query.piece == piece);
         });
}

void RankSelect::FinishPass(int pass) {
  switch (pass) {
    case kUpper:
      return FinishUpper();
    case kLower:
      return FinishLower();
    case kTies:
      return FinishTies();
    default:
      return;
  }
}

void RankSelect::FinishUpper() {
  const std::vector<uint64_t> sums = TakeSums(kUpper);
  std::vector<uint64_t> counts(kUpperValues);
  for (size_t i = 0; i < sums.size(); ++i) {
    counts[i / kWays] += sums[i];
  }
  for (Query& query : queries_) {
    uint64_t position = query.ascending;
    query.found.bits = static_cast<uint32_t>(Locate(counts.data(), position)) << 16;
    query.smaller = query.ascending - position;
  }
}

void RankSelect::FinishLower() {
  const std::vector<uint64_t> sums = TakeSums(kLower);
  bool split = false;
  for (size_t i = 0; i < queries_.size(); ++i) {
    Query& query = queries_[i];
    const uint64_t* counts = sums.data() + i * kLowerValues;
    uint64_t position = query.ascending - query.smaller;
    const size_t lower = Locate(counts, position);
    query.found.bits |= static_cast<uint32_t>(lower);
    query.smaller = query.ascending - position;
    query.ties =
        query.asked.order == TieOrder::kAscending ? position : counts[lower] - 1 - position;
    query.ties_of_pieces.resize(query.ties > 0 ? pieces_ : 0);
    split = split || query.ties > 0;
  }
  passes_ = split ? 4 : 2;
}

void RankSelect::FinishTies() {
  for (Query& query : queries_) {
    if (query.ties > 0) {
      query.ties_in_piece = query.ties;
      query.piece = Locate(query.ties_of_pieces.data(), query.ties_in_piece);
      query.ties_of_pieces = {};
    }
  }
}

size_t RankSelect::TableSize(int pass) const {
  return pass == kUpper   ? kWays * kUpperValues
         : pass == kLower ? queries_.size() * kLowerValues
                          : 0;
}

RankSelect::Counts RankSelect::TakeCounts(int pass) {
  const std::lock_guard lock(mutex_);
  if (counts_.empty()) {
    Counts counts{.table = std::vector<uint32_t>(TableSize(pass)), .elements = 0};
    counts_.reserve(taken_ + 1);
    ++taken_;
    return counts;
  }
  Counts& last = counts_.back();
  if (last.elements >= uint64_t{1} << 31) {
    sums_.resize(last.table.size());
    for (size_t i = 0; i < sums_.size(); ++i) {
      sums_[i] += std::exchange(last.table[i], 0);
    }
    last.elements = 0;
  }
  Counts counts = std::move(last);
  counts_.pop_back();
  ++taken_;
  return counts;
}

// Allocates nothing: destructors call it.
void RankSelect::GiveBack(Counts counts) noexcept {
  const std::lock_guard lock(mutex_);
  --taken_;
  counts_.push_back(std::move(counts));
}

std::vector<uint64_t> RankSelect::TakeSums(int pass) {
  std::vector<uint64_t> sums = std::exchange(sums_, {});
  sums.resize(TableSize(pass));
  for (const Counts& counts : counts_) {
    for (size_t i = 0; i < sums.size(); ++i) {
      sums[i] += counts.table[i];
    }
  }
  counts_.clear();
  return sums;
}

RankSelect::Watch::Watch(RankSelect& select, int pass, size_t piece)
    : select_(select), pass_(pass), piece_(piece) {
  if (pass < kTies) {
    counts_ = select.TakeCounts(pass);
  }
}

RankSelect::Watch::~Watch() {
  if (pass_ < kTies) {
    select_.GiveBack(std::move(counts_));
  }
}

void RankSelect::Watch::See(uint64_t first, const float* values, size_t count) {
  switch (pass_) {
    case kUpper:
      return CountUpper(values, count);
    case kLower:
      return CountLower(values, count);
    case kTies:
      for (Query& query : select_.queries_) {
        if (query.ties > 0) {
          query.ties_of_pieces[piece_] += CountMagnitude(values, count, query.found.bits);
        }
      }
      return;
    default:
      return FindIndices(first, values, count);
  }
}

void RankSelect::Watch::CountUpper(const float* values, size_t count) {
  uint32_t* table = counts_.table.data();
  size_t i = 0;
  for (; i + kWays <= count; i += kWays) {
    for (size_t way = 0; way < kWays; ++way) {
      ++table[(Magnitude(values[i + way]) >> 16) * kWays + way];
    }
  }
  for (; i < count; ++i) {
    ++table[(Magnitude(values[i]) >> 16) * kWays];
  }
  counts_.elements += count;
}

void RankSelect::Watch::CountLower(const float* values, size_t count) {
  std::array<uint32_t, kRun + 16> lower;
  for (size_t q = 0; q < select_.queries_.size(); ++q) {
    uint32_t* table = counts_.table.data() + q * kLowerValues;
    const uint32_t upper = select_.queries_[q].found.bits >> 16;
    for (size_t begin = 0; begin < count; begin += kRun) {
      const size_t found =
          CollectLower(values + begin, std::min(kRun, count - begin), upper, lower.data());
      for (size_t i = 0; i < found; ++i) {
        ++table[lower[i]];
      }
    }
  }
  counts_.elements += count;
}

void RankSelect::Watch::FindIndices(uint64_t first, const float* values, size_t count) {
  for (Query& query : select_.queries_) {
    if (query.ties == 0 || query.piece != piece_) {
      continue;
    }
    uint64_t& ties = query.ties_in_piece;
    for (size_t i = 0; i < count && ties != kFound; ++i) {
      if (Magnitude(values[i]) == query.found.bits && ties-- == 0) {
        query.found.index = first + i;  // and `ties` is kFound
      }
    }
  }
}

uint64_t RankSelect::StateBytes(unsigned threads) const {
  const uint64_t table = std::max(TableSize(kUpper), TableSize(kLower)) * sizeof(uint32_t);
  // The tables, their sums, and the numbers of ties.
  return (threads + 2) * table + queries_.size() * pieces_ * sizeof(uint64_t);
}

}  // namespace lbrx
