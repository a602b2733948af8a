#include <array>

#include "check/rules/rules.h"
#include "core/base/checked.h"
#include "core/base/format.h"

namespace lbrx {
namespace {

// What a dimension is, in terms of config.json.
enum class Dim : uint8_t {
  kNone,  // there is no such dimension
  kVocabulary,
  kHidden,
  kQueryWidth,
  kKeyWidth,
  kQueryKeyValueWidth,
  kHeadDim,
  kIntermediate,
  kTwiceIntermediate,
};
constexpr size_t kDimCount = 9;

// A weight is [rows, columns], or a vector of `rows`; a bias is a vector of `rows`.
struct RoleShape {
  Role role;
  Dim rows;
  Dim columns = Dim::kNone;
};

constexpr RoleShape kRoleShapes[] = {
    {Role::kTokenEmbedding, Dim::kVocabulary, Dim::kHidden},
    {Role::kOutput, Dim::kVocabulary, Dim::kHidden},
    {Role::kOutputNorm, Dim::kHidden},
    {Role::kAttentionNorm, Dim::kHidden},
    {Role::kAttentionPostNorm, Dim::kHidden},
    {Role::kFeedForwardNorm, Dim::kHidden},
    {Role::kFeedForwardPostNorm, Dim::kHidden},
    {Role::kQuery, Dim::kQueryWidth, Dim::kHidden},
    {Role::kKey, Dim::kKeyWidth, Dim::kHidden},
    {Role::kValue, Dim::kKeyWidth, Dim::kHidden},
    {Role::kQueryKeyValue, Dim::kQueryKeyValueWidth, Dim::kHidden},
    {Role::kAttentionOutput, Dim::kHidden, Dim::kQueryWidth},
    {Role::kQueryNorm, Dim::kHeadDim},
    {Role::kKeyNorm, Dim::kHeadDim},
    {Role::kGate, Dim::kIntermediate, Dim::kHidden},
    {Role::kUp, Dim::kIntermediate, Dim::kHidden},
    {Role::kDown, Dim::kHidden, Dim::kIntermediate},
    {Role::kGateUp, Dim::kTwiceIntermediate, Dim::kHidden},
};

const RoleShape* FindRoleShape(Role role) {
  for (const RoleShape& row : kRoleShapes) {
    if (row.role == role) {
      return &row;
    }
  }
  return nullptr;
}

std::string_view DimText(Dim dim) {
  constexpr std::array<std::string_view, kDimCount> kTexts = {
      "",
      "vocab_size",
      "hidden_size",
      "num_attention_heads x head_dim",
      "num_key_value_heads x head_dim",
      "(num_attention_heads + 2 num_key_value_heads) x head_dim",
      "head_dim",
      "intermediate_size",
      "2 intermediate_size",
  };
  return kTexts[static_cast<size_t>(dim)];
}

using Number = std::optional<uint64_t>;

Number Multiply(const Number& a, const Number& b) {
  return a.has_value() && b.has_value() ? CheckedMul(*a, *b) : std::nullopt;
}

Number Sum(const Number& a, const Number& b) {
  return a.has_value() && b.has_value() ? CheckedAdd(*a, *b) : std::nullopt;
}

// The value of every Dim; nullopt where config.json does not tell.
class Dims {
 public:
  explicit Dims(const Subject& subject) {
    const Number hidden = subject.ConfigNumber("hidden_size");
    const Number heads = subject.ConfigNumber("num_attention_heads");
    Number key_heads = subject.ConfigNumber("num_key_value_heads");
    if (!key_heads.has_value()) {
      key_heads = heads;
    }
    Number head_dim = subject.ConfigNumber("head_dim");
    if (!head_dim.has_value() && hidden.has_value() && heads.value_or(0) != 0) {
      head_dim = *hidden / *heads;
    }
    Set(Dim::kVocabulary, subject.ConfigNumber("vocab_size"));
    Set(Dim::kHidden, hidden);
    Set(Dim::kHeadDim, head_dim);
    Set(Dim::kQueryWidth, Multiply(heads, head_dim));
    Set(Dim::kKeyWidth, Multiply(key_heads, head_dim));
    Set(Dim::kQueryKeyValueWidth,
        Sum(Get(Dim::kQueryWidth), Multiply(Get(Dim::kKeyWidth), Number(2))));
    Set(Dim::kIntermediate, subject.ConfigNumber("intermediate_size"));
    Set(Dim::kTwiceIntermediate, Multiply(Get(Dim::kIntermediate), Number(2)));
  }

