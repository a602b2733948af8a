#include "convert/mlx_fit.h"

#include <algorithm>
#include <array>
#include <set>

#include "core/base/format.h"

namespace lbrx {
namespace {

using Head = MlxClass::Head;
using Rope = MlxClass::Rope;
using Keys = std::span<const std::string_view>;

std::string_view StringAt(const Json& object, std::string_view key) {
  const Json* value = object.Find(key);
  return value != nullptr && value->is_string() ? std::string_view(value->AsString()) : "";
}

// nullopt where it is no size.
std::optional<uint64_t> SizeAt(const Json& config, std::string_view key) {
  const Json* value = config.Find(key);
  const bool is_size = value != nullptr && value->is_integer() && value->AsDouble() >= 0;
  return is_size ? std::optional(value->AsUint64()) : std::nullopt;
}

bool IsTrue(const Json& config, std::string_view key) {
  const Json* value = config.Find(key);
  return value != nullptr && value->is_bool() && value->AsBool();
}

// A type of rope_scaling that mlx_lm/models/rope_utils.py knows, and the keys that it has to have.
struct RopeType {
  std::string_view name;
  std::array<std::string_view, 3> keys = {};
};

constexpr RopeType kRopeTypes[] = {
    {"default"},
    {"linear", {"factor"}},
    {"dynamic", {"factor"}},
    {"llama3", {"factor"}},
    {"yarn", {"factor"}},
    {"deepseek_yarn", {"factor"}},
    {"telechat3-yarn", {"factor"}},
    {"longrope", {"original_max_position_embeddings", "short_factor", "long_factor"}},
    {"proportional"},
    {"mrope", {"mrope_section"}},
};

// Of phi3: always, and for its own types.
constexpr std::string_view kLongFactor[] = {"long_factor"};
constexpr std::string_view kBothFactors[] = {"long_factor", "short_factor"};

const RopeType* FindRopeType(std::string_view name) {
  const auto* row = std::find_if(std::begin(kRopeTypes), std::end(kRopeTypes),
                                 [&](const RopeType& type) { return type.name == name; });
  return row == std::end(kRopeTypes) ? nullptr : row;
}

// Looks at one folder.
class Fit {
 public:
  Fit(const Naming& naming, const Json& config, const std::vector<PlannedTensor>& tensors)
      : naming_(naming),
        architecture_(*naming.architecture),
        class_(architecture_.mlx_class),
        config_(TextConfig(config)),
        tensors_(tensors) {
    for (const PlannedTensor& tensor : tensors_) {
      names_.insert(tensor.output.name);
    }
  }

  std::vector<std::string> Refusals() {
    CheckTensors();
    CheckHead();
    Say("has no", extra_);
    Say("requires", missing_);
    CheckSizes();
    CheckLayerTypes();
    CheckRope();
    return std::move(refusals_);
  }

 private:
  void Refuse(const std::string& what) {
    refusals_.push_back(Format("MLX's class for {} {}: mlx-lm will refuse to load the result",
                               architecture_.name, what));
  }

  void Say(std::string_view verb, const std::vector<std::string>& names) {
    if (names.empty()) {
      return;
    }
    const size_t more = names.size() - 1;
    Refuse(
        Format("{} {}{}", verb, Printable(names[0]),
               more == 0 ? "" : Format(" and {} more such tensor{}", more, more == 1 ? "" : "s")));
  }

  // What decides whether a module of this role has a bias.
  std::string_view BiasOf(Role role) const {
    switch (role) {
      case Role::kTokenEmbedding:
      case Role::kPositionEmbedding:
      case Role::kOutput:
        return MlxClass::kNever;
      case Role::kQuery:
      case Role::kKey:
      case Role::kValue:
      case Role::kQueryKeyValue:
      case Role::kQueryUp:
      case Role::kKeyValueUp:
        return class_.query_bias;
      case Role::kAttentionOutput:
      case Role::kQueryDown:
      case Role::kKeyValueDown:
        return class_.attention_bias;
      default:
        return class_.feed_forward_bias;
    }
  }

  bool HasBias(Role role) const {
    const std::string_view key = BiasOf(role);
    return key == MlxClass::kAlways || (key != MlxClass::kNever && IsTrue(config_, key));
  }

  void CheckTensors() {
    for (const PlannedTensor& tensor : tensors_) {
      const std::string& name = tensor.output.name;
      const TensorMeaning meaning = naming_.Resolve(name);
      if (naming_.IsOther(name) || IsSkipped(name, meaning)) {
        continue;
      }
      if (meaning.rule == nullptr || Lacks(meaning.rule->role)) {
        extra_.push_back(name);
      } else if (meaning.rule->kind != ModuleKind::kOther) {
        CheckBias(name, meaning);
      }
    }
  }

