#include <algorithm>
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

using Number = std::optional<uint64_t>;

Number Multiply(const Number& a, const Number& b) {
  return a.has_value() && b.has_value() ? CheckedMul(*a, *b) : std::nullopt;
}

Number Sum(const Number& a, const Number& b) {
  return a.has_value() && b.has_value() ? CheckedAdd(*a, *b) : std::nullopt;
}

// The value of every Dim, with its meaning for people; nullopt where config.json does not tell.
class Dims {
 public:
  explicit Dims(const Subject& subject) {
    const ConfigKeys& keys = subject.architecture->keys;
    const Number hidden = subject.ConfigNumber(keys.hidden);
    const Number intermediate = subject.ConfigNumber(keys.intermediate);
    Set(Dim::kVocabulary, keys.vocabulary, subject.ConfigNumber(keys.vocabulary));
    Set(Dim::kHidden, keys.hidden, hidden);
    Set(Dim::kIntermediate, keys.intermediate, intermediate);
    Set(Dim::kTwiceIntermediate, Format("2 x {}", keys.intermediate),
        Multiply(intermediate, Number(2)));
    SetHeads(subject, hidden);
  }

  const Number& Get(Dim dim) const { return values_[static_cast<size_t>(dim)]; }

  const std::string& Text(Dim dim) const { return texts_[static_cast<size_t>(dim)]; }

 private:
  void SetHeads(const Subject& subject, const Number& hidden) {
    const ConfigKeys& keys = subject.architecture->keys;
    Number heads = subject.ConfigNumber(keys.heads);
    if (IsLatent(*subject.architecture)) {
      heads = std::nullopt;  // heads of several widths
    }
    Number key_heads = subject.ConfigNumber(keys.key_value_heads);
    if (!key_heads.has_value() || !heads.has_value()) {
      key_heads = heads;
    }
    Number head_dim = subject.ConfigNumber("head_dim");
    if (!head_dim.has_value() && hidden.has_value() && heads.value_or(0) != 0) {
      head_dim = *hidden / *heads;
    }
    const Number queries = Multiply(heads, head_dim);
    const Number key_width = Multiply(key_heads, head_dim);
    Set(Dim::kHeadDim, "head_dim", head_dim);
    Set(Dim::kQueryWidth, Format("{} x head_dim", keys.heads), queries);
    Set(Dim::kKeyWidth, Format("{} x head_dim", keys.key_value_heads), key_width);
    Set(Dim::kQueryKeyValueWidth,
        Format("({} + 2 x {}) x head_dim", keys.heads, keys.key_value_heads),
        Sum(queries, Multiply(key_width, Number(2))));
  }

  static bool IsLatent(const Architecture& architecture) {
    return std::any_of(architecture.tensors.begin(), architecture.tensors.end(),
                       [](const TensorRule& rule) { return rule.role == Role::kKeyValueDown; });
  }

  void Set(Dim dim, std::string_view text, const Number& value) {
    values_[static_cast<size_t>(dim)] = value;
    texts_[static_cast<size_t>(dim)] = text;
  }

  std::array<Number, kDimCount> values_;
  std::array<std::string, kDimCount> texts_;
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
    texts += dims.Text(expected.dims[i]);
  }
  return Format("[{}] ({})", numbers, texts);
}

std::optional<ExpectedShape> Expectation(const TensorMeaning& meaning, bool mlx_layout) {
  const RoleShape* row = meaning.rule == nullptr ? nullptr : FindRoleShape(meaning.rule->role);
  if (row == nullptr || (meaning.leaf != "weight" && meaning.leaf != "bias")) {
    return std::nullopt;
  }
  const bool matrix = meaning.leaf == "weight" && row->columns != Dim::kNone;
  if (matrix && meaning.rule->layout == Layout::kTransposed && !mlx_layout) {
    return ExpectedShape{{row->columns, row->rows}, 2};
  }
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

void AddWrongShape(const Subject& subject, const SourceTensor& tensor, std::string expected,
                   Problems& problems) {
  Problem problem;
  problem.detail = {.file = subject.FileOf(tensor),
                    .object = tensor.name,
                    .what = "the shape contradicts config.json",
                    .expected = std::move(expected),
                    .found = tensor.shape.ToString(),
                    .offset = {},
                    .advice = "use the config.json that belongs to these weights"};
  problems.push_back(std::move(problem));
}

// A norm of queries or keys: for a head at a time, shared or not, or over all of them.
void CheckHeadNorm(const Subject& subject, const SourceTensor& tensor, Role role, const Dims& dims,
                   Problems& problems) {
  const Dim width = role == Role::kQueryNorm ? Dim::kQueryWidth : Dim::kKeyWidth;
  const Number& one = dims.Get(Dim::kHeadDim);
  const Number& all = dims.Get(width);
  const uint64_t elements = tensor.shape.elements();
  if (one.has_value() && all.has_value() && elements != *one && elements != *all) {
    AddWrongShape(subject, tensor,
                  Format("{} or {} values ({}, or {})", *one, *all, dims.Text(Dim::kHeadDim),
                         dims.Text(width)),
                  problems);
  }
}

void CheckTensor(const Subject& subject, size_t index, const Dims& dims, Problems& problems) {
  const TensorMeaning& meaning = subject.meanings[index];
  const SourceTensor& tensor = subject.checkpoint.tensors[index];
  if (meaning.rule == nullptr || subject.IsPacked(tensor)) {
    return;
  }
  const Role role = meaning.rule->role;
  if (role == Role::kQueryNorm || role == Role::kKeyNorm) {
    CheckHeadNorm(subject, tensor, role, dims, problems);
    return;
  }
  const std::optional<ExpectedShape> expected = Expectation(meaning, subject.mlx_layout);
  if (expected.has_value()) {
    CheckType(subject, tensor, problems);
    if (!Fits(tensor.shape, *expected, dims)) {
      AddWrongShape(subject, tensor, Describe(*expected, dims), problems);
    }
  }
}

}  // namespace

std::optional<Shape> ConfigShape(const Subject& subject, const TensorMeaning& meaning) {
  const std::optional<ExpectedShape> expected = Expectation(meaning, subject.mlx_layout);
  if (!expected) {
    return std::nullopt;
  }
  const Dims dims(subject);
  Shape shape;
  for (size_t i = 0; i < expected->rank; ++i) {
    const Number& value = dims.Get(expected->dims[i]);
    if (!value) {
      return std::nullopt;
    }
    shape.push_back(*value);
  }
  return shape;
}

void CheckShapes(const Subject& subject, Problems& problems) {
  const Dims dims(subject);
  for (size_t i = 0; i < subject.meanings.size(); ++i) {
    CheckTensor(subject, i, dims, problems);
  }
}

}  // namespace lbrx
