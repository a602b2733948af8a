#include "check/repair/loose_text.h"

#include <algorithm>
#include <charconv>

namespace lbrx {
namespace {

constexpr size_t kFarthest = size_t{1} << 20;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

size_t SpaceEnd(std::string_view text, size_t at) {
  while (at < text.size() && IsJsonSpace(text[at])) {
    ++at;
  }
  return at;
}

// One past the string at `at`.
std::optional<size_t> StringEnd(std::string_view text, size_t at) {
  const size_t limit = std::min(text.size(), at + kFarthest);
  for (size_t i = at + 1; i < limit; ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return std::nullopt;
}

std::optional<size_t> ContainerEnd(std::string_view text, size_t at) {
  const size_t limit = std::min(text.size(), at + kFarthest);
  size_t depth = 0;
  for (size_t i = at; i < limit; ++i) {
    const char c = text[i];
    if (c == '"') {
      const std::optional<size_t> end = StringEnd(text, i);
      if (!end) {
        return std::nullopt;
      }
      i = *end - 1;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return i + 1;
    }
  }
  return std::nullopt;
}

std::optional<size_t> ValueEnd(std::string_view text, size_t at) {
  if (at >= text.size()) {
    return std::nullopt;
  }
  if (text[at] == '"') {
    return StringEnd(text, at);
  }
  if (text[at] == '{' || text[at] == '[') {
    return ContainerEnd(text, at);
  }
  size_t end = at;
  while (end < text.size() && end - at < kFarthest && !IsJsonSpace(text[end]) &&
         std::string_view(",]}").find(text[end]) == std::string_view::npos) {
    ++end;
  }
  // A number or word that nothing follows may be cut.
  return end == at || end == text.size() ? std::nullopt : std::optional(end);
}

}  // namespace

ValueEnds::ValueEnds(std::string_view text) : text_(text), left_(64 * (text.size() + kFarthest)) {}

std::optional<size_t> ValueEnds::OfValue(size_t at) {
  if (left_ == 0) {
    return std::nullopt;
  }
  const std::optional<size_t> end = ValueEnd(text_, at);
  const size_t passed =
      end ? *end - at : std::min(text_.size() - std::min(at, text_.size()), kFarthest);
  left_ -= std::min(left_, passed);
  return end;
}

std::optional<size_t> ValueEnds::OfMember(size_t at) {
  if (at >= text_.size() || text_[at] != '"') {
    return std::nullopt;
  }
  const std::optional<size_t> key = OfValue(at);
  if (!key) {
    return std::nullopt;
  }
  const size_t colon = SpaceEnd(text_, *key);
  if (colon >= text_.size() || text_[colon] != ':') {
    return std::nullopt;
  }
  return OfValue(SpaceEnd(text_, colon + 1));
}

namespace {

// Whether `, "` stands there.
bool StartsMember(std::string_view text, size_t at) {
  at = SpaceEnd(text, at);
  if (at >= text.size() || text[at] != ',') {
    return false;
  }
  at = SpaceEnd(text, at + 1);
  return at < text.size() && text[at] == '"';
}

}  // namespace

std::optional<size_t> NextMember(std::string_view text, size_t from) {
  const size_t limit = std::min(text.size(), from + kFarthest);
  for (size_t i = from; i < limit; ++i) {
    if (text[i] != '}') {
      continue;
    }
    const size_t next = SpaceEnd(text, i + 1);
    if (next < text.size() && text[next] == '}') {
      if (!StartsMember(text, next + 1)) {
        return next;
      }
      continue;  // the first of the two is a damaged ']'
    }
    if (StartsMember(text, next)) {
      return SpaceEnd(text, next + 1);
    }
  }
  return std::nullopt;
}

void LooseCursor::SkipSpace() {
  at_ = SpaceEnd(text_, at_);
}

void LooseCursor::SkipAny() {
  at_ = std::min(at_ + 1, text_.size());
}

std::string LooseCursor::Word() {
  constexpr size_t kLongest = 16;
  // A quote can have become a space.
  const size_t first = SpaceEnd(text_, at_);
  const bool quote = first < text_.size() && text_[first] == '"';
  const bool opened = quote || first != at_;
  at_ = first + (quote ? 1 : 0);
  const size_t start = at_;
  while (at_ < text_.size() && at_ - start < kLongest && text_[at_] != '"' && text_[at_] != ',') {
    ++at_;
  }
  std::string word(text_.substr(start, at_ - start));
  const bool closed = at_ < text_.size() && text_[at_] == '"';
  SkipAny();
  // A quote that is not there has become another byte, which is no part of the word.
  if (!opened && !word.empty()) {
    word.erase(0, 1);
  }
  if (!closed && !word.empty()) {
    word.pop_back();
  }
  return word;
}

// Whether the byte here ends the list though it is no `]`: what follows an entry's list follows.
bool LooseCursor::EndsList() const {
  size_t next = SpaceEnd(text_, at_ + 1);
  if (next < text_.size() && text_[next] == ',') {
    next = SpaceEnd(text_, next + 1);
    return next < text_.size() && text_[next] == '"';
  }
  return next < text_.size() && text_[next] == '}';
}

std::vector<std::optional<uint64_t>> LooseCursor::Numbers() {
  constexpr size_t kMostBytes = 256;
  std::vector<std::string> items(1);
  const size_t limit = std::min(text_.size(), at_ + kMostBytes);
  while (at_ < limit && text_[at_] != ']' &&
         !(!IsDigit(text_[at_]) && text_[at_] != ',' && EndsList())) {
    if (text_[at_] == ',') {
      items.emplace_back();
    } else if (!IsJsonSpace(text_[at_]) || IsDigit(text_[at_ - 1])) {
      items.back() += text_[at_];
    }
    ++at_;
  }
  SkipAny();
  std::vector<std::optional<uint64_t>> numbers;
  for (const std::string& item : items) {
    uint64_t value = 0;
    const auto end = std::from_chars(item.data(), item.data() + item.size(), value);
    const bool good = end.ec == std::errc() && end.ptr == item.data() + item.size();
    numbers.push_back(good ? std::optional(value) : std::nullopt);
  }
  if (numbers.size() == 1 && items[0].empty()) {
    numbers.clear();  // []
  }
  return numbers;
}

}  // namespace lbrx