  bool IsSkipped(const std::string& name, const TensorMeaning& meaning) const {
    return class_.skips_others && meaning.rule == nullptr &&
           !name.starts_with(naming_.Outer("model."));
  }

  bool Lacks(Role role) const {
    return std::find(class_.lacks.begin(), class_.lacks.end(), role) != class_.lacks.end();
  }

  void CheckBias(const std::string& name, const TensorMeaning& meaning) {
    const bool wanted = HasBias(meaning.rule->role);
    const bool is_weight = meaning.leaf == "weight";
    if (!is_weight && (meaning.leaf != "bias" || !wanted)) {
      extra_.push_back(name);
    } else if (is_weight && wanted) {
      const std::string bias = name.substr(0, name.size() - meaning.leaf.size()) + "bias";
      if (!names_.contains(bias)) {
        missing_.push_back(bias);
      }
    }
  }

  void CheckHead() {
    const std::string name = naming_.Outer("lm_head.weight");
    const bool there = names_.contains(name);
    if (there && class_.head == Head::kNever) {
      extra_.push_back(name);
    } else if (!there && class_.head == Head::kAlways) {
      missing_.push_back(name);
    }
  }

  void CheckSizes() {
    const ConfigKeys& keys = architecture_.keys;
    const std::optional<uint64_t> hidden = SizeAt(config_, keys.hidden);
    const std::optional<uint64_t> heads = SizeAt(config_, keys.heads);
    const std::optional<uint64_t> dimension = SizeAt(config_, "head_dim");
    if (!class_.head_dim && hidden && dimension && heads.value_or(0) > 0 &&
        *dimension != *hidden / *heads) {
      Refuse(Format("does not read head_dim, {}, but takes {} / {}, {}", *dimension, keys.hidden,
                    keys.heads, *hidden / *heads));
    }
    const std::optional<uint64_t> wide = SizeAt(config_, keys.intermediate);
    if (class_.widening > 0 && hidden && wide &&
        (*wide % class_.widening != 0 || *wide / class_.widening != *hidden)) {
      Refuse(Format("takes {} x {} for {}, which is {}", class_.widening, keys.hidden,
                    keys.intermediate, *wide));
    }
  }

  void CheckLayerTypes() {
    const Json* types = config_.Find("layer_types");
    if (types == nullptr || !types->is_array()) {
      return;
    }
    for (const std::string_view type : class_.layer_types) {
      const Json::Array& list = types->AsArray();
      if (std::find(list.begin(), list.end(), Json(type)) == list.end()) {
        Refuse(Format("requires a layer with {} in layer_types", type));
      }
    }
  }

  void CheckRope() {
    const Json* scaling = config_.Find("rope_scaling");
    if (scaling == nullptr || !scaling->is_object() || scaling->AsObject().empty()) {
      return;
    }
    std::string_view type = StringAt(*scaling, "type");
    type = type.empty() ? StringAt(*scaling, "rope_type") : type;
    type = type.empty() ? "default" : type;
    const RopeType* known = FindRopeType(type);
    switch (class_.rope) {
      case Rope::kAny:
        break;
      case Rope::kTypes:
        if (known == nullptr) {
          RefuseRope(type, "an unknown one");
        } else {
          RequireInRope(*scaling, type, known->keys);
        }
        break;
      case Rope::kLinear:
        if (type != "linear") {
          RefuseRope(type, "only linear is known");
        } else {
          RequireInRope(*scaling, type, known->keys);
        }
        break;
      case Rope::kLongFactor:
        RequireInRope(*scaling, type,
                      type == "longrope" || type == "su" ? Keys(kBothFactors) : Keys(kLongFactor));
        break;
    }
  }

  void RefuseRope(std::string_view type, std::string_view why) {
    Refuse(Format("does not take rope_scaling of type {} ({})", Printable(type), why));
  }

  void RequireInRope(const Json& scaling, std::string_view type, Keys keys) {
    for (const std::string_view key : keys) {
      if (!key.empty() && scaling.Find(key) == nullptr) {
        RefuseRope(type, Format("without {}", key));
        return;
      }
    }
  }

  const Naming& naming_;
  const Architecture& architecture_;
  const MlxClass& class_;
  const Json& config_;
  const std::vector<PlannedTensor>& tensors_;
  std::set<std::string_view> names_;
  std::vector<std::string> extra_;
  std::vector<std::string> missing_;
  std::vector<std::string> refusals_;
};

}  // namespace

std::vector<std::string> MlxRefusals(const Naming& naming, const Json& config,
                                     const std::vector<PlannedTensor>& tensors) {
  return Fit(naming, config, tensors).Refusals();
}

}  // namespace lbrx
