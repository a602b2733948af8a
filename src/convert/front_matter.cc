#include "convert/front_matter.h"

#include <algorithm>
#include <array>

#include "core/base/format.h"
#include "core/text/json.h"
#include "tokenizer/utf8.h"

namespace lbrx {
namespace {

constexpr std::string_view kMark = "---";
constexpr std::string_view kBlanks = " \t\r\n";

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlanks);
  return begin == std::string_view::npos
             ? std::string_view()
             : text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// Takes the first line with its end off `rest`.
std::string_view TakeLine(std::string_view& rest) {
  const size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end == std::string_view::npos ? end : end + 1);
  rest.remove_prefix(line.size());
  return line;
}

bool IsMark(std::string_view line) {
  return line.starts_with(kMark) && Trim(line) == kMark;
}

bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool IsPlain(char c) {
  return IsLetter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

// Empty where the line does not begin with a plain key.
std::string_view KeyOf(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0 ||
      !std::all_of(line.begin(), line.begin() + static_cast<ptrdiff_t>(colon), IsPlain)) {
    return {};
  }
  const std::string_view behind = line.substr(colon + 1);
  return behind.empty() || kBlanks.find(behind[0]) != std::string_view::npos ? line.substr(0, colon)
                                                                             : std::string_view();
}

// A quoted value may go on over lines that look like keys: only one that ends on its line is read.
bool EndsOnItsLine(std::string_view value) {
  const bool quoted = value.starts_with('"') || value.starts_with('\'');
  return !quoted || (value.size() > 1 && value.back() == value.front());
}

// Words that YAML 1.1 takes for something else than text.
bool IsReserved(std::string_view text) {
  constexpr std::array<std::string_view, 9> kWords = {"y",     "n",  "yes", "no",  "true",
                                                      "false", "on", "off", "null"};
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return std::find(kWords.begin(), kWords.end(), lower) != kWords.end();
}

// The code point of a well-formed sequence of bytes.
uint32_t CodePoint(std::string_view bytes) {
  const auto lead = static_cast<uint8_t>(bytes[0]);
  uint32_t code = bytes.size() == 1 ? lead : lead & (0x7FU >> bytes.size());
  for (size_t i = 1; i < bytes.size(); ++i) {
    code = code << 6 | (static_cast<uint8_t>(bytes[i]) & 0x3FU);
  }
  return code;
}

// What YAML does not allow as it is, or takes for the end of a line, beside what JSON escapes too.
bool IsEscapedInYaml(uint32_t code) {
  return (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029 || code == 0xFEFF ||
         code == 0xFFFE || code == 0xFFFF;
}

// In double quotes, whose escapes are JSON's. What is no UTF-8 becomes U+FFFD.
std::string Quoted(std::string_view text) {
  std::string json;
  AppendJsonString(text, /*ascii=*/false, json);
  std::string out;
  for (std::string_view rest = json; !rest.empty();) {
    const size_t length = Utf8Length(rest);
    const std::string_view bytes = rest.substr(0, std::max(length, size_t{1}));
    const uint32_t code = length == 0 ? 0xFFFD : CodePoint(bytes);
    if (length == 0 || IsEscapedInYaml(code)) {
      out += Format("\\u{:04x}", code);
    } else {
      out += bytes;
    }
    rest.remove_prefix(bytes.size());
  }
  return out;
}

// Plain where it is certain to be read as text.
std::string Scalar(std::string_view text) {
  const bool plain = !text.empty() && IsLetter(text[0]) && !IsReserved(text) &&
                     std::all_of(text.begin(), text.end(),
                                 [](char c) { return IsPlain(c) || c == '.' || c == '/'; });
  return plain ? std::string(text) : Quoted(text);
}

bool IsItem(std::string_view line) {
  return Trim(line) == "-" || Trim(line).starts_with("- ");
}

std::string_view Unquoted(std::string_view item) {
  item = Trim(item);
  return item.size() > 1 && EndsOnItsLine(item) && !IsLetter(item[0]) &&
                 (item[0] == '"' || item[0] == '\'')
             ? item.substr(1, item.size() - 2)
             : item;
}

// [a, b] on one line, with `tag` put in where it is missing.
std::string WithFlowTag(std::string_view value, std::string_view tag) {
  std::string_view inner = Trim(value.substr(1, value.size() - 2));
  std::string out = "[" + std::string(inner) + (inner.empty() ? "" : ", ") + Scalar(tag) + "]";
  while (!inner.empty()) {
    const size_t comma = std::min(inner.find(','), inner.size());
    if (Unquoted(inner.substr(0, comma)) == tag) {
      return std::string(value);
    }
    inner.remove_prefix(std::min(comma + 1, inner.size()));
  }
  return out;
}

// The lines of a block list behind its key, with `tag` as another item where it is missing.
void AddBlockTag(std::string_view tag, std::string& lines) {
  std::string_view rest = lines;
  TakeLine(rest);
  std::string indent;
  size_t end = lines.size() - rest.size();  // of the last item
  while (!rest.empty()) {
    const std::string_view line = TakeLine(rest);
    if (!IsItem(line)) {
      continue;
    }
    if (Unquoted(Trim(line).substr(1)) == tag) {
      return;
    }
    indent = line.substr(0, line.find('-'));
    end = lines.size() - rest.size();
  }
  lines.insert(end, indent + "- " + Scalar(tag) + "\n");
}

}  // namespace

