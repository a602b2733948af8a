#include <memory>
#include <unordered_map>
#include <utility>

#include "core/base/checked.h"
#include "core/base/error.h"
#include "core/base/format.h"
#include "formats/torch/layouts.h"
#include "formats/torch/pickle.h"

namespace lbrx {

namespace {

// 0x1950a86a20f9469cfc6c, little-endian, as the first pickle holds it.
constexpr std::string_view kMagic = "\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19";
constexpr uint64_t kVersion = 1001;
constexpr uint64_t kCountBytes = 8;
constexpr char kPickle[] = "the object's pickle";

class LegacyReader {
 public:
  explicit LegacyReader(const File& file) : file_(file), file_bytes_(file.Size()) {}

  TorchContent Read(uint64_t* trailing) {
    CheckMagic();
    CheckVersion();
    CheckSystem();
    TorchContent content;
    content.pickle = kPickle;
    content.root = RunPickle(kPickle, content.heap);
    auto spans = std::make_shared<Spans>(ReadStorages(content.heap));
    *trailing = file_bytes_ - position_;
    content.locate = [spans, path = file_.path()](const PickleStorage& storage) {
      const auto found = spans->find(storage.key);
      if (found == spans->end()) {
        ErrorDetail detail;
        detail.file = path;
        detail.what = Format("storage \"{}\" is not in the file's list", storage.key);
        throw Error(ErrorCode::kInvalid, std::move(detail));
      }
      return found->second;
    };
    return content;
  }

 private:
  using Spans = std::unordered_map<std::string, StorageSpan>;

  [[noreturn]] void Fail(std::string what, std::string expected, std::string found,
                         std::string advice = {}) const {
    throw Error(ErrorCode::kInvalid, {.file = file_.path(),
                                      .object = {},
                                      .what = std::move(what),
                                      .expected = std::move(expected),
                                      .found = std::move(found),
                                      .offset = position_,
                                      .advice = std::move(advice)});
  }

  PickleValue RunPickle(const char* name, PickleHeap& heap) {
    PickleInput input(file_, name, position_, file_bytes_);
    const PickleValue value = PickleMachine(input, heap).Run();
    position_ = input.position();
    return value;
  }

  void CheckMagic() {
    PickleHeap heap;
    const PickleValue magic = RunPickle("the first pickle", heap);
    if (!heap.IsText(magic, kMagic)) {
      position_ = 0;
      Fail("a Python pickle, but not one that torch.save wrote", "torch's magic number", "",
           "load it with the program that made it, and save the state_dict() with torch.save");
    }
  }

  void CheckVersion() {
    PickleHeap heap;
    const PickleValue version = RunPickle("the version's pickle", heap);
    if (version.kind != PickleKind::kInt || version.payload != kVersion) {
      Fail("unknown version of torch's legacy layout", std::to_string(kVersion), "");
    }
  }

  void CheckSystem() {
    PickleHeap heap;
    const PickleValue system = RunPickle("the system's pickle", heap);
    if (system.kind != PickleKind::kDict) {
      Fail("the description of the system is no dictionary", "a dictionary", "");
    }
    const std::vector<PickleValue>& items = heap.dicts[system.payload];
    for (size_t i = 0; i + 1 < items.size(); i += 2) {
      if (heap.IsText(items[i], "little_endian") &&
          (items[i + 1].kind != PickleKind::kBool || items[i + 1].payload == 0)) {
        Fail("the data is in another byte order", "little-endian", "",
             "load and save it with torch on a little-endian machine");
      }
    }
  }

  Spans ReadStorages(const PickleHeap& object) {
    PickleHeap heap;
    const PickleValue keys = RunPickle("the storages' pickle", heap);
    if (keys.kind != PickleKind::kList) {
      Fail("the keys of the storages are no list", "a list of strings", "");
    }
    std::unordered_map<std::string_view, const PickleStorage*> by_key;
    for (const PickleStorage& storage : object.storages) {
      by_key.emplace(storage.key, &storage);
    }
    Spans spans;
    for (const PickleValue& key : heap.lists[keys.payload]) {
      const auto storage =
          key.kind == PickleKind::kText ? by_key.find(heap.Text(key)) : by_key.end();
      if (storage == by_key.end()) {
        Fail("the list of storages names one that no tensor has", "", "");
      }
      if (!spans.emplace(storage->first, ReadStorage(*storage->second)).second) {
        Fail(Format("storage \"{}\" is listed twice", Printable(storage->first, 60)), "once", "");
      }
    }
    return spans;
  }

  // A number of elements and the elements, at `position_`, which is moved behind them.
  StorageSpan ReadStorage(const PickleStorage& storage) {
    const uint64_t count =
        PickleInput(file_, "a storage's size", position_, file_bytes_).Number(kCountBytes);
    if (count != storage.elements) {
      Fail(Format("storage \"{}\" has another size than its tensors say",
                  Printable(storage.key, 60)),
           Format("{} elements", storage.elements), std::to_string(count));
    }
    position_ += kCountBytes;
    const std::optional<uint64_t> bytes = CheckedMul(count, StorageWidth(storage));
    if (!bytes || *bytes > file_bytes_ - position_) {
      Fail(Format("storage \"{}\" lies beyond the end of the file", Printable(storage.key, 60)),
           Format("at most {} bytes", file_bytes_ - position_), Format("{} elements", count),
           "the file is cut short; copy or download it again");
    }
    const StorageSpan span = {position_, *bytes};
    position_ += *bytes;
    return span;
  }

  const File& file_;
  uint64_t file_bytes_;
  uint64_t position_ = 0;
};

}  // namespace

TorchContent ReadTorchLegacy(const File& file, uint64_t* trailing) {
  return LegacyReader(file).Read(trailing);
}

}  // namespace lbrx
