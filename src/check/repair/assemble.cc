#include "check/repair/assemble.h"

#include <algorithm>
#include <set>

#include "check/repair/holes.h"
#include "check/repair/names.h"
#include "core/base/format.h"
#include "core/io/file.h"
#include "model/architecture.h"

namespace lbrx {
namespace {

class Assembler {
 public:
  Assembler(const Gathered& gathered, const Checkpoint* reference)
      : gathered_(gathered), reference_(reference) {}

  Assembled Run() {
    LearnKinds();
    for (const ScannedFile& file : gathered_.files) {
      salvaged_.push_back(Salvage(file, lore_));
    }
    MendAllNames();
    FillAllHoles();
    DropUnwritableNames();
    Merge();
    CollectLost();
    TellIndex();
    return std::move(out_);
  }

 private:
  std::string FileName(size_t file) const { return BaseName(gathered_.files[file].path); }

  void LearnKinds() {
    if (reference_ != nullptr) {
      for (const StoredArray& array : reference_->arrays) {
        lore_.AddReference(array.name, {array.dtype, array.shape});
      }
    }
    for (const ScannedFile& file : gathered_.files) {
      for (const LooseEntry& entry : file.header.entries) {
        if (entry.Sound()) {
          lore_.AddSound(entry.name, {*entry.dtype, *entry.shape});
        }
      }
    }
  }

  // Names of the files that should hold the model, and how often each is there.
  void CountNames() {
    present_.clear();
    for (size_t i = 0; i < gathered_.primary; ++i) {
      for (const StoredArray& array : salvaged_[i].arrays) {
        ++present_[array.name];
      }
      for (const Lost& lost : salvaged_[i].lost) {
        if (lost.kind) {
          ++present_[lost.tensor];  // known to be gone, so no other's damaged name
        }
      }
    }
  }

  void MendAllNames() {
    CountNames();
    std::vector<std::string> names;
    size_t known = 0;
    for (const auto& [name, count] : present_) {
      names.push_back(name);
      known += IsInReference(name) ? 1 : 0;
    }
    follows_reference_ = reference_ != nullptr && 2 * known >= names.size();
    for (const auto& [name, file] : gathered_.index) {
      book_.Expect(name);
    }
    if (follows_reference_) {
      for (const StoredArray& array : reference_->arrays) {
        book_.Expect(array.name);
      }
    }
    const Architecture* architecture = FindArchitecture(gathered_.config);
    book_.ExpectLayers(names, [&](const std::string& name) {
      return architecture == nullptr || IsOfModel(*architecture, name);
    });
    ExpectSingles();
    for (size_t i = 0; i < gathered_.primary; ++i) {
      MendNames(book_, present_, salvaged_[i]);
    }
  }

  bool IsInReference(const std::string& name) const {
    if (reference_names_.empty() && reference_ != nullptr) {
      for (const StoredArray& array : reference_->arrays) {
        reference_names_.insert(array.name);
      }
    }
    return reference_names_.count(name) != 0;
  }

  static bool IsOfModel(const Architecture& architecture, const std::string& name) {
    for (const TensorMeaning& meaning :
         {Resolve(architecture, name), ResolveMlx(architecture, name)}) {
      const bool common = meaning.leaf == "weight" || meaning.leaf == "bias" ||
                          meaning.leaf == "scales" || meaning.leaf == "biases";
      if (meaning.rule != nullptr && (common || !meaning.rule->leaf.empty())) {
        return true;
      }
    }
    return false;
  }

  // What the architecture has once: embedding, norm, head.
  void ExpectSingles() {
    const Architecture* architecture = FindArchitecture(gathered_.config);
    if (architecture == nullptr) {
      return;
    }
    for (const TensorRule& rule : architecture->tensors) {
      if (rule.pattern.find('{') == std::string_view::npos) {
        book_.Expect(Spell(rule.pattern, {}, "weight"));
      }
    }
  }

  void FillAllHoles() {
    for (size_t i = 0; i < gathered_.primary; ++i) {
      SalvagedFile& file = salvaged_[i];
      if (file.has_header && file.holes.empty()) {
        continue;
      }
      CountNames();
      std::vector<MissingArray> missing = MissingIn(i);
      if (file.has_header) {
        FillHoles(file, missing);
        if (file.holes.empty()) {  // so what had no name has one now
          std::erase_if(file.lost, [](const Lost& lost) { return lost.tensor == "?"; });
        }
      } else if (!gathered_.files[i].foreign.stand_in) {
        RebuildHeader(file, missing, ReferenceFileOfSize(file.file.fingerprint.size));
      }
    }
  }

