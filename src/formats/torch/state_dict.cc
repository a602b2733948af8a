#include "formats/torch/state_dict.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "core/base/error.h"
#include "core/base/format.h"
#include "formats/torch/pickle_calls.h"

namespace lbrx {

namespace {

constexpr std::array<std::string_view, 4> kWrappers = {"state_dict", "model_state_dict", "model",
                                                       "module"};
constexpr std::string_view kOptimizer = "optimizer";
constexpr size_t kMostDepth = 32;
constexpr size_t kMostName = 1024;
constexpr size_t kMostNames = size_t{1} << 27;  // bytes of all names
constexpr size_t kNamesShown = 8;

class StateDictFinder {
 public:
  StateDictFinder(const PickleHeap& heap, const std::string& file, const std::string& pickle)
      : heap_(heap), file_(file), pickle_(pickle) {}

  std::vector<NamedTensor> Find(const PickleValue& root, ProblemSink& problems) {
    if (root.kind != PickleKind::kDict) {
      Fail("the file holds no state dict", "a dictionary of tensors",
           std::string(PickleKindName(root.kind)));
    }
    uint64_t dict = root.payload;
    for (size_t depth = 0; depth < kMostDepth; ++depth) {
      const std::optional<uint64_t> inner = Wrapped(dict);
      if (!inner) {
        break;
      }
      dict = *inner;
    }
    visited_.assign(heap_.dicts.size(), false);
    Walk(dict, "", 0);
    if (found_.empty()) {
      Fail("the file holds no tensors", "a state dict", "");
    }
    WarnPassedOver(problems);
    return std::move(found_);
  }

 private:
  [[noreturn]] void Fail(std::string what, std::string expected, std::string found) const {
    throw Error(ErrorCode::kInvalid,
                {.file = file_,
                 .object = pickle_,
                 .what = std::move(what),
                 .expected = std::move(expected),
                 .found = std::move(found),
                 .offset = {},
                 .advice = "save a model's state_dict() with torch.save, or give another file"});
  }

  // The dictionary inside `dict` that is the state dict, or leads to it.
  std::optional<uint64_t> Wrapped(uint64_t dict) {
    const std::vector<PickleValue>& items = heap_.dicts[dict];
    for (const std::string_view wrapper : kWrappers) {
      for (size_t i = 0; i + 1 < items.size(); i += 2) {
        if (items[i + 1].kind == PickleKind::kDict && heap_.IsText(items[i], wrapper) &&
            HoldsTensor(items[i + 1].payload)) {
          PassOverOthers(items, i);
          return items[i + 1].payload;
        }
      }
    }
    return std::nullopt;
  }

  bool HoldsTensor(uint64_t dict) const {
    std::vector<bool> seen(heap_.dicts.size());
    std::vector<uint64_t> open = {dict};
    seen[dict] = true;
    while (!open.empty()) {
      const std::vector<PickleValue>& items = heap_.dicts[open.back()];
      open.pop_back();
      for (size_t i = 1; i < items.size(); i += 2) {
        if (items[i].kind == PickleKind::kTensor) {
          return true;
        }
        if (items[i].kind == PickleKind::kDict && !seen[items[i].payload]) {
          seen[items[i].payload] = true;
          open.push_back(items[i].payload);
        }
      }
    }
    return false;
  }

  // NOLINTNEXTLINE(misc-no-recursion): at most kMostDepth
  void Walk(uint64_t dict, const std::string& prefix, size_t depth) {
    if (visited_[dict] || depth == kMostDepth) {
      Fail(Format("the dictionary \"{}\" is found inside itself, or too deep",
                  Printable(prefix, 100)),
           "a tree of dictionaries", "");
    }
    visited_[dict] = true;
    const std::vector<PickleValue>& items = heap_.dicts[dict];
    for (size_t i = 0; i + 1 < items.size(); i += 2) {
      const PickleValue& key = items[i];
      const PickleValue& value = items[i + 1];
      const bool nested = value.kind == PickleKind::kDict;
      if (key.kind != PickleKind::kText || (!nested && value.kind != PickleKind::kTensor) ||
          (nested && heap_.Text(key).starts_with(kOptimizer))) {
        PassOver(key);
      } else if (nested) {
        Walk(value.payload, NameOf(prefix, key) + ".", depth + 1);
      } else {
        found_.push_back({NameOf(prefix, key), static_cast<uint32_t>(value.payload)});
      }
    }
  }

  std::string NameOf(const std::string& prefix, const PickleValue& key) {
    const std::string_view text = heap_.Text(key);
    names_ += prefix.size() + text.size();
    if (prefix.size() + text.size() > kMostName || names_ > kMostNames) {
      Fail(Format("the name of a tensor, \"{}{}\", is too long", Printable(prefix, 50),
                  Printable(text, 50)),
           Format("at most {} bytes, {} in all", kMostName, kMostNames),
           std::to_string(prefix.size() + text.size()));
    }
    std::string name = prefix;
    name += text;
    // Also refuses what is no UTF-8, which no other format can store.
    if (text.empty() || Printable(name, kMostName) != name) {
      Fail(Format("the name of a tensor, \"{}\", has characters that cannot be shown",
                  Printable(name, 100)),
           "a printable name", "");
    }
    return name;
  }

  void PassOver(const PickleValue& key) {
    ++passed_over_;
    if (passed_over_ <= kNamesShown && key.kind == PickleKind::kText) {
      passed_names_ += passed_names_.empty() ? "" : ", ";
      passed_names_ += Printable(heap_.Text(key), 60);
    }
  }

  void PassOverOthers(const std::vector<PickleValue>& items, size_t chosen) {
    for (size_t i = 0; i + 1 < items.size(); i += 2) {
      if (i != chosen) {
        PassOver(items[i]);
      }
    }
  }

  void WarnPassedOver(ProblemSink& problems) const {
    if (passed_over_ == 0) {
      return;
    }
    ErrorDetail detail;
    detail.file = file_;
    detail.what = Format("{} value{} beside the model's tensors {} passed over", passed_over_,
                         passed_over_ == 1 ? "" : "s", passed_over_ == 1 ? "is" : "are");
    detail.found = passed_names_;
    problems.Warn(std::move(detail));
  }

  const PickleHeap& heap_;
  const std::string& file_;
  const std::string& pickle_;
  std::vector<NamedTensor> found_;
  std::vector<bool> visited_;
  size_t names_ = 0;
  size_t passed_over_ = 0;
  std::string passed_names_;
};

}  // namespace

std::vector<NamedTensor> FindStateDict(const PickleHeap& heap, const PickleValue& root,
                                       const std::string& file, const std::string& pickle,
                                       ProblemSink& problems) {
  return StateDictFinder(heap, file, pickle).Find(root, problems);
}

}  // namespace lbrx
