#include "check/repair/loose_header.h"

#include <algorithm>

#include "check/repair/loose_text.h"
#include "core/base/checked.h"
#include "core/base/error.h"
#include "core/text/json.h"

namespace lbrx {
namespace {

constexpr std::string_view kMetadataKey = "__metadata__";

struct Member {
  LooseEntry entry;
  std::optional<std::map<std::string, std::string>> metadata;
  size_t end = 0;
};

std::map<std::string, std::string> MetadataOf(const Json& value) {
  std::map<std::string, std::string> metadata;
  if (value.is_object()) {
    for (const auto& [key, text] : value.AsObject()) {
      if (text.is_string()) {
        metadata[key] = text.AsString();
      }
    }
  }
  return metadata;
}

std::optional<Shape> ShapeOf(const Json* value) {
  if (value == nullptr || !value->is_array() || value->AsArray().size() > Shape::kMaxRank) {
    return std::nullopt;
  }
  Shape shape;
  for (const Json& dim : value->AsArray()) {
    if (dim.kind() != Json::Kind::kUnsigned &&
        !(dim.kind() == Json::Kind::kInteger && dim.AsInt64() >= 0)) {
      return std::nullopt;
    }
    shape.push_back(dim.AsUint64());
  }
  return shape;
}

// Fills what good JSON says. False where one of the three fields is not there by its name.
bool FillFrom(const Json& value, LooseEntry& entry) {
  const Json* dtype = value.Find("dtype");
  const Json* shape = value.Find("shape");
  const Json* offsets = value.Find("data_offsets");
  if (dtype == nullptr || shape == nullptr || offsets == nullptr || !dtype->is_string()) {
    return false;
  }
  entry.dtype_text = dtype->AsString();
  entry.dtype = DTypeByName(entry.dtype_text);
  entry.shape = ShapeOf(shape);
  const std::optional<Shape> span = ShapeOf(offsets);  // two whole numbers
  if (span && span->rank() == 2) {
    entry.begin = (*span)[0];
    entry.end = (*span)[1];
  }
  entry.strict = true;
  return true;
}

// The member `"name": {...}` that stands at `at`, if it is good JSON.
std::optional<Member> ParseMember(std::string_view text, size_t at, ValueEnds& ends) {
  const std::optional<size_t> end = ends.OfMember(at);
  if (!end) {
    return std::nullopt;
  }
  Json json;
  try {
    json = ParseJson("{" + std::string(text.substr(at, *end - at)) + "}", "");
  } catch (const Error&) {
    return std::nullopt;
  }
  const auto& [name, value] = json.AsObject().front();
  Member member;
  member.end = *end;
  if (name == kMetadataKey) {
    member.metadata = MetadataOf(value);
    return member;
  }
  member.entry.name = name;
  if (!FillFrom(value, member.entry)) {
    return std::nullopt;
  }
  return member;
}

// The fields of one entry as patterns, by which they are found though a byte is wrong.
constexpr std::string_view kFields[] = {"\"dtype\"", "\"shape\"", "\"data_offsets\""};

bool AlmostEqual(std::string_view text, std::string_view pattern) {
  if (text.size() < pattern.size()) {
    return false;
  }
  int differ = 0;
  for (size_t i = 0; i < pattern.size() && differ < 2; ++i) {
    differ += text[i] != pattern[i] ? 1 : 0;
  }
  return differ < 2;
}

// Reads entries from a part of the header that is no good JSON.
class DamagedPart {
 public:
  DamagedPart(std::string_view text, bool space_before)
      : cursor_(text), space_before_(space_before) {}

  std::vector<LooseEntry> Read() {
    size_t after = 0;  // behind the last field
    bool seen[3] = {};
    for (size_t at = 0; at < cursor_.text().size();) {
      const std::optional<size_t> field = FieldAt(at);
      if (!field) {
        ++at;
        continue;
      }
      if (entries_.empty() || seen[*field]) {
        std::fill(std::begin(seen), std::end(seen), false);
        entries_.emplace_back();
        entries_.back().name = NameIn(cursor_.text().substr(after, at - after));
      }
      seen[*field] = true;
      cursor_.Seek(at + kFields[*field].size());
      ReadField(*field, entries_.back());
      at = after = cursor_.at();
    }
    end_ = after;
    return std::move(entries_);
  }

  size_t end() const { return end_; }

 private:
  std::optional<size_t> FieldAt(size_t at) const {
    for (size_t i = 0; i < std::size(kFields); ++i) {
      if (AlmostEqual(cursor_.text().substr(at), kFields[i])) {
        return i;
      }
    }
    return std::nullopt;
  }

