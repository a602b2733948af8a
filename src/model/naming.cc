#include "model/naming.h"

#include <algorithm>

#include "model/gguf_names.h"

namespace lbrx {
namespace {

const Architecture* TextOf(const Wrapper& wrapper, const Json& config) {
  const Json& text = TextConfig(config);
  const Json* type = &text == &config ? nullptr : text.Find("model_type");
  if (wrapper.texts.size() == 1 || type == nullptr || !type->is_string()) {
    return wrapper.texts[0];
  }
  const auto found =
      std::find_if(wrapper.texts.begin(), wrapper.texts.end(),
                   [&](const Architecture* row) { return row->name == type->AsString(); });
  return found == wrapper.texts.end() ? nullptr : *found;
}

using Spellings = std::span<const Spelling* const>;

// By the tensors' names; the usual one where none of them tells.
const Spelling* SpellingIn(Spellings spellings, const Checkpoint& checkpoint) {
  for (const Spelling* spelling : spellings) {
    const std::string start = std::string(spelling->name) + ".";
    if (spelling != &kPlainSpelling &&  // others start so too
        std::any_of(checkpoint.tensors.begin(), checkpoint.tensors.end(),
                    [&](const SourceTensor& tensor) { return tensor.name.starts_with(start); })) {
      return spelling;
    }
  }
  return spellings[0];
}

const Spelling* RememberedSpelling(Spellings spellings, const Checkpoint& checkpoint) {
  const auto name = checkpoint.metadata.find(std::string(kSpellingKey));
  if (name != checkpoint.metadata.end()) {
    for (const Spelling* spelling : spellings) {
      if (spelling->name == name->second) {
        return spelling;
      }
    }
  }
  return spellings[0];
}

}  // namespace

const Spelling& Naming::spelling() const {
  switch (container) {
    case Container::kHuggingFace:
      return *hugging_face;
    case Container::kMlx:
      return wrapper == nullptr ? kPlainSpelling : kAroundSpelling;
    case Container::kGguf:
      break;
  }
  return kPlainSpelling;
}

std::span<const Spelling* const> Naming::spellings() const {
  return wrapper != nullptr        ? wrapper->spellings
         : architecture != nullptr ? architecture->spellings
                                   : Spellings(kOnlyPlain);
}

TensorMeaning Naming::Resolve(std::string_view name) const {
  if (architecture == nullptr) {
    return {};
  }
  if (container == Container::kGguf) {
    return ResolveGguf(*architecture, name);
  }
  for (const Prefix& prefix : spelling().text) {
    if (name.starts_with(prefix.outer)) {
      const std::string_view rest = name.substr(prefix.outer.size());
      return container == Container::kMlx ? ResolveMlx(*architecture, rest, prefix.own)
                                          : lbrx::Resolve(*architecture, rest, prefix.own);
    }
  }
  return {};
}

std::string Naming::Spell(const TensorMeaning& meaning) const {
  const TensorRule& rule = *meaning.rule;
  if (container == Container::kGguf) {
    return lbrx::Spell(GgufModule(rule, meaning.second), meaning, meaning.leaf);
  }
  const bool mlx = container == Container::kMlx;
  const std::string_view pattern = !mlx || rule.mlx.empty() ? rule.pattern
                                   : meaning.second         ? rule.mlx_second
                                                            : rule.mlx;
  return Outer(lbrx::Spell(pattern, meaning, meaning.leaf));
}

std::string Naming::Outer(std::string_view own) const {
  for (const Prefix& prefix : spelling().text) {
    if (own.starts_with(prefix.own)) {
      return std::string(prefix.outer).append(own.substr(prefix.own.size()));
    }
  }
  return std::string(own);
}

bool Naming::IsOther(std::string_view name) const {
  if (wrapper == nullptr || !name.starts_with(spelling().others)) {
    return false;
  }
  name.remove_prefix(spelling().others.size());
  return std::any_of(wrapper->others.begin(), wrapper->others.end(), [&](std::string_view module) {
    return name.starts_with(module) && name.substr(module.size()).starts_with('.');
  });
}

std::string Naming::Translate(const Naming& from, std::string_view name) const {
  if (from.IsOther(name)) {
    return std::string(spelling().others).append(name.substr(from.spelling().others.size()));
  }
  for (const Prefix& prefix : from.spelling().text) {
    if (name.starts_with(prefix.outer)) {
      return Outer(std::string(prefix.own).append(name.substr(prefix.outer.size())));
    }
  }
  return std::string(name);
}

Naming Naming::InMlx() const {
  Naming out = *this;
  out.container = Container::kMlx;
  return out;
}

Naming Naming::InGguf() const {
  Naming out = *this;
  out.container = Container::kGguf;
  return out;
}

Naming Naming::InHuggingFace() const {
  Naming out = *this;
  out.container = Container::kHuggingFace;
  return out;
}

Naming Naming::Usual() const {
  Naming out = InHuggingFace();
  out.hugging_face = spellings()[0];
  return out;
}

Naming Naming::TextAlone() const {
  if (wrapper == nullptr) {
    return *this;
  }
  Naming out;
  out.container = container;
  out.architecture = wrapper->alone != nullptr ? wrapper->alone : architecture;
  return out;
}

Naming NamingOf(const Checkpoint& checkpoint) {
  Naming out;
  const bool mlx = checkpoint.format == "mlx";
  if (checkpoint.gguf != nullptr) {
    out.container = Container::kGguf;
  } else if (mlx) {
    out.container = Container::kMlx;
  }
  out.wrapper = FindWrapper(checkpoint.config);
  out.architecture = out.wrapper == nullptr ? FindArchitecture(checkpoint.config)
                                            : TextOf(*out.wrapper, checkpoint.config);
  out.hugging_face = mlx ? RememberedSpelling(out.spellings(), checkpoint)
                         : SpellingIn(out.spellings(), checkpoint);
  return out;
}

}  // namespace lbrx