  const Number& Get(Dim dim) const { return values_[static_cast<size_t>(dim)]; }

 private:
  void Set(Dim dim, const Number& value) { values_[static_cast<size_t>(dim)] = value; }

  std::array<Number, kDimCount> values_;
};

// The dimensions that a tensor must have.
struct ExpectedShape {
  std::array<Dim, 2> dims;
  size_t rank;
};

bool Fits(const Shape& shape, const ExpectedShape& expected, const Dims& dims) {
  if (shape.rank() != expected.rank) {
    return false;
  }
  for (size_t i = 0; i < expected.rank; ++i) {
    const Number& value = dims.Get(expected.dims[i]);
    if (value.has_value() && *value != shape[i]) {
      return false;
    }
  }
  return true;
}

// "[2048, 256] (vocab_size, hidden_size)"
std::string Describe(const ExpectedShape& expected, const Dims& dims) {
  std::string numbers;
  std::string texts;
  for (size_t i = 0; i < expected.rank; ++i) {
    const Number& value = dims.Get(expected.dims[i]);
    numbers += (i == 0 ? "" : ", ") + (value.has_value() ? std::to_string(*value) : "any");
    texts += i == 0 ? "" : ", ";
    texts += DimText(expected.dims[i]);
  }
  return Format("[{}] ({})", numbers, texts);
}

std::optional<ExpectedShape> Expectation(const TensorMeaning& meaning) {
  const RoleShape* row = meaning.rule == nullptr ? nullptr : FindRoleShape(meaning.rule->role);
  if (row == nullptr || (meaning.leaf != "weight" && meaning.leaf != "bias")) {
    return std::nullopt;
  }
  const bool matrix = meaning.leaf == "weight" && row->columns != Dim::kNone;
  return ExpectedShape{{row->rows, row->columns}, matrix ? size_t{2} : size_t{1}};
}

// A weight of integers is some other library's quantization.
void CheckType(const Subject& subject, const SourceTensor& tensor, Problems& problems) {
  if (tensor.encoding.scheme != Scheme::kPlain || Info(tensor.encoding.dtype).floating) {
    return;
  }
  Problem problem;
  problem.detail = {.file = subject.FileOf(tensor),
                    .object = tensor.name,
                    .what = "the elements are no floating numbers",
                    .expected = "a floating type",
                    .found = std::string(Name(tensor.encoding.dtype)),
                    .offset = {},
                    .advice = "get the checkpoint before it was quantized"};
  problems.push_back(std::move(problem));
}

void CheckShape(const Subject& subject, const SourceTensor& tensor, const ExpectedShape& expected,
                const Dims& dims, Problems& problems) {
  if (Fits(tensor.shape, expected, dims)) {
    return;
  }
  Problem problem;
  problem.detail = {.file = subject.FileOf(tensor),
                    .object = tensor.name,
                    .what = "the shape contradicts config.json",
                    .expected = Describe(expected, dims),
                    .found = tensor.shape.ToString(),
                    .offset = {},
                    .advice = "use the config.json that belongs to these weights"};
  problems.push_back(std::move(problem));
}

}  // namespace

void CheckShapes(const Subject& subject, Problems& problems) {
  const Dims dims(subject);
  for (size_t i = 0; i < subject.meanings.size(); ++i) {
    const std::optional<ExpectedShape> expected = Expectation(subject.meanings[i]);
    const SourceTensor& tensor = subject.checkpoint.tensors[i];
    if (expected.has_value() && !subject.IsPacked(tensor)) {
      CheckType(subject, tensor, problems);
      CheckShape(subject, tensor, *expected, dims, problems);
    }
  }
}

}  // namespace lbrx
