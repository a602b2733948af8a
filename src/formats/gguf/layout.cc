#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "core/base/format.h"
#include "formats/gguf/gguf.h"
#include "formats/gguf/read_keys.h"

namespace lbrx {
namespace {

[[noreturn]] void Refuse(ErrorCode code, std::string object, std::string what,
                         std::string expected = {}, std::string found = {},
                         std::string advice = {}) {
  throw Error(code, {.file = {},
                     .object = std::move(object),
                     .what = std::move(what),
                     .expected = std::move(expected),
                     .found = std::move(found),
                     .offset = {},
                     .advice = std::move(advice)});
}

// A header while it is being written.
class HeaderText {
 public:
  template <typename T>
  void Number(T value) {
    std::array<char, sizeof(T)> bytes;
    std::memcpy(bytes.data(), &value, sizeof(T));
    text_.append(bytes.data(), bytes.size());
  }

  void Raw(std::string_view bytes) { text_ += bytes; }

  void Text(std::string_view text) {
    Number<uint64_t>(text.size());
    text_ += text;
  }

  void Key(std::string_view key, const GgufValue& value) {
    Text(key);
    if (value.is_array()) {
      Number(static_cast<uint32_t>(GgufType::kArray));
    }
    Number(static_cast<uint32_t>(value.type()));
    if (value.is_array()) {
      Number<uint64_t>(value.size());
    }
    if (const std::string* text = value.AsString()) {
      Text(*text);
    } else if (const std::vector<std::string>* texts = value.AsStrings()) {
      for (const std::string& element : *texts) {
        Text(element);
      }
    } else {
      const std::span<const std::byte> bytes = value.bytes();
      text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
  }

  void Pad(uint64_t alignment) { text_.resize(RoundUp(text_.size(), alignment), '\0'); }

  uint64_t size() const { return text_.size(); }

  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

template <typename T>
GgufValue Scalar(GgufType type, T value) {
  const auto bytes = std::as_bytes(std::span(&value, 1));
  return GgufValue::FromBytes(type, false, std::vector<std::byte>(bytes.begin(), bytes.end()));
}

const GgmlType& TypeOf(const OutputTensor& tensor) {
  if (IsBlock(tensor.encoding.scheme)) {
    return FindGgmlType(tensor.encoding.scheme);
  }
  const GgmlType* type =
      tensor.encoding.scheme == Scheme::kPlain ? FindGgmlType(tensor.encoding.dtype) : nullptr;
  if (type == nullptr) {
    Refuse(ErrorCode::kInvalid, tensor.name, "GGUF has no type for such a tensor",
           "one of GGML's types", SchemeLabel(tensor.encoding));
  }
  return *type;
}

void CheckTensors(const std::vector<OutputTensor>& tensors) {
  std::vector<std::string_view> names;
  names.reserve(tensors.size());
  for (const OutputTensor& tensor : tensors) {
    if (tensor.name.empty() || tensor.name.size() > kGgufLongestName) {
      Refuse(ErrorCode::kInvalid, tensor.name, "a name that GGUF cannot hold",
             Format("1 to {} bytes", kGgufLongestName), std::to_string(tensor.name.size()));
    }
    if (tensor.shape.rank() > kGgufMostDims || tensor.shape.elements() == 0) {
      Refuse(ErrorCode::kInvalid, tensor.name, "a shape that GGUF cannot hold",
             Format("at most {} dimensions, none of them 0", kGgufMostDims),
             tensor.shape.ToString());
    }
    names.push_back(tensor.name);
  }
  std::sort(names.begin(), names.end());
  const auto same = std::adjacent_find(names.begin(), names.end());
  if (same != names.end()) {
    Refuse(ErrorCode::kInvalid, std::string(*same), "two output tensors of the same name");
  }
}

class GgufLayouter {
 public:
  GgufLayouter(std::vector<OutputTensor>& tensors, const GgufTarget& target)
      : tensors_(tensors), target_(target), alignment_(GgufAlignment(*target.keys)) {
    CheckTensors(tensors);
    if (const GgufValue* value = target.keys->Find(kGgufAlignmentKey)) {
      if (std::optional<ErrorDetail> wrong = CheckGgufAlignment(*value)) {
        throw Error(ErrorCode::kInvalid, std::move(*wrong));
      }
    }
  }

  OutputLayout LayOut() {
    const uint32_t parts = AssignParts();
    OutputLayout layout;
    layout.single_file = parts == 1;
    layout.beside = parts > 1;
    size_t begin = 0;
    for (uint32_t part = 0; part < parts; ++part) {
      size_t end = begin;
      while (end < tensors_.size() && tensors_[end].planes.front().file == part) {
        ++end;
      }
      layout.files.push_back(LayOutPart(KeysOf(part, parts), begin, end));
      layout.files.back().name =
          parts == 1 ? "" : FormatGgufPartName({target_.prefix, part + 1, parts});
      begin = end;
    }
    return layout;
  }

 private:
  uint64_t Padded(const OutputTensor& tensor) const {
    const std::optional<uint64_t> bytes = CheckedAdd(tensor.planes.front().bytes, alignment_ - 1);
    if (!bytes) {
      Refuse(ErrorCode::kInternal, tensor.name, "its size overflows 64 bits");
    }
    return *bytes / alignment_ * alignment_;
  }

  // A part is closed when the next tensor would make it larger than it may be, as
  // llama-gguf-split does it.
  uint32_t AssignParts() {
    if (target_.parts) {
      return *target_.parts;
    }
    uint32_t part = 0;
    uint64_t filled = 0;
    for (OutputTensor& tensor : tensors_) {
      const uint64_t bytes = Padded(tensor);
      if (filled > 0 && target_.shard_size &&
          (filled > *target_.shard_size || bytes > *target_.shard_size - filled)) {
        ++part;
        filled = 0;
      }
      if (AddOverflows(filled, bytes, &filled)) {
        Refuse(ErrorCode::kInternal, tensor.name, "the size of a file overflows 64 bits");
      }
      tensor.planes.front().file = part;
    }
    if (part >= kGgufMostParts) {
      Refuse(ErrorCode::kUsage, "--shard-size", "the set would have too many parts",
             Format("at most {}", kGgufMostParts), std::to_string(part + uint64_t{1}));
    }
    return part + 1;
  }

  GgufKeys KeysOf(uint32_t part, uint32_t parts) const {
    GgufKeys keys;
    if (parts == 1) {
      return *target_.keys;
    }
    for (const auto& [key, value] : target_.keys->entries()) {
      if (part == 0 ? !IsGgufSplitKey(key) : key == kGgufAlignmentKey) {
        keys.Append(key, value);
      }
    }
    keys.Append("split.no", Scalar(GgufType::kU16, static_cast<uint16_t>(part)));
    keys.Append("split.tensors.count",
                Scalar(GgufType::kI32, static_cast<int32_t>(tensors_.size())));
    keys.Append("split.count", Scalar(GgufType::kU16, static_cast<uint16_t>(parts)));
    return keys;
  }

  OutputFile LayOutPart(const GgufKeys& keys, size_t begin, size_t end) {
    HeaderText header;
    header.Raw("GGUF");
    header.Number(target_.version);
    header.Number<uint64_t>(end - begin);
    header.Number<uint64_t>(keys.entries().size());
    for (const auto& [key, value] : keys.entries()) {
      header.Key(key, value);
    }
    uint64_t filled = 0;
    for (size_t i = begin; i < end; ++i) {
      AppendEntry(tensors_[i], filled, header);
      tensors_[i].planes.front().offset = filled;
      filled += Padded(tensors_[i]);
    }
    if (begin < end || target_.padded) {
      header.Pad(alignment_);
    }
    for (size_t i = begin; i < end; ++i) {
      tensors_[i].planes.front().offset += header.size();
    }
    const std::optional<uint64_t> size = CheckedAdd(header.size(), filled);
    if (!size) {
      Refuse(ErrorCode::kInternal, "", "the size of a file overflows 64 bits");
    }
    return {"", *size, header.Take()};
  }

  static void AppendEntry(const OutputTensor& tensor, uint64_t offset, HeaderText& header) {
    header.Text(tensor.name);
    header.Number(static_cast<uint32_t>(tensor.shape.rank()));
    for (size_t i = tensor.shape.rank(); i-- > 0;) {
      header.Number<uint64_t>(tensor.shape[i]);
    }
    header.Number(TypeOf(tensor).id);
    header.Number<uint64_t>(offset);
  }

  std::vector<OutputTensor>& tensors_;
  const GgufTarget& target_;
  uint64_t alignment_;
};

}  // namespace

OutputLayout LayOutGguf(std::vector<OutputTensor>& tensors, const GgufTarget& target) {
  return GgufLayouter(tensors, target).LayOut();
}

}  // namespace lbrx
