#include "check/repair/names.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "core/base/error.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

// A name cut at its first number: "model.layers.", 12, ".mlp.up_proj.weight".
struct LayerName {
  std::string_view before;
  uint64_t layer = 0;
  std::string_view behind;
};

std::optional<LayerName> SplitLayer(std::string_view name) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto first = std::find_if(name.begin(), name.end(), digit);
  const auto last = std::find_if_not(first, name.end(), digit);
  if (first == name.end() || first == name.begin() || *(first - 1) != '.' || last == name.end() ||
      *last != '.') {
    return std::nullopt;
  }
  const auto at = static_cast<size_t>(first - name.begin());
  const auto end = static_cast<size_t>(last - name.begin());
  LayerName out{name.substr(0, at), 0, name.substr(end)};
  const auto parsed = std::from_chars(name.data() + at, name.data() + end, out.layer);
  return parsed.ec == std::errc() ? std::optional(out) : std::nullopt;
}

// The only missing name that a damaged one can have been, if one bit of it is wrong (which is what
// faults of memory, disks and lines do); empty: none, or several.
std::string MissingLike(const NameBook& book, const std::map<std::string, int>& present,
                        const std::string& name) {
  std::string found;
  for (size_t byte = 0; byte < name.size(); ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string other = name;
      other[byte] = static_cast<char>(static_cast<uint8_t>(other[byte]) ^ (1U << bit));
      const auto there = present.find(other);
      if (book.Expected(other) && (there == present.end() || there->second == 0)) {
        if (!found.empty()) {
          return "";
        }
        found = other;
      }
    }
  }
  return found;
}

// Whether array `index` under `name` is in order with the arrays before and behind it, by type and
// name, as the safetensors library writes them.
bool FitsOrder(const std::vector<StoredArray>& arrays, size_t index, const std::string& name) {
  const DType dtype = arrays[index].dtype;
  const bool before =
      index == 0 || arrays[index - 1].dtype != dtype || arrays[index - 1].name < name;
  const bool behind = index + 1 == arrays.size() || arrays[index + 1].dtype != dtype ||
                      name < arrays[index + 1].name;
  return before && behind;
}

// One past the last layer that has half as many parts as the fullest: a single part far behind is a
// damaged number.
uint64_t CountLayers(const std::map<uint64_t, uint64_t>& sizes) {
  uint64_t fullest = 0;
  for (const auto& [layer, size] : sizes) {
    fullest = std::max(fullest, size);
  }
  uint64_t count = 0;
  for (const auto& [layer, size] : sizes) {
    count = 2 * size >= fullest ? layer + 1 : count;
  }
  return count;
}

}  // namespace

void NameBook::ExpectLayers(const std::vector<std::string>& names,
                            const std::function<bool(const std::string&)>& plausible) {
  constexpr uint64_t kMostLayers = 4096;  // more are no model's, but a damaged number's
  std::map<std::pair<std::string_view, std::string_view>, std::set<uint64_t>> parts;
  std::map<std::string_view, std::map<uint64_t, uint64_t>> sizes;  // parts of each layer
  for (const std::string& name : names) {
    const std::optional<LayerName> split = SplitLayer(name);
    if (split && split->layer < kMostLayers && plausible(name)) {
      parts[{split->before, split->behind}].insert(split->layer);
      ++sizes[split->before][split->layer];
    }
  }
  for (const auto& [part, numbers] : parts) {
    const std::map<uint64_t, uint64_t>& all = sizes[part.first];
    const uint64_t count = CountLayers(all);
    if (2 * numbers.size() >= count && all.size() >= 2) {
      for (uint64_t layer = 0; layer < count; ++layer) {
        Expect(Format("{}{}{}", part.first, layer, part.second));
      }
    }
  }
}

bool IsWritableName(const std::string& name) {
  try {
    ParseJson(WriteJson(Json(name)), "");
    return true;
  } catch (const Error&) {
    return false;
  }
}

void MendNames(const NameBook& book, std::map<std::string, int>& present, SalvagedFile& file) {
  for (size_t i = 0; i < file.arrays.size(); ++i) {
    StoredArray& array = file.arrays[i];
    const bool twice = present[array.name] > 1;
    if ((book.Expected(array.name) && !twice) || book.expected().empty()) {
      continue;
    }
    const std::string name = MissingLike(book, present, array.name);
    if (name.empty() ||
        (twice && (FitsOrder(file.arrays, i, array.name) || !FitsOrder(file.arrays, i, name)))) {
      continue;
    }
    file.mended.push_back(
        {file.file.path, name, Format("its name, which read {}", Printable(array.name, 200))});
    --present[array.name];
    present[name] = 1;
    array.name = name;
  }
}

}  // namespace lbrx