  // What is expected and nowhere, and may be in this file.
  std::vector<MissingArray> MissingIn(size_t file) const {
    std::vector<MissingArray> missing;
    for (const std::string& name : book_.expected()) {
      const auto there = present_.find(name);
      const auto indexed = gathered_.index.find(name);
      if ((there == present_.end() || there->second == 0) &&
          (indexed == gathered_.index.end() || indexed->second == FileName(file))) {
        missing.push_back({name, lore_.Candidates(name)});
      }
    }
    return missing;
  }

  void DropUnwritableNames() {
    for (SalvagedFile& file : salvaged_) {
      std::erase_if(file.arrays, [&](const StoredArray& array) {
        const bool drop = !IsWritableName(array.name);
        if (drop) {
          file.lost.push_back({"?",
                               array.bytes,
                               Format("its name is damaged: {}", Printable(array.name, 200)),
                               {},
                               {}});
        }
        return drop;
      });
    }
  }

  std::vector<StoredArray> ReferenceFileOfSize(uint64_t size) const {
    std::vector<StoredArray> arrays;
    if (reference_ == nullptr || reference_->format == "torch") {
      return arrays;
    }
    for (uint32_t i = 0; i < reference_->files.size() && arrays.empty(); ++i) {
      if (reference_->files[i].fingerprint.size == size) {
        std::copy_if(reference_->arrays.begin(), reference_->arrays.end(),
                     std::back_inserter(arrays),
                     [&](const StoredArray& array) { return array.file == i; });
      }
    }
    return arrays;
  }

  // Whether a name of a file that should not hold the model is wanted.
  bool Wanted(const std::string& name) const {
    return book_.Expected(name) ||
           std::any_of(salvaged_.begin(), salvaged_.end(), [&](const auto& file) {
             return std::any_of(file.lost.begin(), file.lost.end(),
                                [&](const Lost& lost) { return lost.tensor == name; });
           });
  }

  void Merge() {
    for (size_t i = 0; i < salvaged_.size(); ++i) {
      for (size_t k = 0; k < salvaged_[i].arrays.size(); ++k) {
        Offer(i, k);
      }
    }
    Checkpoint& checkpoint = out_.checkpoint;
    checkpoint.path = gathered_.path;
    checkpoint.folder = gathered_.folder;
    checkpoint.config = gathered_.config;
    for (size_t i = 0; i < salvaged_.size(); ++i) {
      AddFile(i);
    }
  }

  // The file that the index names has a tensor, else the first one that has it.
  void Offer(size_t file, size_t index) {
    const std::string& name = salvaged_[file].arrays[index].name;
    if (file >= gathered_.primary && (owner_.count(name) != 0 || !Wanted(name))) {
      return;
    }
    const auto [owner, first] = owner_.emplace(name, file);
    if (first || owner->second == file) {
      return;
    }
    const auto indexed = gathered_.index.find(name);
    if (indexed != gathered_.index.end() && indexed->second == FileName(file)) {
      owner->second = file;
    }
    out_.mended.push_back(
        {gathered_.files[file].path, name,
         Format("the tensor is in several files; that of {} is taken", FileName(owner->second))});
  }

  void AddFile(size_t file) {
    SalvagedFile& salvaged = salvaged_[file];
    const ScannedFile& scanned = gathered_.files[file];
    Checkpoint& checkpoint = out_.checkpoint;
    Repair::File row{BaseName(scanned.path), 0, 0, scanned.whole ? "whole" : "damaged"};
    if (!scanned.foreign.kind.empty() && salvaged.arrays.empty()) {
      row.state = scanned.foreign.kind;
      out_.foreign.push_back(scanned.foreign);
    }
    std::set<std::string> taken;
    for (StoredArray& array : salvaged.arrays) {
      if (const auto owner = owner_.find(array.name);
          owner != owner_.end() && owner->second == file && taken.insert(array.name).second) {
        array.file = static_cast<uint32_t>(checkpoint.files.size());
        ++row.tensors;
        row.bytes += array.bytes;
        checkpoint.arrays.push_back(array);
      }
    }
    if (file >= gathered_.primary && row.tensors == 0) {
      return;
    }
    checkpoint.files.push_back(salvaged.file);
    if (checkpoint.metadata.empty()) {
      checkpoint.metadata = salvaged.metadata;
    }
    out_.mended.insert(out_.mended.end(), salvaged.mended.begin(), salvaged.mended.end());
    if (file >= gathered_.primary) {
      out_.mended.push_back(
          {scanned.path, "", Format("{} tensors are taken from it", row.tensors)});
    }
    out_.files.push_back(std::move(row));
  }

