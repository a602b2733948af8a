#include "check/rules/vocabulary.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "core/text/json.h"

namespace lbrx {
namespace {

// Follows the parser and knows at every event under which keys it is.
class VocabularyReader final : public JsonHandler {
 public:
  uint64_t size() const { return size_; }

  void Null() override { Scalar(); }

  void Bool(bool /*value*/) override { Scalar(); }

  void Integer(int64_t value) override {
    if (value >= 0) {
      Unsigned(static_cast<uint64_t>(value));
    } else {
      Scalar();
    }
  }

  void Unsigned(uint64_t value) override {
    if (IsId()) {
      Use(value);
    }
    Scalar();
  }

  void Double(double /*value*/, std::string_view /*spelling*/) override { Scalar(); }

  void String(std::string& /*value*/) override { Scalar(); }

  // Only the outer keys matter; the tokens themselves are keys further in.
  void Key(std::string& value) override {
    if (levels_.size() <= kNamedLevels) {
      levels_.back().key = std::move(value);
    }
  }

  void StartObject() override { Enter(false); }

  void EndObject() override { levels_.pop_back(); }

  void StartArray() override { Enter(true); }

  void EndArray() override { levels_.pop_back(); }

 private:
  static constexpr size_t kNamedLevels = 3;

  // An open object or array: the key being read, or the index of the next element.
  struct Level {
    bool array = false;
    std::string key;
    uint64_t next = 0;
  };

  bool At(size_t level, std::string_view key) const {
    return !levels_[level].array && levels_[level].key == key;
  }

  // model.vocab as an object or an array, one level deep.
  bool InVocabulary(bool array) const {
    return levels_.size() == 3 && At(0, "model") && At(1, "vocab") && levels_[2].array == array;
  }

  bool IsId() const {
    const bool added =
        levels_.size() == 3 && At(0, "added_tokens") && levels_[1].array && At(2, "id");
    return added || InVocabulary(false);
  }

  void Use(uint64_t id) {
    if (id < std::numeric_limits<uint64_t>::max()) {
      size_ = std::max(size_, id + 1);
    }
  }

  // A value of any kind begins or is complete: an element of the array that is open.
  void Scalar() {
    if (!levels_.empty() && levels_.back().array) {
      const uint64_t index = levels_.back().next++;
      if (InVocabulary(true)) {
        Use(index);
      }
    }
  }

  void Enter(bool array) {
    Scalar();
    levels_.push_back({array, "", 0});
  }

  std::vector<Level> levels_;
  uint64_t size_ = 0;
};

}  // namespace

uint64_t VocabularySize(std::string_view text, const std::string& file) {
  VocabularyReader reader;
  ParseJsonEvents(text, file, reader);
  return reader.size();
}

}  // namespace lbrx
