#include "formats/torch/pickle_calls.h"

#include <array>
#include <limits>
#include <span>

#include "core/base/checked.h"
#include "core/base/error.h"
#include "core/base/format.h"

namespace lbrx {

namespace {

using Arguments = std::span<const PickleValue>;

constexpr uint64_t kMostInt = std::numeric_limits<int64_t>::max();

constexpr size_t kMostMetadata = 32;  // keys and values

class Call {
 public:
  Call(const PickleGlobal& global, const PickleValue& arguments, PickleHeap& heap,
       const PickleSite& site)
      : global_(global), arguments_(arguments), heap_(heap), site_(site) {}

  PickleValue Run() {
    switch (global_.role) {
      case PickleRole::kDict:
        return Dict();
      case PickleRole::kTensor:
        return Tensor(4, 4);
      case PickleRole::kTensor2:
        return Tensor(6, 7);
      case PickleRole::kTensor3:
        return Tensor(7, 8);
      case PickleRole::kParameter:
        CountArguments(2, 4);
        return Argument(0, PickleKind::kTensor);
      case PickleRole::kTuple:
        CountArguments(1, 1);
        return Argument(0, PickleKind::kTuple);
      case PickleRole::kHarmless:
        return {.kind = PickleKind::kOpaque};
      case PickleRole::kUnsupported:
        return Add({.flaw = global_.note});
      case PickleRole::kStorageClass:
      case PickleRole::kDType:
        break;
    }
    site_.Fail(Format("the pickle calls \"{}.{}\", which stands for a type only", global_.module,
                      global_.name),
               "", "", kUntrustedPickle);
  }

 private:
  void CountArguments(size_t least, size_t most) const {
    if (arguments_.count < least || arguments_.count > most) {
      site_.Fail(Format("{} has another number of arguments", global_.name),
                 least == most ? std::to_string(least) : Format("{} to {}", least, most),
                 std::to_string(arguments_.count));
    }
  }

  const PickleValue& Argument(size_t i, PickleKind kind) const {
    const PickleValue& value = heap_.Tuple(arguments_)[i];
    if (value.kind != kind) {
      site_.Fail(Format("argument {} of {} is of another type", i + 1, global_.name),
                 std::string(PickleKindName(kind)), std::string(PickleKindName(value.kind)));
    }
    return value;
  }

  // OrderedDict() and OrderedDict([(key, value), ...]); a Counter is made of a dict, a defaultdict
  // of what makes its defaults.
  PickleValue Dict() {
    if (arguments_.count == 1) {
      const PickleValue value = heap_.Tuple(arguments_)[0];
      if (value.kind == PickleKind::kDict) {
        return value;
      }
      if (value.kind == PickleKind::kList) {
        return DictOf(heap_.lists[value.payload]);
      }
    }
    heap_.dicts.emplace_back();
    return {.kind = PickleKind::kDict, .payload = heap_.dicts.size() - 1};
  }

  PickleValue DictOf(const std::vector<PickleValue>& pairs) {
    std::vector<PickleValue> items;
    items.reserve(2 * pairs.size());
    for (const PickleValue& pair : pairs) {
      Arguments two;
      if (pair.kind == PickleKind::kTuple) {
        two = heap_.Tuple(pair);
      } else if (pair.kind == PickleKind::kList) {
        two = heap_.lists[pair.payload];
      }
      if (two.size() != 2) {
        site_.Fail("a dictionary is made of something that is no pair", "a key and a value",
                   Format("{} values", two.size()));
      }
      items.insert(items.end(), two.begin(), two.end());
    }
    heap_.dicts.push_back(std::move(items));
    return {.kind = PickleKind::kDict, .payload = heap_.dicts.size() - 1};
  }

  // (storage, offset, size, stride[, requires_grad, hooks[, dtype][, metadata]])
  PickleValue Tensor(size_t least, size_t most) {
    CountArguments(least, most);
    PickleTensor tensor;
    tensor.storage = static_cast<uint32_t>(Argument(0, PickleKind::kStorage).payload);
    tensor.offset = Argument(1, PickleKind::kInt);
    tensor.shape = Argument(2, PickleKind::kTuple);
    tensor.strides = Argument(3, PickleKind::kTuple);
    if (global_.role == PickleRole::kTensor3) {
      const PickleGlobal& dtype = PickleGlobalAt(Argument(6, PickleKind::kGlobal).payload);
      if (dtype.role != PickleRole::kDType) {
        site_.Fail("argument 7 of _rebuild_tensor_v3 is of another type", "a dtype",
                   Format("{}.{}", dtype.module, dtype.name));
      }
      tensor.dtype = &dtype;
    }
    if (arguments_.count == most && most > 4) {
      tensor.flaw = FlawOf(heap_.Tuple(arguments_)[most - 1]);
    }
    return Add(tensor);
  }