  void Lose(Lost lost) {
    if (owner_.count(lost.tensor) == 0 &&
        (lost.tensor == "?" || lost_.insert(lost.tensor).second)) {
      out_.lost.push_back(std::move(lost));
    }
  }

  void CollectLost() {
    for (size_t i = 0; i < gathered_.primary; ++i) {
      for (const Lost& lost : salvaged_[i].lost) {
        Lose(lost);
      }
    }
    for (const auto& [name, file] : gathered_.index) {
      const size_t at = FindFile(file);
      if (at == gathered_.files.size()) {
        Lose({name, std::nullopt, Format("its file {} is missing", file)});
      } else if (!gathered_.files[at].foreign.kind.empty() && salvaged_[at].arrays.empty()) {
        Lose({name, std::nullopt,
              Format("its file {} is {}", file, gathered_.files[at].foreign.kind)});
      } else if (!gathered_.files[at].whole) {
        Lose({name, std::nullopt, Format("its file {} is damaged", file)});
      } else if (owner_.count(name) == 0) {
        ++bogus_;
      }
    }
    LoseHeaderless();
  }

  // A file whose header is gone, without an index that would name what was in it.
  void LoseHeaderless() {
    for (size_t i = 0; i < gathered_.primary; ++i) {
      const std::string name = FileName(i);
      const bool indexed = std::any_of(gathered_.index.begin(), gathered_.index.end(),
                                       [&](const auto& row) { return row.second == name; });
      if (salvaged_[i].arrays.empty() && salvaged_[i].lost.empty() && !indexed &&
          !gathered_.files[i].whole) {
        const ForeignFile& foreign = gathered_.files[i].foreign;
        Lose({"?", salvaged_[i].file.fingerprint.size,
              foreign.kind.empty() ? Format("{} has no header that could be read", name)
                                   : Format("{} is {}", name, foreign.kind)});
      }
    }
  }

  size_t FindFile(const std::string& name) const {
    size_t at = 0;
    while (at < gathered_.primary && FileName(at) != name) {
      ++at;
    }
    return at == gathered_.primary ? gathered_.files.size() : at;
  }

  void TellIndex() {
    if (gathered_.index_name.empty()) {
      if (gathered_.primary > 1) {
        out_.mended.push_back({JoinPath(gathered_.folder, "model.safetensors.index.json"), "",
                               "missing; made anew from the shards"});
      }
      return;
    }
    size_t elsewhere = 0;
    size_t unlisted = 0;
    uint64_t bytes = 0;
    for (const StoredArray& array : out_.checkpoint.arrays) {
      const auto indexed = gathered_.index.find(array.name);
      bytes += array.bytes;
      unlisted += indexed == gathered_.index.end() ? 1 : 0;
      elsewhere += indexed != gathered_.index.end() &&
                           indexed->second != BaseName(out_.checkpoint.files[array.file].path)
                       ? 1
                       : 0;
    }
    TellCount(elsewhere, "tensors are in another file than it says");
    TellCount(unlisted, "tensors were not in it");
    TellCount(bogus_, "of its tensors are in no file");
    const Json& total = gathered_.total_size;
    if (out_.lost.empty() && total.is_number() && total.AsDouble() != static_cast<double>(bytes)) {
      out_.mended.push_back({JoinPath(gathered_.folder, gathered_.index_name), "total_size",
                             Format("{} in place of {}", bytes, WriteJson(total))});
    }
  }

  void TellCount(size_t count, std::string_view what) {
    if (count != 0) {
      out_.mended.push_back(
          {JoinPath(gathered_.folder, gathered_.index_name), "", Format("{} {}", count, what)});
    }
  }

  const Gathered& gathered_;
  const Checkpoint* reference_;
  mutable std::set<std::string> reference_names_;
  bool follows_reference_ = false;
  Lore lore_;
  NameBook book_;
  std::vector<SalvagedFile> salvaged_;
  std::map<std::string, int> present_;
  std::map<std::string, size_t> owner_;  // of a name: the file from which it is taken
  std::set<std::string> lost_;
  size_t bogus_ = 0;  // entries of the index that sound files do not have
  Assembled out_;
};

}  // namespace

Assembled Assemble(const Gathered& gathered, const Checkpoint* reference) {
  return Assembler(gathered, reference).Run();
}

}  // namespace lbrx
