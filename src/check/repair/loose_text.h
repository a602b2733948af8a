// Finding one's way in JSON that is damaged.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lbrx {

inline bool IsJsonSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// Where values and members end, by quotes and brackets alone.
//
// Damage can make every value seem to go on to the end of the text. So that looking takes time
// linear in the text, all looks together pass over at most 64 times the text and 64 MiB; from then
// on nothing is found.
class ValueEnds {
 public:
  explicit ValueEnds(std::string_view text);

  // One past the JSON value at `at`; nullopt where it does not end within a megabyte or is none.
  std::optional<size_t> OfValue(size_t at);
  // One past `"key": value` at `at`; nullopt where there is none.
  std::optional<size_t> OfMember(size_t at);

 private:
  std::string_view text_;
  size_t left_;  // bytes that may still be passed over
};

// Where the next member of a header begins behind `from`, by the border between two entries: the
// place of its `"` in `}, "`, or that of the last `}` in `} }`. Within a megabyte.
std::optional<size_t> NextMember(std::string_view text, size_t from);

// Steps over text of which a byte may be wrong.
class LooseCursor {
 public:
  explicit LooseCursor(std::string_view text) : text_(text) {}

  std::string_view text() const { return text_; }

  size_t at() const { return at_; }

  void Seek(size_t at) { at_ = at; }

  void SkipSpace();
  void SkipAny();  // one byte, whatever it is
  // A string with its quotes, one of which may be damaged.
  std::string Word();
  // The items of a list up to its `]` (which may be damaged), passed over. nullopt: an item with a
  // byte that is no digit.
  std::vector<std::optional<uint64_t>> Numbers();

 private:
  bool EndsList() const;

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace lbrx
