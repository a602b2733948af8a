#include "check/repair/place_entries.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/base/checked.h"
#include "core/base/error.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

// A run of the data part; `end` is open where the file was cut behind its last sound array.
struct Gap {
  uint64_t begin = 0;
  std::optional<uint64_t> end;

  std::optional<uint64_t> Size() const {
    return end && *end >= begin ? std::optional(*end - begin) : std::nullopt;
  }
};

class Placer {
 public:
  Placer(std::vector<LooseEntry>& entries, uint64_t data_bytes, const Lore& lore,
         std::vector<EntryNote>& notes)
      : entries_(entries), data_bytes_(data_bytes), lore_(lore), notes_(notes) {}

  void Run() {
    for (const LooseEntry& entry : entries_) {
      sound_.push_back(entry.Sound());
    }
    DropOverlaps();
    if (!InOrder()) {
      PlaceInGaps();
      return;
    }
    for (size_t i = 0; i < entries_.size();) {
      size_t end = i;
      while (end < entries_.size() && !sound_[end]) {
        ++end;
      }
      if (end > i) {
        PlaceRun(i, end);
      }
      i = std::max(end, i + 1);
    }
  }

 private:
  // Of two arrays that share bytes (other than all of them) the one that joins its neighbours less
  // well is not trusted.
  void DropOverlaps() {
    std::vector<size_t> order;
    for (size_t i = 0; i < entries_.size(); ++i) {
      if (sound_[i]) {
        order.push_back(i);
      }
    }
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return SpanOf(a) < SpanOf(b); });
    CollectEdges(order);
    size_t last = order.size();  // index into `order` of the one that reaches furthest
    for (size_t i = 0; i < order.size(); ++i) {
      if (last != order.size() && Overlap(entries_[order[last]], entries_[order[i]])) {
        const int before = Joints(order[last]);
        const int here = Joints(order[i]);
        if (here <= before) {
          Distrust(order[i], entries_[order[last]].name);
        }
        if (before <= here) {
          DistrustAlike(order, last, entries_[order[i]].name);
        }
        if (!sound_[order[i]]) {
          continue;
        }
      }
      last = i;
    }
  }

  static bool Overlap(const LooseEntry& a, const LooseEntry& b) {
    const bool same = a.begin == b.begin && a.end == b.end;
    return !same && *b.begin < *a.end && *a.begin < *b.end;
  }

  void CollectEdges(const std::vector<size_t>& order) {
    for (const size_t i : order) {
      begins_.push_back(*entries_[i].begin);
      ends_.push_back(*entries_[i].end);
    }
    begins_.push_back(data_bytes_);
    ends_.push_back(0);
    std::sort(begins_.begin(), begins_.end());
    std::sort(ends_.begin(), ends_.end());
  }

  // How many ends of the array meet another array's, or those of the data.
  int Joints(size_t index) const {
    const bool left = std::binary_search(ends_.begin(), ends_.end(), *entries_[index].begin);
    const bool right = std::binary_search(begins_.begin(), begins_.end(), *entries_[index].end);
    return (left ? 1 : 0) + (right ? 1 : 0);
  }

  std::pair<uint64_t, uint64_t> SpanOf(size_t index) const {
    return {*entries_[index].begin, *entries_[index].end};
  }

  // The entry at `last` of `order` and those before it that name the same bytes.
  void DistrustAlike(const std::vector<size_t>& order, size_t last, const std::string& other) {
    const auto span = SpanOf(order[last]);
    for (size_t k = last + 1; k-- > 0 && sound_[order[k]] && SpanOf(order[k]) == span;) {
      Distrust(order[k], other);
    }
  }

  void Distrust(size_t index, const std::string& other) {
    sound_[index] = false;
    notes_[index].lost = Format("its bytes overlap those of {}", Printable(other, 100));
  }

  bool InOrder() const {
    uint64_t end = 0;
    for (size_t i = 0; i < entries_.size(); ++i) {
      if (sound_[i]) {
        if (*entries_[i].begin < end) {
          return false;
        }
        end = *entries_[i].end;
      }
    }
    return true;
  }

  // Where the header is in another order than the data, its neighbours say nothing: what is left
  // are gaps of the data that just one damaged entry meets.
  void PlaceInGaps() {
    std::vector<Gap> gaps;
    uint64_t end = 0;
    std::vector<size_t> order;
    for (size_t i = 0; i < entries_.size(); ++i) {
      if (sound_[i]) {
        order.push_back(i);
      }
    }
    std::sort(order.begin(), order.end(),
              [&](size_t a, size_t b) { return *entries_[a].begin < *entries_[b].begin; });
    for (const size_t i : order) {
      if (*entries_[i].begin > end) {
        gaps.push_back({end, *entries_[i].begin});
      }
      end = std::max(end, *entries_[i].end);
    }
    if (end < data_bytes_) {
      gaps.push_back({end, data_bytes_});
    }
    std::map<uint64_t, const Gap*> edges;
    for (const Gap& gap : gaps) {
      edges[gap.begin] = edges[*gap.end] = &gap;
    }
    std::map<const Gap*, std::vector<size_t>> meeting;
    for (size_t i = 0; i < entries_.size(); ++i) {
      for (const auto& offset : {entries_[i].begin, entries_[i].end}) {
        const auto found = offset && !sound_[i] ? edges.find(*offset) : edges.end();
        if (found != edges.end() &&
            (meeting[found->second].empty() || meeting[found->second].back() != i)) {
          meeting[found->second].push_back(i);
        }
      }
    }
    for (const auto& [gap, entries] : meeting) {
      if (entries.size() == 1) {
        PlaceOne(entries.front(), *gap, /*alone=*/true);
      }
    }
  }

  Gap GapOf(size_t first, size_t last) const {
    Gap gap;
    gap.begin = first == 0 ? 0 : *entries_[first - 1].end;
    if (last < entries_.size()) {
      gap.end = *entries_[last].begin;
    } else if (gap.begin <= data_bytes_) {
      gap.end = data_bytes_;
    }
    return gap;
  }

  void PlaceRun(size_t first, size_t last) {
    const Gap gap = GapOf(first, last);
    if (last - first == 1) {
      PlaceOne(first, gap, /*alone=*/true);
      return;
    }
    if (PlaceInOrder(first, last, gap)) {
      return;
    }
    Gap rest = gap;
    for (size_t i = first; i < last; ++i) {
      if (PlaceOne(i, rest, /*alone=*/false)) {
        rest.begin = *entries_[i].end;
      }
    }
  }

  // Entries of known sizes that fill the gap exactly.
  bool PlaceInOrder(size_t first, size_t last, const Gap& gap) {
    uint64_t sum = 0;
    for (size_t i = first; i < last; ++i) {
      const std::optional<uint64_t> bytes = entries_[i].Bytes();
      if (!bytes || AddOverflows(sum, *bytes, &sum)) {
        return false;
      }
    }
    if (gap.Size() != sum) {
      return false;
    }
    uint64_t at = gap.begin;
    for (size_t i = first; i < last; ++i) {
      at += *entries_[i].Bytes();
      SetSpan(i, at - *entries_[i].Bytes(), at);
    }
    return true;
  }

  // `alone`: nothing else is missing in the gap, as far as is known.
  bool PlaceOne(size_t index, const Gap& gap, bool alone) {
    LooseEntry& entry = entries_[index];
    const std::optional<uint64_t> bytes = entry.Bytes();
    const std::optional<uint64_t> size = gap.Size();
    const bool at_begin = entry.begin == gap.begin;
    const bool at_end = gap.end && entry.end == gap.end;
    if (alone && bytes && size == bytes) {
      SetSpan(index, gap.begin, *gap.end);
      return true;
    }
    if (size && ((at_begin && at_end) || (alone && (at_begin || at_end || !bytes)))) {
      if (SetKind(index, gap.begin, *gap.end)) {
        return true;
      }
    }
    if (!gap.end && at_begin && entry.end && *entry.end > gap.begin &&
        SetKind(index, gap.begin, *entry.end)) {
      return true;
    }
    return bytes && PlaceByEdge(index, gap, *bytes);
  }

  // An entry of known size one of whose offsets still meets an edge of the gap.
  bool PlaceByEdge(size_t index, const Gap& gap, uint64_t bytes) {
    const LooseEntry& entry = entries_[index];
    const std::optional<uint64_t> end = CheckedAdd(gap.begin, bytes);
    if (end && (entry.begin == gap.begin || entry.end == end) && (!gap.end || *end <= *gap.end)) {
      SetSpan(index, gap.begin, *end);
      return true;
    }
    if (gap.Size() && bytes <= *gap.Size() && entry.end == gap.end) {
      SetSpan(index, *gap.end - bytes, *gap.end);
      return true;
    }
    return false;
  }

  void SetSpan(size_t index, uint64_t begin, uint64_t end) {
    LooseEntry& entry = entries_[index];
    if (entry.begin != begin || entry.end != end) {
      notes_[index].mended = Format(
          "its place in the file, by its neighbours: bytes {} to {} of the data", begin, end);
    } else {
      notes_[index].mended = "its entry";
    }
    entry.begin = begin;
    entry.end = end;
    notes_[index].lost.clear();
  }

  bool SetKind(size_t index, uint64_t begin, uint64_t end) {
    LooseEntry& entry = entries_[index];
    const std::optional<ArrayKind> kind = DeriveKind(entry, end - begin, lore_);
    if (!kind) {
      return false;
    }
    SetSpan(index, begin, end);
    if (entry.dtype != kind->dtype || !entry.shape || !(*entry.shape == kind->shape)) {
      notes_[index].mended = Format("its type and shape, by its size: {} {}", Name(kind->dtype),
                                    kind->shape.ToString());
    }
    entry.dtype = kind->dtype;
    entry.shape = kind->shape;
    return true;
  }

  std::vector<LooseEntry>& entries_;
  uint64_t data_bytes_;
  const Lore& lore_;
  std::vector<EntryNote>& notes_;
  std::vector<bool> sound_;
  std::vector<uint64_t> begins_;  // of what seems sound, sorted, with both ends of the data
  std::vector<uint64_t> ends_;
};

}  // namespace

void PlaceEntries(std::vector<LooseEntry>& entries, uint64_t data_bytes, const Lore& lore,
                  std::vector<EntryNote>& notes) {
  Placer(entries, data_bytes, lore, notes).Run();
}

}  // namespace lbrx