  // torch's metadata {"conj": True} and {"neg": True}: the values are not those stored.
  std::string_view FlawOf(const PickleValue& metadata) const {
    if (metadata.kind != PickleKind::kDict) {
      return {};
    }
    const std::vector<PickleValue>& items = heap_.dicts[metadata.payload];
    if (items.size() > kMostMetadata) {
      return "a tensor with metadata that torch does not write";
    }
    for (size_t i = 0; i + 1 < items.size(); i += 2) {
      const bool set = items[i + 1].kind == PickleKind::kBool && items[i + 1].payload != 0;
      if (set && (heap_.IsText(items[i], "conj") || heap_.IsText(items[i], "neg"))) {
        return "a conjugate or negated view";
      }
    }
    return {};
  }

  PickleValue Add(PickleTensor tensor) {
    tensor.position = site_.position;
    heap_.tensors.push_back(tensor);
    return {.kind = PickleKind::kTensor, .payload = heap_.tensors.size() - 1};
  }

  const PickleGlobal& global_;
  PickleValue arguments_;
  PickleHeap& heap_;
  const PickleSite& site_;
};

constexpr size_t kIdParts = 5;
constexpr uint32_t kMostKey = 256;  // bytes of a storage's key

[[noreturn]] void FailId(const PickleSite& site) {
  site.Fail("a persistent id is none of a storage",
            "(\"storage\", class, key, location, elements[, view])");
}

bool IsKey(const PickleValue& value) {
  return value.kind == PickleKind::kText && value.count <= kMostKey;
}

// (key, offset, elements) of a view of another storage, which the legacy layout has.
void AddView(const PickleValue& view, const PickleHeap& heap, PickleStorage& storage,
             std::string& key, const PickleSite& site) {
  if (view.kind == PickleKind::kNone) {
    return;
  }
  const Arguments parts = view.kind == PickleKind::kTuple ? heap.Tuple(view) : Arguments();
  if (parts.size() != 3 || !IsKey(parts[0]) || parts[1].kind != PickleKind::kInt ||
      parts[2].kind != PickleKind::kInt) {
    FailId(site);
  }
  uint64_t end = 0;
  storage.view_offset = parts[1].payload;
  if (AddOverflows(parts[1].payload, parts[2].payload, &end) || end > storage.elements) {
    site.Fail("a view lies outside of its storage", Format("at most {} elements", storage.elements),
              Format("{} from {}", parts[2].payload, parts[1].payload));
  }
  key += '\0';
  key += heap.Text(parts[0]);
}

}  // namespace

std::string_view PickleKindName(PickleKind kind) {
  constexpr std::array<std::string_view, 11> kNames = {
      "None",   "a bool",       "an integer",         "another object", "a string", "a tuple",
      "a list", "a dictionary", "a type or function", "a storage",      "a tensor"};
  return kNames[static_cast<size_t>(kind)];
}

PickleValue CallPickleGlobal(const PickleGlobal& global, const PickleValue& arguments,
                             PickleHeap& heap, const PickleSite& site) {
  return Call(global, arguments, heap, site).Run();
}

PickleValue LoadPickleStorage(const PickleValue& id, PickleHeap& heap,
                              std::unordered_map<std::string, uint32_t>& known,
                              const PickleSite& site) {
  const Arguments parts = id.kind == PickleKind::kTuple ? heap.Tuple(id) : Arguments();
  if (parts.size() < kIdParts || parts.size() > kIdParts + 1 || !heap.IsText(parts[0], "storage") ||
      parts[1].kind != PickleKind::kGlobal || !IsKey(parts[2]) ||
      parts[4].kind != PickleKind::kInt) {
    FailId(site);
  }
  PickleStorage storage;
  storage.type = &PickleGlobalAt(parts[1].payload);
  storage.key = heap.Text(parts[2]);
  storage.elements = parts[4].payload;
  if (storage.type->role != PickleRole::kStorageClass || storage.elements > kMostInt) {
    FailId(site);
  }
  std::string key = storage.key;
  if (parts.size() > kIdParts) {
    AddView(parts[kIdParts], heap, storage, key, site);
  }
  const auto [entry, added] = known.emplace(key, heap.storages.size());
  if (added) {
    heap.storages.push_back(std::move(storage));
  } else {
    const PickleStorage& before = heap.storages[entry->second];
    if (before.type != storage.type || before.elements != storage.elements ||
        before.view_offset != storage.view_offset) {
      site.Fail(Format("storage \"{}\" is told in two ways", Printable(storage.key, 60)),
                Format("{} of {} elements", before.type->name, before.elements),
                Format("{} of {}", storage.type->name, storage.elements));
    }
  }
  return {.kind = PickleKind::kStorage, .payload = entry->second};
}

}  // namespace lbrx
