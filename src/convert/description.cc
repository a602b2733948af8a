#include "convert/description.h"

#include <algorithm>
#include <array>
#include <functional>
#include <set>

#include "core/base/format.h"
#include "formats/gguf/keys.h"

namespace lbrx {
namespace {

constexpr size_t kChunk = size_t{256} << 10;
constexpr size_t kLongestValue = 100;

constexpr std::array<std::string_view, 2> kSchemeMembers = {"quantization", "quantization_config"};
constexpr std::array<std::string_view, 2> kSchemeKeys = {"general.file_type",
                                                         "general.quantization_version"};

template <size_t N>
bool IsAmong(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Fills `out` with a file's bytes from `offset` on.
using ReadBytes = std::function<void(uint64_t offset, std::span<std::byte> out)>;

bool HoldsSame(const File& file, uint64_t size, const ReadBytes& wanted) {
  if (file.Size() != size) {
    return false;
  }
  std::vector<std::byte> found(kChunk);
  std::vector<std::byte> expected(kChunk);
  for (uint64_t offset = 0; offset < size; offset += kChunk) {
    const size_t count = std::min<uint64_t>(kChunk, size - offset);
    file.ReadAt(offset, std::span(found).first(count));
    wanted(offset, std::span(expected).first(count));
    if (!std::equal(found.begin(), found.begin() + static_cast<ptrdiff_t>(count),
                    expected.begin())) {
      return false;
    }
  }
  return true;
}

class Comparison {
 public:
  Comparison(const Plan& plan, const Checkpoint& made, bool with_schemes)
      : plan_(plan), made_(made), with_schemes_(with_schemes) {}

  std::vector<Problem> Make() {
    if (plan_.gguf_keys != nullptr && made_.gguf != nullptr) {
      CompareKeys(*plan_.gguf_keys, *made_.gguf);
    }
    if (made_.gguf == nullptr && !made_.folder.empty()) {
      CompareFolder();
    }
    return std::move(problems_);
  }

 private:
  void Warn(std::string file, std::string object, std::string what, std::string expected,
            std::string found, std::string advice = {}) {
    problems_.push_back({Severity::kWarning,
                         {.file = std::move(file),
                          .object = std::move(object),
                          .what = std::move(what),
                          .expected = std::move(expected),
                          .found = std::move(found),
                          .offset = {},
                          .advice = std::move(advice)}});
  }

  void CompareKeys(const GgufKeys& wanted, const GgufKeys& found) {
    const auto compared = [&](std::string_view key) {
      return with_schemes_ || !IsAmong(kSchemeKeys, key);
    };
    const auto differs = [&](const std::string& key, const char* what) {
      const bool importance = key.starts_with("quantize.imatrix.");
      Warn(made_.path, key, what, {}, {},
           importance ? "it was made with an importance matrix; give it with --imatrix" : "");
    };
    for (const auto& [key, value] : wanted.entries()) {
      const GgufValue* other = found.Find(key);
      if (compared(key) && (other == nullptr || !(*other == value))) {
        differs(key, other == nullptr ? "the key is missing" : "the key has another value");
      }
    }
    for (const auto& [key, value] : found.entries()) {
      if (compared(key) && wanted.Find(key) == nullptr) {
        differs(key, "the conversion does not write this key");
      }
    }
  }

  void CompareFolder() {
    for (const SideFile& copy : plan_.copies) {
      const std::shared_ptr<File> source = File::OpenRead(copy.path);
      CompareFile(copy.name, copy.bytes,
                  [&](uint64_t offset, std::span<std::byte> out) { source->ReadAt(offset, out); });
    }
    for (const OutputText& text : plan_.texts) {
      if (text.name == "config.json") {
        CompareConfig(ParseJson(text.content, text.name));
      } else if (!text.name.ends_with(".index.json")) {  // which opening has read
        const auto bytes = std::as_bytes(std::span(text.content));
        CompareFile(text.name, bytes.size(), [&](uint64_t offset, std::span<std::byte> out) {
          const auto part = bytes.subspan(offset, out.size());
          std::copy(part.begin(), part.end(), out.begin());
        });
      }
    }
  }

  void CompareFile(const std::string& name, uint64_t size, const ReadBytes& wanted) {
    const std::string path = JoinPath(made_.folder, name);
    if (name == "README.md") {
      return;
    }
    if (!IsRegularFile(path)) {
      Warn(path, {}, "is missing", {}, {});
    } else if (!HoldsSame(*File::OpenRead(path), size, wanted)) {
      Warn(path, {}, "is not what the conversion writes", {}, {});
    }
  }

  void CompareConfig(const Json& wanted) {
    const std::string path = JoinPath(made_.folder, "config.json");
    const Json& found = made_.config;
    if (!found.is_object()) {
      Warn(path, {}, "is missing, or no object", {}, {});
      return;
    }
    const auto compare = [&](const std::string& key) {
      const Json* a = wanted.Find(key);
      const Json* b = found.Find(key);
      const bool same = a != nullptr && b != nullptr && *a == *b;
      if (!same && (with_schemes_ || !IsAmong(kSchemeMembers, key))) {
        Warn(path, key, "is not what the conversion writes", Shown(a), Shown(b));
      }
    };
    std::set<std::string> keys;
    for (const Json* config : {&wanted, &found}) {
      for (const auto& [key, value] : config->AsObject()) {
        keys.insert(key);
      }
    }
    std::for_each(keys.begin(), keys.end(), compare);
  }

  static std::string Shown(const Json* value) {
    return value == nullptr ? "nothing" : Printable(WriteJson(*value), kLongestValue);
  }

  const Plan& plan_;
  const Checkpoint& made_;
  bool with_schemes_;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> CompareDescription(const Plan& plan, const Checkpoint& made,
                                        bool with_schemes) {
  return Comparison(plan, made, with_schemes).Make();
}

}  // namespace lbrx
