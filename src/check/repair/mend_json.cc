#include "check/repair/mend_json.h"

#include <algorithm>
#include <optional>
#include <set>

#include "check/repair/loose_text.h"
#include "core/base/error.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

constexpr int kDeepest = 32;
constexpr size_t kMostWords = 20;  // of what was wrong

std::optional<Json> Parse(std::string_view text) {
  try {
    return ParseJson(text, "");
  } catch (const Error&) {
    return std::nullopt;
  }
}

class Mender {
 public:
  explicit Mender(std::string_view text) : text_(text), ends_(text) {}

  MendedJson Run() {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (text_.starts_with(kByteOrderMark)) {
      at_ = kByteOrderMark.size();
      Wrong("a byte order mark");
    }
    SkipSpace();
    if (at_ < text_.size() && text_[at_] == '{') {
      ++at_;
      out_.json = ReadObject(0);
    } else if (ToNextMember()) {
      Loss("its beginning is damaged");
      out_.json = ReadObject(0);
    } else {
      out_.complete = false;
      return std::move(out_);
    }
    SkipSpace();
    if (at_ < text_.size()) {
      Wrong(Format("{} bytes behind the end", text_.size() - at_));
    }
    return std::move(out_);
  }

 private:
  void SkipSpace() {
    while (at_ < text_.size() && IsJsonSpace(text_[at_])) {
      ++at_;
    }
  }

  void Wrong(std::string what) {
    if (out_.wrong.size() < kMostWords) {
      out_.wrong.push_back(std::move(what));
    }
  }

  void Loss(std::string what) {
    out_.complete = false;
    Wrong(std::move(what));
  }

  // From behind the '{'.
  Json ReadObject(int depth) {
    Json object = Json::MakeObject();
    std::set<std::string> keys;
    bool comma = true;  // a member may follow
    for (;;) {
      SkipSpace();
      if (at_ >= text_.size()) {
        Loss("it is cut off");
        return object;
      }
      if (text_[at_] == ',') {
        if (comma) {
          Wrong(Format("a comma too many at byte {}", at_));
        }
        comma = true;
        ++at_;
      } else if (text_[at_] == '}') {
        if (comma && !object.AsObject().empty()) {
          Wrong(Format("a comma too many before byte {}", at_));
        }
        ++at_;
        return object;
      } else {
        if (!comma) {
          Wrong(Format("no comma at byte {}", at_));
        }
        comma = false;
        if (!ReadMember(object, keys, depth)) {
          return object;
        }
      }
    }
  }

  // False where nothing follows that could be read.
  bool ReadMember(Json& object, std::set<std::string>& keys, int depth) {
    const size_t start = at_;
    if (const std::optional<size_t> end = ends_.OfMember(at_)) {
      const auto member = Parse("{" + std::string(text_.substr(at_, *end - at_)) + "}");
      if (member && !member->AsObject().empty()) {
        at_ = *end;
        Add(object, keys, member->AsObject().front());
        return true;
      }
    }
    if (ReadInnerObject(object, keys, depth)) {
      return true;
    }
    at_ = start;
    const bool more = ToNextMember();
    Loss(more ? Format("what stands at byte {} cannot be read", start)
              : Format("it is cut off or damaged from byte {}", start));
    return more;
  }

  // `"key": {...` whose value does not parse as a whole.
  bool ReadInnerObject(Json& object, std::set<std::string>& keys, int depth) {
    const std::optional<size_t> key_end = ends_.OfValue(at_);
    if (text_[at_] != '"' || !key_end || depth >= kDeepest) {
      return false;
    }
    const auto key = Parse(text_.substr(at_, *key_end - at_));
    at_ = *key_end;
    SkipSpace();
    if (!key || at_ >= text_.size() || text_[at_] != ':') {
      return false;
    }
    ++at_;
    SkipSpace();
    if (at_ >= text_.size() || text_[at_] != '{') {
      return false;
    }
    ++at_;
    Json inner = ReadObject(depth + 1);
    if (!inner.AsObject().empty()) {
      Add(object, keys, {key->AsString(), std::move(inner)});
    }
    return true;
  }

  void Add(Json& object, std::set<std::string>& keys, const Json::Member& member) {
    if (!keys.insert(member.first).second) {
      Loss(Format("\"{}\" stands there twice", Printable(member.first, 60)));
    } else {
      object.AsObject().push_back(member);
    }
  }

  // To the next `"key":` that follows a comma, a brace or a line's end.
  bool ToNextMember() {
    for (size_t i = at_ + 1; i < text_.size(); ++i) {
      if (text_[i] != '"') {
        continue;
      }
      size_t before = i;
      while (before > 0 && IsJsonSpace(text_[before - 1]) && text_[before - 1] != '\n') {
        --before;
      }
      const char border = before == 0 ? '\n' : text_[before - 1];
      if (border != ',' && border != '{' && border != '\n') {
        continue;
      }
      if (IsKey(i)) {
        at_ = i;
        return true;
      }
    }
    at_ = text_.size();
    return false;
  }

  bool IsKey(size_t at) {
    const std::optional<size_t> end = ends_.OfValue(at);
    if (!end || *end - at > 512) {
      return false;
    }
    size_t colon = *end;
    while (colon < text_.size() && IsJsonSpace(text_[colon])) {
      ++colon;
    }
    return colon < text_.size() && text_[colon] == ':';
  }

  std::string_view text_;
  ValueEnds ends_;
  size_t at_ = 0;
  MendedJson out_;
};

}  // namespace

MendedJson MendJson(std::string_view text) {
  if (std::optional<Json> good = Parse(text)) {
    return {std::move(*good), {}, true};
  }
  return Mender(text).Run();
}

}  // namespace lbrx
