// A JSON reader for test data only: trusts its input, knows objects, arrays and strings; numbers
// are kept as text.
#pragma once

#include <cctype>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace lbrx::testing {

struct TinyJson {
  std::string text;  // of a string, number or word
  std::vector<TinyJson> items;
  std::map<std::string, TinyJson> members;

  bool Has(const std::string& key) const { return members.count(key) != 0; }

  const TinyJson& operator[](const std::string& key) const { return members.at(key); }

  const TinyJson& operator[](size_t i) const { return items.at(i); }

  int Int() const { return std::stoi(text); }

  static TinyJson Parse(const std::string& json) {
    size_t at = 0;
    return Value(json, at);
  }

  static TinyJson FromFile(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
      throw std::runtime_error("cannot open " + path);
    }
    return Parse(std::string(std::istreambuf_iterator<char>(file), {}));
  }

 private:
  static char Next(const std::string& json, size_t& at) {
    while (std::isspace(static_cast<unsigned char>(json.at(at))) != 0) {
      ++at;
    }
    return json[at];
  }

  static std::string String(const std::string& json, size_t& at) {
    std::string out;
    for (++at; json.at(at) != '"'; ++at) {
      at += json[at] == '\\' ? 1 : 0;
      out += json[at];
    }
    ++at;
    return out;
  }

  static TinyJson Value(const std::string& json, size_t& at) {
    TinyJson out;
    const char first = Next(json, at);
    if (first == '"') {
      out.text = String(json, at);
    } else if (first == '{' || first == '[') {
      const char end = first == '{' ? '}' : ']';
      for (++at; Next(json, at) != end;) {
        if (first == '{') {
          const std::string key = String(json, at);
          Next(json, at);
          ++at;  // ':'
          out.members[key] = Value(json, at);
        } else {
          out.items.push_back(Value(json, at));
        }
        at += Next(json, at) == ',' ? 1 : 0;
      }
      ++at;
    } else {
      while (at < json.size() && std::string(",]} \n").find(json[at]) == std::string::npos) {
        out.text += json[at++];
      }
    }
    return out;
  }
};

}  // namespace lbrx::testing
