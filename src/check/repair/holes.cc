#include "check/repair/holes.h"

#include <algorithm>

#include "core/base/checked.h"
#include "core/base/format.h"
#include "formats/safetensors/safetensors.h"

namespace lbrx {
namespace {

// A missing array with one of its kinds chosen.
struct Choice {
  size_t index;  // into the list of what is missing
  ArrayKind kind;
  uint64_t bytes;
};

// The order of a file that the safetensors library wrote.
bool LibraryLess(DType a_type, std::string_view a, DType b_type, std::string_view b) {
  return a_type != b_type ? a_type > b_type : a < b;
}

// All missing arrays, each as its n-th kind (or its last).
std::vector<Choice> Choose(const std::vector<MissingArray>& missing, size_t n) {
  std::vector<Choice> choices;
  for (size_t i = 0; i < missing.size(); ++i) {
    if (missing[i].kinds.empty()) {
      continue;
    }
    const ArrayKind& kind = missing[i].kinds[std::min(n, missing[i].kinds.size() - 1)];
    if (const std::optional<uint64_t> bytes = BytesOfKind(kind.dtype, kind.shape)) {
      choices.push_back({i, kind, *bytes});
    }
  }
  std::sort(choices.begin(), choices.end(), [&](const Choice& a, const Choice& b) {
    return LibraryLess(a.kind.dtype, missing[a.index].name, b.kind.dtype, missing[b.index].name);
  });
  return choices;
}

size_t MostKinds(const std::vector<MissingArray>& missing) {
  size_t most = 0;
  for (const MissingArray& array : missing) {
    most = std::max(most, array.kinds.size());
  }
  return most;
}

std::optional<uint64_t> TotalOf(const std::vector<Choice>& choices) {
  uint64_t total = 0;
  for (const Choice& choice : choices) {
    if (AddOverflows(total, choice.bytes, &total)) {
      return std::nullopt;
    }
  }
  return total;
}

void Take(SalvagedFile& file, std::vector<MissingArray>& missing,
          const std::vector<Choice>& choices, uint64_t at, const std::string& how) {
  for (const Choice& choice : choices) {
    MissingArray& array = missing[choice.index];
    file.arrays.push_back({.name = array.name,
                           .dtype = choice.kind.dtype,
                           .shape = choice.kind.shape,
                           .file = 0,
                           .offset = at,
                           .bytes = choice.bytes,
                           .strides = {}});
    file.mended.push_back({file.file.path, array.name, how});
    at += choice.bytes;
    array.kinds.clear();
    array.name.clear();
  }
  std::erase_if(missing, [](const MissingArray& array) { return array.name.empty(); });
}

// Those that the library would have written between the arrays beside the hole.
std::vector<Choice> Between(const SalvagedFile& file, const Hole& hole,
                            const std::vector<MissingArray>& missing, std::vector<Choice> choices) {
  for (const StoredArray& array : file.arrays) {
    const bool before = array.offset + array.bytes == hole.begin;
    const bool behind = array.offset == hole.end;
    if (!before && !behind) {
      continue;
    }
    std::erase_if(choices, [&](const Choice& choice) {
      const std::string& name = missing[choice.index].name;
      return before ? !LibraryLess(array.dtype, array.name, choice.kind.dtype, name)
                    : !LibraryLess(choice.kind.dtype, name, array.dtype, array.name);
    });
  }
  return choices;
}

bool FillHole(SalvagedFile& file, const Hole& hole, std::vector<MissingArray>& missing) {
  const uint64_t size = hole.end - hole.begin;
  for (size_t n = 0; n < MostKinds(missing); ++n) {
    const std::vector<Choice> all = Choose(missing, n);
    const std::vector<Choice> between = Between(file, hole, missing, all);
    if (!between.empty() && TotalOf(between) == size) {
      Take(file, missing, between, hole.begin,
           "its entry, by its neighbours and what is known of it");
      return true;
    }
    std::vector<Choice> fitting;
    std::copy_if(all.begin(), all.end(), std::back_inserter(fitting),
                 [&](const Choice& choice) { return choice.bytes == size; });
    if (fitting.size() == 1 && size != 0) {
      Take(file, missing, fitting, hole.begin, "its entry: nothing else is of that size");
      return true;
    }
  }
  return false;
}

}  // namespace

void FillHoles(SalvagedFile& file, std::vector<MissingArray>& missing) {
  std::erase_if(file.holes, [&](const Hole& hole) { return FillHole(file, hole, missing); });
  std::stable_sort(file.arrays.begin(), file.arrays.end(),
                   [](const auto& a, const auto& b) { return a.offset < b.offset; });
}

void RebuildHeader(SalvagedFile& file, std::vector<MissingArray>& missing,
                   const std::vector<StoredArray>& same_size) {
  if (!same_size.empty()) {
    file.arrays = same_size;
    for (StoredArray& array : file.arrays) {
      array.file = 0;
    }
    file.mended.push_back({file.file.path, "header",
                           "gone; rebuilt as that of the reference's file of the same size"});
    return;
  }
  using Metadata = std::map<std::string, std::string>;
  for (size_t n = 0; n < MostKinds(missing); ++n) {
    const std::vector<Choice> choices = Choose(missing, n);
    const std::optional<uint64_t> total = TotalOf(choices);
    if (choices.size() != missing.size() || !total || *total > file.file.fingerprint.size) {
      continue;
    }
    std::vector<SafetensorsEntry> entries;
    for (const Choice& choice : choices) {
      entries.push_back({missing[choice.index].name, choice.kind.dtype, choice.kind.shape});
    }
    for (const Metadata& metadata :
         {Metadata{{"format", "pt"}}, Metadata{{"format", "mlx"}}, Metadata{}}) {
      const SafetensorsLayout layout = LayOutSafetensors(entries, metadata);
      if (layout.file_size == file.file.fingerprint.size) {
        Take(file, missing, choices, layout.header.size(),
             "its entry; the whole header was rebuilt");
        file.metadata = metadata;
        file.mended.push_back({file.file.path, "header",
                               "gone; rebuilt from names, types and shapes that fill the file"});
        return;
      }
    }
  }
}

}  // namespace lbrx
