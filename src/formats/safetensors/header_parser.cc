#include "formats/safetensors/header_parser.h"

#include <algorithm>
#include <optional>

#include "core/base/format.h"
#include "formats/safetensors/header_entry.h"

namespace lbrx {

namespace {

constexpr uint64_t kLengthField = 8;
constexpr std::string_view kMetadataKey = "__metadata__";
// {"dtype":"U8","shape":[1],"data_offsets":[0,1]} and a name: no entry is shorter than this.
constexpr uint64_t kShortestEntry = 50;

std::string QuoteText(std::string_view text) {
  return "\"" + Printable(text, 60) + "\"";
}

class Handler final : public JsonHandler {
 public:
  Handler(const HeaderContext& context, uint64_t header_bytes) : context_(context) {
    // Nothing larger than the header's own bytes justify; most entries are about twice that long.
    const uint64_t expected = header_bytes / (2 * kShortestEntry) + 1;
    out_.arrays.reserve(expected);
    out_.entry_bytes.reserve(expected);
  }

  ParsedHeader Take() {
    if (unknown_keys_ > 0) {
      first_unknown_.what += Format("; there are {} of them, all passed over", unknown_keys_);
      context_.problems->Warn(std::move(first_unknown_));
    }
    return std::move(out_);
  }

  void Null() override {
    // MLX writes "__metadata__": null where there is none.
    if (Skipping() || (state_ == State::kNames && key_ == kMetadataKey)) {
      return;
    }
    Unexpected("null");
  }

  void Bool(bool value) override {
    if (!Skipping()) {
      Unexpected(value ? "true" : "false");
    }
  }

  void Integer(int64_t value) override {
    if (!Skipping()) {
      Unexpected(std::to_string(value));
    }
  }

  void Double(double /*value*/, std::string_view spelling) override {
    if (!Skipping()) {
      Unexpected(Printable(spelling, 60));
    }
  }

  void Unsigned(uint64_t value) override;
  void String(std::string& value) override;
  void Key(std::string& value) override;
  void StartObject() override;
  void EndObject() override;
  void StartArray() override;
  void EndArray() override;

 private:
  enum class State : uint8_t {
    kStart,        // before the outer '{'
    kNames,        // in the outer object: names, and the value of a name
    kMetadata,     // in __metadata__
    kEntry,        // in an entry: its keys, and the value of a key that is not known
    kDType,        // at the value of dtype
    kShape,        // at the value of shape
    kShapeItems,   // in it
    kOffsets,      // at the value of data_offsets
    kOffsetItems,  // in it
  };

  bool Skipping() {
    if (skip_depth_ > 0) {
      return true;
    }
    if (skip_value_) {
      skip_value_ = false;
      return true;
    }
    return false;
  }

  ErrorDetail Detail(std::string what, std::string expected = {}, std::string found = {}) const {
    ErrorDetail detail;
    detail.file = context_.file;
    detail.object = key_;
    detail.what = std::move(what);
    detail.expected = std::move(expected);
    detail.found = std::move(found);
    detail.offset = kLengthField + position();
    return detail;
  }

  // The entry is wrong: throws, or leaves it out.
  void Reject(ErrorDetail detail) {
    context_.problems->Fail(std::move(detail));
    bad_entry_ = true;
  }

  void Unexpected(const std::string& found);
  void UnexpectedContainer(const char* found);
  void StartField(std::string_view field);
  void StartMetadata();
  void FinishEntry();