  // What stands between the borders, one byte of which may be damaged: `"name":{`, or between two
  // entries `},"name":{`. Empty where they cannot be made out.
  std::string NameIn(std::string_view text) const {
    const auto ends = [&](std::string_view border) {
      return text.size() >= border.size() &&
             AlmostEqual(text.substr(text.size() - border.size()), border);
    };
    const bool spaced = ends("\": {");  // as Python's json writes
    const size_t dropped = spaced ? 4 : ends("\":{") ? 3 : text.size();
    size_t begin = 1;
    if (entries_.size() > 1) {
      begin = AlmostEqual(text, "}, \"") ? 4 : AlmostEqual(text, "},\"") ? 3 : text.size();
    } else if (space_before_ && !spaced && !text.starts_with('"')) {
      begin = 0;  // the space before was the quote
    }
    if (begin + dropped > text.size()) {
      return "";
    }
    std::string name(text.substr(begin, text.size() - begin - dropped));
    const bool odd = std::any_of(name.begin(), name.end(), [](char c) {
      return c == '"' || c == '\\' || static_cast<uint8_t>(c) < 0x20;
    });
    return odd ? "" : name;
  }

  void ReadField(size_t field, LooseEntry& entry) {
    cursor_.SkipSpace();
    cursor_.SkipAny();  // ':'
    if (field == 0) {
      entry.dtype_text = cursor_.Word();
      entry.dtype = DTypeByName(entry.dtype_text);
      return;
    }
    cursor_.SkipSpace();
    cursor_.SkipAny();  // '['
    const std::vector<std::optional<uint64_t>> items = cursor_.Numbers();
    if (field == 1) {
      SetShape(items, entry);
    } else if (items.size() == 2) {
      entry.begin = items[0];
      entry.end = items[1];
    }
  }

  static void SetShape(const std::vector<std::optional<uint64_t>>& items, LooseEntry& entry) {
    const bool readable =
        items.size() <= Shape::kMaxRank &&
        std::all_of(items.begin(), items.end(), [](const auto& item) { return item.has_value(); });
    if (readable) {
      entry.shape.emplace();
      for (const auto& item : items) {
        entry.shape->push_back(*item);
      }
    }
  }

  LooseCursor cursor_;
  bool space_before_;  // which may be a damaged quote
  std::vector<LooseEntry> entries_;
  size_t end_ = 0;
};

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text), ends_(text) {}

  LooseHeader Run() {
    LooseCursor start(text_);
    start.SkipSpace();
    at_ = start.at();
    if (at_ < text_.size() && (text_[at_] == '{' || StartsName(at_ + 1))) {
      out_.damaged = text_[at_] != '{' || at_ != 0;
      ++at_;
    } else {
      out_.damaged = true;
    }
    while (Step()) {
    }
    out_.end = at_;
    return std::move(out_);
  }

 private:
  bool StartsName(size_t at) const { return at < text_.size() && text_[at] == '"'; }

  void SkipSpace() {
    while (at_ < text_.size() && IsJsonSpace(text_[at_])) {
      ++at_;
    }
  }

  // One entry, whole or damaged; false at the end of what can be understood.
  bool Step() {
    SkipSpace();
    if (at_ >= text_.size()) {
      return false;
    }
    if (text_[at_] == '}') {
      ++at_;
      out_.closed = true;
      return false;
    }
    if (!first_ && text_[at_] != '"') {
      out_.damaged = out_.damaged || text_[at_] != ',';
      ++at_;
      SkipSpace();
    }
    first_ = false;
    if (std::optional<Member> member = ParseMember(text_, at_, ends_)) {
      at_ = member->end;
      if (member->metadata) {
        out_.metadata = std::move(*member->metadata);
      } else {
        out_.entries.push_back(std::move(member->entry));
      }
      return true;
    }
    return ReadDamaged();
  }

  bool ReadDamaged() {
    out_.damaged = true;
    const std::optional<size_t> next = NextMember(text_, at_ + 1);
    const size_t end = next.value_or(std::min(text_.size(), at_ + kLongestEntry));
    DamagedPart part(text_.substr(at_, end - at_), at_ > 0 && IsJsonSpace(text_[at_ - 1]));
    for (LooseEntry& entry : part.Read()) {
      out_.entries.push_back(std::move(entry));
    }
    if (!next) {
      at_ += part.end();
      return false;
    }
    at_ = *next;
    return true;
  }

  static constexpr size_t kLongestEntry = size_t{64} << 10;

  std::string_view text_;
  ValueEnds ends_;
  size_t at_ = 0;
  bool first_ = true;
  LooseHeader out_;
};

}  // namespace

std::optional<uint64_t> BytesOfKind(DType dtype, const Shape& shape) {
  const std::optional<uint64_t> elements = shape.CheckedElements();
  const std::optional<uint64_t> bits =
      elements ? CheckedMul(*elements, Info(dtype).bits) : std::nullopt;
  return bits && *bits % 8 == 0 ? std::optional(*bits / 8) : std::nullopt;
}

std::optional<uint64_t> LooseEntry::Bytes() const {
  return dtype && shape ? BytesOfKind(*dtype, *shape) : std::nullopt;
}

bool LooseEntry::Sound() const {
  const std::optional<uint64_t> bytes = Bytes();
  return bytes && begin && end && *begin <= *end && *end - *begin == *bytes && !name.empty() &&
         name.find('\0') == std::string::npos;
}

LooseHeader ScanHeader(std::string_view text) {
  return Scanner(text).Run();
}

}  // namespace lbrx