bool FrontMatter::AddLine(std::string_view line) {
  const std::string_view bare = Trim(line);
  const bool comment = bare.empty() || line.starts_with('#');
  const bool inner = line.starts_with(' ') || (IsItem(line) && line.starts_with('-'));
  if (comment || inner) {
    if (entries_.empty() && comment) {
      entries_.push_back({"", ""});
    }
    if (entries_.empty() || (inner && !comment && entries_.back().key.empty())) {
      return false;
    }
    entries_.back().lines += line;
    return true;
  }
  const std::string_view key = KeyOf(line);
  if (key.empty() || !EndsOnItsLine(Trim(line.substr(key.size() + 1)))) {
    return false;
  }
  entries_.push_back({std::string(key), std::string(line)});
  return true;
}

bool FrontMatter::HasKeyTwice() const {
  std::vector<std::string_view> keys;
  for (const Entry& entry : entries_) {
    keys.push_back(entry.key);
  }
  std::sort(keys.begin(), keys.end());
  return std::adjacent_find(keys.begin(), keys.end()) != keys.end();
}

std::optional<FrontMatter> FrontMatter::Read(std::string_view card) {
  FrontMatter out;
  std::string_view rest = card.substr(std::min(card.find_first_not_of(kBlanks), card.size()));
  if (!IsMark(TakeLine(rest))) {
    out.text_ = card;
    return out;
  }
  while (!rest.empty()) {
    const std::string_view line = TakeLine(rest);
    if (IsMark(line)) {
      out.text_ = rest;
      return out.HasKeyTwice() ? std::nullopt : std::optional(std::move(out));
    }
    if (!out.AddLine(line)) {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

FrontMatter::Entry* FrontMatter::Find(std::string_view key) {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.key == key; });
  return found == entries_.end() ? nullptr : &*found;
}

bool FrontMatter::Has(std::string_view key) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const Entry& entry) { return entry.key == key; });
}

void FrontMatter::Set(std::string_view key, std::string_view value) {
  const std::string line = std::string(key) + ": " + Scalar(value) + "\n";
  if (Entry* entry = Find(key)) {
    entry->lines = line;
  } else {
    entries_.push_back({std::string(key), line});
  }
}

void FrontMatter::Remove(std::string_view key) {
  std::erase_if(entries_, [&](const Entry& entry) { return entry.key == key; });
}

void FrontMatter::AddTag(std::string_view tag) {
  constexpr std::string_view kKey = "tags:";
  Entry* entry = Find("tags");
  if (entry == nullptr) {
    entries_.push_back({"tags", std::string(kKey) + "\n"});
    entry = &entries_.back();
  }
  std::string_view rest = entry->lines;
  const std::string_view value = Trim(TakeLine(rest).substr(kKey.size()));
  if (value.empty()) {
    AddBlockTag(tag, entry->lines);
  } else if (value.size() > 1 && value.starts_with('[') && value.ends_with(']')) {
    entry->lines = "tags: " + WithFlowTag(value, tag) + "\n" + std::string(rest);
  }
}

std::string FrontMatter::ToString() const {
  std::string out = "---\n";
  for (const Entry& entry : entries_) {
    out += entry.lines;
  }
  return out + "---\n" + text_;
}

}  // namespace lbrx
