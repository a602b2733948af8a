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

// One past the JSON value at `at`, by quotes and brackets alone; nullopt where it does not end
// within a megabyte or is none.
std::optional<size_t> ValueEnd(std::string_view text, size_t at);

// One past `"key": value` at `at`; nullopt where there is none.
std::optional<size_t> MemberEnd(std::string_view text, size_t at);

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