  const HeaderContext& context_;
  ParsedHeader out_;
  State state_ = State::kStart;
  uint32_t skip_depth_ = 0;  // containers open in a value that is passed over
  bool skip_value_ = false;  // the next value is passed over
  bool saw_metadata_ = false;
  uint64_t unknown_keys_ = 0;
  ErrorDetail first_unknown_;
  bool bad_entry_ = false;
  uint8_t offset_count_ = 0;
  uint64_t entry_byte_ = 0;
  HeaderEntry entry_;
  std::string key_;       // name of the entry, or __metadata__
  std::string meta_key_;  // in __metadata__
};

// A value that has no place where it stands.
void Handler::Unexpected(const std::string& found) {
  switch (state_) {
    case State::kStart:
      throw Error(ErrorCode::kInvalid,
                  Detail("the header is no JSON object", "{\"name\": {...}, ...}", found));
    case State::kNames:
      Reject(Detail(key_ == kMetadataKey ? "metadata is no object" : "entry is no object",
                    "an object", found));
      return;
    case State::kMetadata:
      Reject(Detail(Format("value of metadata key {} is no string", QuoteText(meta_key_)),
                    "a string", found));
      return;
    case State::kEntry:
      return;  // value of an unknown key: reported when the key came
    case State::kDType:
      Reject(Detail("dtype is no string", "a name like \"BF16\"", found));
      state_ = State::kEntry;
      return;
    case State::kShape:
      Reject(Detail("shape is no array", "an array of whole numbers", found));
      state_ = State::kEntry;
      return;
    case State::kShapeItems:
      Reject(Detail("shape holds what is no whole number of 64 bits", "0 to 18446744073709551615",
                    found));
      return;
    case State::kOffsets:
      Reject(Detail("data_offsets is no array", "[begin, end]", found));
      state_ = State::kEntry;
      return;
    case State::kOffsetItems:
      ++offset_count_;
      Reject(
          Detail("data_offsets holds what is no whole number of 64 bits", "[begin, end]", found));
      return;
  }
}

void Handler::UnexpectedContainer(const char* found) {
  skip_depth_ = 1;
  Unexpected(found);
}

void Handler::Unsigned(uint64_t value) {
  if (Skipping()) {
    return;
  }
  if (state_ == State::kShapeItems) {
    if (entry_.shape.rank() == Shape::kMaxRank) {
      if (!bad_entry_) {
        Reject(Detail("shape has too many dimensions", Format("at most {}", Shape::kMaxRank)));
      }
      return;
    }
    entry_.shape.push_back(value);
  } else if (state_ == State::kOffsetItems) {
    if (offset_count_ < 2) {
      (offset_count_ == 0 ? entry_.begin : entry_.end) = value;
    }
    offset_count_ = static_cast<uint8_t>(std::min<int>(offset_count_ + 1, 3));
  } else {
    Unexpected(std::to_string(value));
  }
}

void Handler::String(std::string& value) {
  if (Skipping()) {
    return;
  }
  if (state_ == State::kDType) {
    state_ = State::kEntry;
    if (const std::optional<DType> dtype = DTypeByName(value)) {
      entry_.dtype = *dtype;
    } else {
      Reject(
          Detail("unknown dtype", "one like F32, F16, BF16, U32, I64, F8_E4M3", QuoteText(value)));
    }
  } else if (state_ == State::kMetadata) {
    if (!out_.metadata.emplace(meta_key_, value).second) {
      Reject(Detail(Format("duplicate metadata key {}", QuoteText(meta_key_)), "every key once"));
    }
  } else {
    Unexpected(QuoteText(value));
  }
}

void Handler::Key(std::string& value) {
  if (skip_depth_ > 0) {
    return;
  }
  switch (state_) {
    case State::kNames:
      key_ = value;
      entry_byte_ = kLengthField + position();
      break;
    case State::kMetadata:
      meta_key_ = value;
      break;
    default:
      StartField(value);
  }
}

void Handler::StartField(std::string_view field) {
  bool* seen = nullptr;
  if (field == "dtype") {
    seen = &entry_.has_dtype;
    state_ = State::kDType;
  } else if (field == "shape") {
    seen = &entry_.has_shape;
    state_ = State::kShape;
  } else if (field == "data_offsets") {
    seen = &entry_.has_offsets;
    state_ = State::kOffsets;
  } else {
    skip_value_ = true;
    if (unknown_keys_++ == 0) {
      first_unknown_ =
          Detail(Format("unknown key {}", QuoteText(field)), "dtype, shape and data_offsets only");
    }
    return;
  }
  if (*seen) {
    Reject(Detail(Format("duplicate key \"{}\"", field), "every key once"));
    skip_value_ = true;
    state_ = State::kEntry;
  }
  *seen = true;
}

void Handler::StartObject() {
  if (skip_depth_ > 0 || skip_value_) {
    skip_value_ = false;
    ++skip_depth_;
    return;
  }
  if (state_ == State::kStart) {
    state_ = State::kNames;
  } else if (state_ == State::kNames && key_ == kMetadataKey) {
    StartMetadata();
  } else if (state_ == State::kNames) {
    state_ = State::kEntry;
    entry_ = HeaderEntry();
    offset_count_ = 0;
    bad_entry_ = false;
  } else {
    UnexpectedContainer("an object");
  }
}

void Handler::StartMetadata() {
  state_ = State::kMetadata;
  if (saw_metadata_) {
    Reject(Detail("metadata stands twice", "once"));
  }
  saw_metadata_ = true;
}

void Handler::EndObject() {
  if (skip_depth_ > 0) {
    --skip_depth_;
    return;
  }
  if (state_ == State::kEntry) {
    FinishEntry();
  }
  state_ = State::kNames;  // behind the outermost object nothing follows: the parser sees to that
}

void Handler::StartArray() {
  if (skip_depth_ > 0 || skip_value_) {
    skip_value_ = false;
    ++skip_depth_;
    return;
  }
  if (state_ == State::kShape) {
    state_ = State::kShapeItems;
  } else if (state_ == State::kOffsets) {
    state_ = State::kOffsetItems;
  } else {
    UnexpectedContainer("an array");
  }
}

void Handler::EndArray() {
  if (skip_depth_ > 0) {
    --skip_depth_;
    return;
  }
  if (state_ == State::kOffsetItems && offset_count_ != 2 && !bad_entry_) {
    Reject(Detail("data_offsets has not two numbers", "[begin, end]",
                  offset_count_ > 2 ? "more" : std::to_string(offset_count_)));
  }
  state_ = State::kEntry;
}

void Handler::FinishEntry() {
  if (bad_entry_) {
    return;
  }
  if (std::optional<ErrorDetail> wrong = CheckHeaderEntry(key_, entry_, context_.data_bytes)) {
    wrong->file = context_.file;
    wrong->object = key_;
    wrong->offset = kLengthField + position();
    Reject(std::move(*wrong));
    return;
  }
  out_.arrays.push_back({key_, entry_.dtype, entry_.shape, context_.file_index, entry_.begin,
                         entry_.end - entry_.begin});
  out_.entry_bytes.push_back(static_cast<uint32_t>(entry_byte_));  // headers end below 2^32
}

}  // namespace

ParsedHeader ParseSafetensorsHeader(std::string_view text, const HeaderContext& context) {
  Handler handler(context, text.size());
  ParseJsonEvents(text, context.file, handler, {kLengthField + text.size(), 64});
  return handler.Take();
}

}  // namespace lbrx
