// The YAML block at the head of a model card, as far as a converter must touch it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lbrx {

// A mapping whose entries are kept as the lines they are; only what is set is written anew. What it
// reads is the form that people and the hub write: plain keys at the left margin, and what belongs
// to them indented or in "- " items.
class FrontMatter {
 public:
  FrontMatter() = default;

  // The block of a card and the text behind it; a card without one gives no entries and all of it
  // as text. nullopt: there is a block of another form, which must not be touched.
  static std::optional<FrontMatter> Read(std::string_view card);

  bool Has(std::string_view key) const;
  // Replaces an entry where it stands, or appends it. Any value is quoted as YAML needs it.
  void Set(std::string_view key, std::string_view value);
  void Remove(std::string_view key);
  // Appends to the list `tags` what is not in it. Tags in a form that is not understood stay.
  void AddTag(std::string_view tag);

  const std::string& text() const { return text_; }

  void set_text(std::string text) { text_ = std::move(text); }

  // Block and text: a card.
  std::string ToString() const;

 private:
  struct Entry {
    std::string key;    // empty: comments before the first key
    std::string lines;  // each with its line end
  };

  bool AddLine(std::string_view line);
  bool HasKeyTwice() const;
  Entry* Find(std::string_view key);

  std::vector<Entry> entries_;
  std::string text_;
};

}  // namespace lbrx
