#include "merge/tokenizer/token_ids.h"

#include <algorithm>
#include <optional>

#include "core/base/format.h"
#include "model/wrapper.h"

namespace lbrx {
namespace {

class IdMover {
 public:
  IdMover(const OutputVocabulary& vocabulary, uint32_t model, std::vector<std::string>& notices)
      : vocabulary_(vocabulary), ids_(vocabulary.ids[model]), notices_(notices) {}

  void Move(Json& config) {
    for (auto& [key, value] : config.AsObject()) {
      if (value.is_object()) {
        Move(value);
      } else if (key.ends_with("_token_id") || key.ends_with("_token_index")) {
        MoveValue(key, value);
      }
    }
  }

 private:
  void MoveValue(const std::string& key, Json& value) {
    if (value.is_array()) {
      Json::Array kept;
      for (const Json& entry : value.AsArray()) {
        if (const std::optional<uint64_t> id = Find(entry)) {
          kept.emplace_back(*id);
        }
      }
      value = kept.empty() ? Otherwise(key) : Json(std::move(kept));
    } else if (value.is_integer() && value.AsInt64() >= 0) {  // -1 is used for "none"
      const std::optional<uint64_t> id = Find(value);
      value = id.has_value() ? Json(*id) : Otherwise(key);
    }
  }

  std::optional<uint64_t> Find(const Json& id) const {
    const auto found =
        id.is_integer() ? std::find(ids_.begin(), ids_.end(), id.AsInt64()) : ids_.end();
    return found == ids_.end()
               ? std::nullopt
               : std::optional<uint64_t>(static_cast<uint64_t>(found - ids_.begin()));
  }

  // null rather than no key at all, for which transformers has numbers of its own.
  Json Otherwise(const std::string& key) {
    for (const auto& [role, id] : vocabulary_.roles) {
      if (key == role + "_id") {
        return uint64_t{id};
      }
    }
    notices_.push_back(Format("{} is null: the result does not have this token", key));
    return {};
  }

  const OutputVocabulary& vocabulary_;
  const std::vector<int32_t>& ids_;  // of the model, by id in the result
  std::vector<std::string>& notices_;
};

}  // namespace

void SetVocabularySize(const OutputVocabulary& vocabulary, std::string_view key, Json& config) {
  Json* text = FindWrapper(config) == nullptr ? nullptr : config.Find("text_config");
  (text == nullptr ? config : *text).Set(key, vocabulary.rows);
  if (text != nullptr && config.Find(key) != nullptr) {
    config.Set(key, vocabulary.rows);
  }
}

void MoveTokenIds(const OutputVocabulary& vocabulary, uint32_t model, Json& config,
                  std::vector<std::string>& notices) {
  if (model != vocabulary.donor) {  // the donor's tokens keep their ids
    IdMover(vocabulary, model, notices).Move(config);
  }
}

}  // namespace lbrx
