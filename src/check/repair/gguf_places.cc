#include "check/repair/gguf_places.h"

#include <algorithm>
#include <numeric>

#include "core/base/format.h"
#include "formats/gguf/gguf.h"
#include "formats/gguf/read_keys.h"
#include "formats/names.h"

namespace lbrx {
namespace {

constexpr uint64_t kSmallestAlignment = 8;
constexpr uint64_t kLargestAlignment = uint64_t{1} << 20;

// Places that follow from the sizes of the tensors.
struct Layout {
  uint64_t data_start = 0;
  uint64_t alignment = 0;
  std::vector<uint64_t> offsets;  // relative to the data
  uint64_t end = 0;               // of the last tensor, relative to the data
};

class Placer {
 public:
  Placer(const DataFile& file, const GgufDirectory& directory, uint32_t file_index)
      : file_(file), directory_(directory), key_(GgufAlignment(directory.keys)) {
    for (const GgufEntry& entry : directory.entries) {
      try {
        arrays_.push_back(MakeGgufArray(entry, file_index));
      } catch (const Error& error) {
        out_.lost.push_back({entry.name, {}, "its entry is damaged: " + error.detail().what});
      }
    }
  }

  GgufPlaces Run() {
    LoseDuplicates();
    const bool complete = out_.lost.empty();
    Layout layout = AsStored();
    if (complete && !arrays_.empty()) {
      layout = (Agrees(layout) ? PaddedByDefault(layout) : Better()).value_or(std::move(layout));
    }
    TellMoved(layout);
    LoseOverlaps(layout);
    for (size_t i = 0; i < arrays_.size(); ++i) {
      Take(i, layout);
    }
    return std::move(out_);
  }

 private:
  void Mend(std::string object, std::string what) {
    out_.mended.push_back({file_.path, std::move(object), std::move(what)});
  }

  void LoseDuplicates() {
    std::vector<StoredArray> names;
    for (const GgufArray& made : arrays_) {
      names.push_back(made.array);
    }
    std::vector<bool> twice(arrays_.size(), false);
    for (const auto& [first, second] : NameTable(names).Duplicates()) {
      twice[first] = twice[second] = true;
    }
    std::vector<GgufArray> kept;
    for (size_t i = 0; i < arrays_.size(); ++i) {
      if (twice[i]) {
        out_.lost.push_back(
            {arrays_[i].array.name, arrays_[i].array.bytes, "two entries have this name"});
      } else {
        kept.push_back(std::move(arrays_[i]));
      }
    }
    arrays_ = std::move(kept);
  }

  Layout AsStored() const {
    Layout layout{RoundUp(directory_.end, key_), key_, {}, 0};
    for (const GgufArray& made : arrays_) {
      layout.offsets.push_back(made.array.offset);
    }
    return layout;
  }

  // nullopt: they would not lie in any file.
  std::optional<Layout> BySizes(uint64_t start_alignment, uint64_t alignment) const {
    Layout layout{RoundUp(directory_.end, start_alignment), alignment, {}, 0};
    uint64_t next = 0;
    for (const GgufArray& made : arrays_) {
      layout.offsets.push_back(next);
      if (AddOverflows(next, made.array.bytes, &layout.end) ||
          AddOverflows(layout.end, alignment - 1, &next)) {
        return std::nullopt;
      }
      next = next / alignment * alignment;
    }
    return layout;
  }

  bool Agrees(const Layout& layout) const {
    const std::optional<Layout> by_sizes = BySizes(layout.alignment, layout.alignment);
    return by_sizes && by_sizes->offsets == layout.offsets;
  }

  size_t AgreeingOffsets(const Layout& layout) const {
    size_t count = 0;
    for (size_t i = 0; i < arrays_.size(); ++i) {
      count += arrays_[i].array.offset == layout.offsets[i] ? 1 : 0;
    }
    return count;
  }

  bool EndsWithFile(const Layout& layout) const {
    const uint64_t size = file_.fingerprint.size;
    const std::optional<uint64_t> end = CheckedAdd(layout.data_start, layout.end);
    return end &&
           (*end == size ||
            (*end < size && RoundUp(layout.end, layout.alignment) + layout.data_start == size));
  }

