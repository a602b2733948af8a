#include "check/repair/side_files.h"

#include <algorithm>
#include <array>
#include <optional>

#include "check/repair/mend_json.h"
#include "core/base/format.h"
#include "core/io/file.h"

namespace lbrx {
namespace {

// What a reference can give where it is missing. The rest (licence, code...) is not the model's.
constexpr std::array<std::string_view, 14> kFromReference = {"added_tokens.json",
                                                             "chat_template.jinja",
                                                             "chat_template.json",
                                                             "generation_config.json",
                                                             "merges.txt",
                                                             "preprocessor_config.json",
                                                             "processor_config.json",
                                                             "special_tokens_map.json",
                                                             "spiece.model",
                                                             "tokenizer.json",
                                                             "tokenizer.model",
                                                             "tokenizer_config.json",
                                                             "vocab.json",
                                                             "vocab.txt"};

// Where a part of these is missing, ids change their meaning.
constexpr std::array<std::string_view, 3> kAllOrNothing = {"added_tokens.json", "tokenizer.json",
                                                           "vocab.json"};

template <typename Names>
bool Contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

class SideFileRepair {
 public:
  SideFileRepair(const Checkpoint* reference, Plan& plan, std::vector<Mended>& mended,
                 std::vector<Lost>& lost)
      : reference_(reference), plan_(plan), mended_(mended), lost_(lost) {}

  void Run(const std::vector<SideFile>& files) {
    for (const SideFile& file : files) {
      Examine(file);
    }
    if (reference_ != nullptr) {
      for (const SideFile& file : reference_->side_files) {
        const bool there = std::any_of(files.begin(), files.end(), [&](const SideFile& known) {
          return known.name == file.name;
        });
        if (!there && Contains(kFromReference, file.name)) {
          plan_.copies.push_back(file);
          mended_.push_back({file.name, "", "missing; taken from the reference"});
        }
      }
    }
  }

 private:
  void Examine(const SideFile& file) {
    const ForeignFile foreign = RecogniseFile(file.path);
    if (foreign.stand_in) {
      Replace(file, Format("is {}", foreign.kind));
    } else if (file.name.ends_with(".json")) {
      ExamineJson(file);
    } else {
      plan_.copies.push_back(file);
    }
  }

  void ExamineJson(const SideFile& file) {
    std::string text;
    try {
      text = ReadWholeFile(file.path);
      ParseJson(text, file.path);
      plan_.copies.push_back(file);
      return;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kInvalid) {
        throw;
      }
    }
    MendedJson mended = MendJson(text);
    const std::string wrong = mended.wrong.empty() ? "no JSON" : mended.wrong.front();
    if (mended.json.is_null() ||
        (!mended.complete && (Contains(kAllOrNothing, file.name) || Reference(file.name)))) {
      Replace(file, Format("is damaged ({})", wrong));
      return;
    }
    plan_.texts.push_back({file.name, WriteJson(mended.json, {2, false, false}) + "\n"});
    mended_.push_back({file.path, "", Format("rewritten without what was wrong: {}", wrong)});
    if (!mended.complete) {
      lost_.push_back({file.name, std::nullopt, Format("parts of it: {}", wrong)});
    }
  }

  const SideFile* Reference(const std::string& name) const {
    if (reference_ == nullptr) {
      return nullptr;
    }
    const auto found = std::find_if(reference_->side_files.begin(), reference_->side_files.end(),
                                    [&](const SideFile& file) { return file.name == name; });
    return found == reference_->side_files.end() ? nullptr : &*found;
  }

  void Replace(const SideFile& file, const std::string& what) {
    if (const SideFile* other = Reference(file.name)) {
      plan_.copies.push_back(*other);
      mended_.push_back({file.path, "", what + "; taken from the reference"});
    } else {
      lost_.push_back({file.name, file.bytes, what});
    }
  }

  const Checkpoint* reference_;
  Plan& plan_;
  std::vector<Mended>& mended_;
  std::vector<Lost>& lost_;
};

}  // namespace

void RepairSideFiles(const std::vector<SideFile>& files, const Checkpoint* reference, Plan& plan,
                     std::vector<Mended>& mended, std::vector<Lost>& lost) {
  SideFileRepair(reference, plan, mended, lost).Run(files);
}

}  // namespace lbrx
