#include "check/repair/salvage.h"

#include <algorithm>

#include "check/repair/place_entries.h"
#include "core/base/checked.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

constexpr uint64_t kLengthField = 8;

class Salvager {
 public:
  Salvager(const ScannedFile& scanned, const Lore& lore)
      : scanned_(scanned), lore_(lore), entries_(scanned.header.entries) {
    out_.file = {scanned.path, scanned.fingerprint};
    out_.metadata = scanned.header.metadata;
    out_.has_header = !entries_.empty() || scanned.whole;
  }

  SalvagedFile Run() {
    if (!out_.has_header) {
      return std::move(out_);
    }
    FindDataStart();
    data_bytes_ = out_.file.fingerprint.size - std::min(out_.file.fingerprint.size, data_start_);
    if (!scanned_.whole) {
      PlaceEntries(entries_, data_bytes_, lore_, notes_);
    }
    for (size_t i = 0; i < entries_.size(); ++i) {
      Take(entries_[i], notes_[i]);
    }
    std::stable_sort(out_.arrays.begin(), out_.arrays.end(),
                     [](const auto& a, const auto& b) { return a.offset < b.offset; });
    FindHoles();
    TellHeader();
    return std::move(out_);
  }

 private:
  uint64_t DataEnd() const {
    uint64_t end = 0;
    for (const LooseEntry& entry : entries_) {
      end = entry.Sound() ? std::max(end, *entry.end) : end;
    }
    return end;
  }

  // Where the data begins. The length field says so if the text or the size of the file agrees with
  // it; else the size of the file does, if the arrays fill it behind the text; else the border of 8
  // bytes that writers pad headers to.
  void FindDataStart() {
    const uint64_t size = out_.file.fingerprint.size;
    const uint64_t text_end = kLengthField + scanned_.header.end;
    const uint64_t padded = RoundUp(text_end, kLengthField);
    const uint64_t field = kLengthField + scanned_.length_field;
    const uint64_t data_end = DataEnd();
    const uint64_t filling = size >= data_end ? size - data_end : 0;
    const bool two_agree = filling == field && field >= text_end;
    if (scanned_.whole || two_agree || (scanned_.length_fits && field % kLengthField == 0)) {
      data_start_ = field;
      return;
    }
    const bool fills = filling == text_end || filling == padded;
    data_start_ = fills ? filling : field == text_end ? field : padded;
    if (data_start_ != field) {
      Mend("header length", Format("the length field says {}, the header is of {} bytes",
                                   scanned_.length_field, data_start_ - kLengthField));
    }
  }

  void Mend(std::string object, std::string what) {
    out_.mended.push_back({scanned_.path, std::move(object), std::move(what)});
  }

  void Take(const LooseEntry& entry, const EntryNote& note) {
    const std::string name = entry.name.empty() ? "?" : entry.name;
    if (!entry.Sound() || !note.lost.empty()) {
      const bool unknown = !entry.begin || !entry.end || *entry.end < *entry.begin;
      std::optional<uint64_t> bytes = entry.Bytes();
      if (!bytes && !unknown) {
        bytes = *entry.end - *entry.begin;
      }
      Lose(entry, name, bytes,
           note.lost.empty() ? "its entry in the header cannot be read" : note.lost);
      return;
    }
    if (*entry.end > data_bytes_ || data_start_ > out_.file.fingerprint.size) {
      const uint64_t there = data_bytes_ - std::min(data_bytes_, *entry.begin);
      Lose(entry, name, entry.Bytes(),
           there == 0 ? "lies behind the end of the file"
                      : Format("cut off: {} of its bytes are there", there));
      return;
    }
    if (!note.mended.empty()) {
      Mend(name, note.mended);
    }
    out_.arrays.push_back({.name = entry.name,
                           .dtype = *entry.dtype,
                           .shape = *entry.shape,
                           .file = 0,
                           .offset = data_start_ + *entry.begin,
                           .bytes = *entry.end - *entry.begin,
                           .strides = {}});
  }

  void Lose(const LooseEntry& entry, std::string name, std::optional<uint64_t> bytes,
            std::string reason) {
    Lost lost{std::move(name), bytes, std::move(reason)};
    if (entry.dtype && entry.shape && entry.Bytes()) {
      lost.kind = {*entry.dtype, *entry.shape};
    }
    out_.lost.push_back(std::move(lost));
  }

  // What lies between the arrays is a lost entry's, or nobody's. What an entry claims that is
  // known to be lost is no hole.
  void FindHoles() {
    const uint64_t size = out_.file.fingerprint.size;
    uint64_t end = data_start_;
    const auto close = [&](uint64_t begin) {
      if (begin > end) {
        out_.holes.push_back({end, begin});
      }
    };
    for (const StoredArray& array : out_.arrays) {
      close(array.offset);
      end = std::max(end, array.offset + array.bytes);
    }
    const bool cut = DataEnd() > data_bytes_;
    if (!cut) {
      close(size);
    }
  }

  void TellHeader() {
    if (scanned_.header.damaged) {
      Mend("header", "damaged; its entries were read one by one");
    }
    const bool behind = !out_.holes.empty() && out_.holes.back().end == out_.file.fingerprint.size;
    if (behind && !scanned_.header.damaged && out_.lost.empty()) {
      Mend("", Format("{} bytes behind the data of the last tensor belong to nothing",
                      out_.holes.back().end - out_.holes.back().begin));
    }
  }

  const ScannedFile& scanned_;
  const Lore& lore_;
  std::vector<LooseEntry> entries_;
  std::vector<EntryNote> notes_ = std::vector<EntryNote>(entries_.size());
  uint64_t data_start_ = 0;
  uint64_t data_bytes_ = 0;
  SalvagedFile out_;
};

}  // namespace

SalvagedFile Salvage(const ScannedFile& scanned, const Lore& lore) {
  return Salvager(scanned, lore).Run();
}

}  // namespace lbrx