  // llama-quantize used to pad the data to 32 whatever general.alignment said: offsets in order,
  // but beyond the end of a file that is exactly as long as data padded so.
  std::optional<Layout> PaddedByDefault(const Layout& stored) const {
    const std::optional<Layout> told = BySizes(stored.alignment, stored.alignment);
    std::optional<Layout> padded = BySizes(stored.alignment, kGgufDefaultAlignment);
    const bool whole = told && told->data_start + told->end <= file_.fingerprint.size;
    return !whole && padded && EndsWithFile(*padded) ? padded : std::nullopt;
  }

  // The places by size with which most of the file agrees; nullopt where that proves nothing.
  std::optional<Layout> Better() const {
    std::optional<Layout> best;
    size_t best_score = 0;
    const auto consider = [&](uint64_t start, uint64_t alignment) {
      std::optional<Layout> layout = BySizes(start, alignment);
      if (!layout) {
        return;
      }
      const size_t agreeing = AgreeingOffsets(*layout);
      const bool ends = EndsWithFile(*layout);
      const bool usual = alignment == key_ || alignment == kGgufDefaultAlignment;
      const size_t score = 2 * agreeing + (ends ? arrays_.size() : 0);
      if (((ends && usual) || 2 * agreeing > arrays_.size()) && score > best_score) {
        best = std::move(layout);
        best_score = score;
      }
    };
    consider(key_, key_);
    consider(key_, kGgufDefaultAlignment);
    for (uint64_t alignment = kSmallestAlignment; alignment <= kLargestAlignment; alignment *= 2) {
      consider(key_, alignment);
      consider(alignment, alignment);
    }
    return best;
  }

  void TellMoved(const Layout& layout) {
    if (layout.alignment != key_) {
      Mend(std::string(kGgufAlignmentKey),
           Format("the tensors lie at multiples of {}, not of {}", layout.alignment, key_));
    }
    for (size_t i = 0; i < arrays_.size(); ++i) {
      if (arrays_[i].array.offset != layout.offsets[i]) {
        Mend(arrays_[i].array.name,
             Format("its offset is {}, not {}", layout.offsets[i], arrays_[i].array.offset));
      }
    }
  }

  // The end of tensor `i`, relative to the data; nullopt beyond 64 bits.
  std::optional<uint64_t> EndOf(size_t i, const Layout& layout) const {
    return CheckedAdd(layout.offsets[i], arrays_[i].array.bytes);
  }

  void LoseOverlaps(const Layout& layout) {
    shared_.assign(arrays_.size(), false);
    std::vector<uint32_t> order(arrays_.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
      return layout.offsets[a] != layout.offsets[b] ? layout.offsets[a] < layout.offsets[b] : a < b;
    });
    uint64_t end = 0;
    uint32_t last = 0;  // the tensor that ends there
    for (const uint32_t i : order) {
      if (layout.offsets[i] < end) {
        shared_[i] = shared_[last] = true;
      }
      const uint64_t own = EndOf(i, layout).value_or(~uint64_t{0});
      if (own > end) {
        end = own;
        last = i;
      }
    }
  }

  void Take(size_t i, const Layout& layout) {
    GgufArray& made = arrays_[i];
    const uint64_t size = file_.fingerprint.size;
    const std::optional<uint64_t> begin = CheckedAdd(layout.data_start, layout.offsets[i]);
    const std::optional<uint64_t> end = begin ? CheckedAdd(*begin, made.array.bytes) : std::nullopt;
    std::string reason;
    if (!end || *begin >= size) {
      reason = "lies behind the end of the file";
    } else if (*end > size) {
      reason = Format("cut off: {} of its bytes are there", size - *begin);
    } else if (shared_[i]) {
      reason = "shares bytes with another tensor: one of the two offsets is wrong";
    }
    if (reason.empty()) {
      made.array.offset = *begin;
      out_.arrays.push_back(std::move(made));
    } else {
      out_.lost.push_back({made.array.name, made.array.bytes, std::move(reason)});
      out_.cut.push_back(std::move(made));
    }
  }

  const DataFile& file_;
  const GgufDirectory& directory_;
  uint64_t key_;  // the alignment that the keys tell
  std::vector<GgufArray> arrays_;
  std::vector<bool> shared_;
  GgufPlaces out_;
};

}  // namespace

GgufPlaces PlaceGgufTensors(const DataFile& file, const GgufDirectory& directory,
                            uint32_t file_index) {
  return Placer(file, directory, file_index).Run();
}

}  // namespace lbrx
