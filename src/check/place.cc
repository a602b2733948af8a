#include "check/place.h"

#include <algorithm>
#include <charconv>

namespace lbrx {
namespace {

// A part of a name that is a number; nullopt for anything else, also what 64 bits cannot hold.
std::optional<uint64_t> NumberOf(std::string_view part) {
  uint64_t number = 0;
  const auto result = std::from_chars(part.data(), part.data() + part.size(), number);
  const bool whole = result.ec == std::errc{} && result.ptr == part.data() + part.size();
  return whole && !part.empty() ? std::optional(number) : std::nullopt;
}

void AppendPart(std::string& text, std::string_view part) {
  text += text.empty() ? "" : ".";
  text += part;
}

}  // namespace

TensorPlace PlaceOf(std::string_view name) {
  constexpr std::string_view kWeight = ".weight";
  if (name.size() > kWeight.size() && name.ends_with(kWeight)) {
    name.remove_suffix(kWeight.size());
  }
  TensorPlace place;
  std::string parts;
  for (size_t begin = 0; begin <= name.size();) {
    const size_t end = std::min(name.find('.', begin), name.size());
    const std::string_view part = name.substr(begin, end - begin);
    const std::optional<uint64_t> number = NumberOf(part);
    if (!number) {
      AppendPart(parts, part);
    } else if (place.layer) {
      AppendPart(parts, "*");
    } else {
      place.layer = number;
      place.stack = std::move(parts);
      parts.clear();
    }
    begin = end + 1;
  }
  place.kind = std::move(parts);
  return place;
}

size_t PlaceList::Add(std::string_view name) {
  TensorPlace place = PlaceOf(name);
  const auto [found, added] = index_.emplace(std::move(place), places_.size());
  if (added) {
    places_.push_back(found->first);
  }
  return found->second;
}

}  // namespace lbrx
