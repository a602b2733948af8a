// Hugging Face -> GGUF -> Hugging Face and GGUF -> Hugging Face -> GGUF for every architecture.

#include <cmath>
#include <functional>
#include <set>

#include "convert/test_gguf.h"
#include "core/base/format.h"
#include "formats/gguf/keys.h"
#include "model/naming.h"

namespace lbrx {
namespace {

// Values that GGUF carries as F32 are the same to seven digits.
bool IsSameValue(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) {
    return std::abs(a.AsDouble() - b.AsDouble()) <= 1e-7 * std::abs(a.AsDouble());
  }
  if (a.is_array() && b.is_array()) {
    const Json::Array& x = a.AsArray();
    const Json::Array& y = b.AsArray();
    return x.size() == y.size() && std::equal(x.begin(), x.end(), y.begin(), IsSameValue);
  }
  if (a.is_object() && b.is_object()) {
    return std::all_of(a.AsObject().begin(), a.AsObject().end(), [&](const auto& row) {
      const Json* other = b.Find(row.first);
      return other != nullptr && IsSameValue(row.second, *other);
    });
  }
  return a == b;
}

// Members that GGUF need not carry: for training, for other programs, or those of transformers'
// defaults that mean "nothing special". (Ids of special tokens are those of the tokenizer.)
bool IsUnused(const std::string& member) {
  static const std::set<std::string> names = {
      "add_cross_attention",
      "attention_dropout",
      "attn_pdrop",
      "bos_token_id",
      "embd_pdrop",
      "embedding_dropout",
      "eos_token_id",
      "hidden_dropout",
      "initializer_range",
      "max_window_layers",
      "output_router_logits",
      "pad_token_id",
      "pretraining_tp",
      "reorder_and_upcast_attn",
      "resid_pdrop",
      "residual_dropout",
      "router_aux_loss_coef",
      "router_jitter_noise",
      "summary_first_dropout",
      "summary_proj_to_labels",
      "summary_type",
      "summary_use_proj",
      "transformers_version",
      "use_cache",
  };
  return names.contains(member);
}

// What comes back otherwise than it was, and computes the same.
bool MeansTheSame(const std::string& member, const Json& config) {
  const auto is = [&](std::string_view name, const Json& value) {
    const Json* found = config.Find(name);
    return found != nullptr && *found == value;
  };
  if (member == "layer_types" || member == "use_sliding_window") {  // full attention, the default
    return is("use_sliding_window", false);
  }
  if (member == "sliding_window") {  // not used, or longer than any context
    return is("use_sliding_window", false) || is("model_type", "mistral");
  }
  if (member == "num_nextn_predict_layers") {  // the layer is left out
    return is("model_type", "deepseek_v3");
  }
  if (member == "_sliding_window_pattern") {
    return config.Find("layer_types") != nullptr;  // which says it layer by layer
  }
  // A Mistral without a window is a Llama.
  return (member == "model_type" || member == "architectures") && is("model_type", "mistral");
}

// `notices` of the way there name what llama.cpp computes otherwise.
void ExpectSameUse(const Json& before, const Json& after, const std::string& notices) {
  for (const auto& [member, value] : before.AsObject()) {
    const Json* other = after.Find(member);
    const bool same = other == nullptr ? value.is_null() : IsSameValue(value, *other);
    EXPECT_TRUE(same || IsUnused(member) || MeansTheSame(member, before) ||
                notices.find("config.json says " + member + " = ") != std::string::npos)
        << member << ": " << WriteJson(value) << " became "
        << (other == nullptr ? "nothing" : WriteJson(*other));
  }
}

void ExpectSameTokenizer(const std::string& before, const std::string& after) {
  const Json a = ReadJson(before + "/tokenizer.json");
  const Json b = ReadJson(after + "/tokenizer.json");
  EXPECT_TRUE(*a.Find("added_tokens") == *b.Find("added_tokens"));
  for (const char* member : {"vocab", "merges"}) {
    EXPECT_TRUE(*a.Find("model")->Find(member) == *b.Find("model")->Find(member)) << member;
  }
  EXPECT_EQ(ReadTestFile(before + "/chat_template.jinja"),
            ReadTestFile(after + "/chat_template.jinja"));
}

void ExpectSameKeys(const std::string& before, const std::string& after) {
  const Checkpoint a = OpenCheckpoint(before);
  const Checkpoint b = OpenCheckpoint(after);
  const auto is_title = [](const GgufKeys::Entry& entry) {
    return entry.first == "general.name" || entry.first == "general.size_label";
  };
  for (const GgufKeys::Entry& entry : a.gguf->entries()) {
    const GgufValue* other = b.gguf->Find(entry.first);
    if (!is_title(entry)) {
      EXPECT_TRUE(other != nullptr && *other == entry.second) << entry.first;
    }
  }
  for (const GgufKeys::Entry& entry : b.gguf->entries()) {
    EXPECT_TRUE(is_title(entry) || a.gguf->Find(entry.first) != nullptr)
        << entry.first << " is new";
  }
}

class GgufRoundTrip : public ::testing::TestWithParam<std::string> {
 protected:
  std::string ToGguf(const std::string& folder, const std::string& name,
                     std::string* notices = nullptr) {
    const ConvertRequest request = RequestFor(folder, folder_ / name);
    const std::string said = Execute(request);
    if (notices != nullptr) {
      *notices = said;
    }
    return request.destination;
  }

  std::string ToHuggingFace(const std::string& source, const std::string& name) {
    ConvertRequest request = RequestFor(source, folder_ / name);
    request.target = TargetKind::kHuggingFace;
    return Made(request);
  }

  // There and back; tensors that `notices` of the way there name may have lost bits.
  void ExpectBack(const std::string& folder) {
    const std::string gguf = ToGguf(folder, "there.gguf", &notices_);
    const std::string back = ToHuggingFace(gguf, "back");
    const auto before = ArraysOf(folder);
    const auto after = ArraysOf(back);
    EXPECT_EQ(before.size(), after.size());
    for (const auto& [name, array] : before) {
      const auto other = after.find(name);
      ASSERT_NE(other, after.end()) << name;
      const bool named = notices_.find(" " + name) != std::string::npos;
      EXPECT_EQ(array == other->second, !named)
          << name << " " << Name(array.dtype) << " " << Name(other->second.dtype);
      lossy_ += named ? 1 : 0;
    }
    ExpectSameKeys(gguf, ToGguf(back, "again.gguf"));
    if (lossy_ == 0) {
      ExpectSameArrays(ArraysOf(gguf), ArraysOf(folder_ / "again.gguf"));
    }
  }

  TempDir folder_;
  std::string notices_;  // of the way there
  size_t lossy_ = 0;     // tensors that they name
};

TEST_P(GgufRoundTrip, GivesBf16Back) {
  CopyArchitecture(GetParam(), folder_ / "hf");
  ExpectBack(folder_ / "hf");
  EXPECT_EQ(lossy_, 0U) << notices_;
  ExpectSameUse(ReadJson(folder_ / "hf/config.json"), ReadJson(folder_ / "back/config.json"),
                notices_);
  ExpectSameTokenizer(folder_ / "hf", folder_ / "back");
}

TEST_P(GgufRoundTrip, GivesOtherFloatsBack) {
  for (const DType dtype : {DType::kF16, DType::kF32}) {
    SCOPED_TRACE(Name(dtype));
    std::filesystem::remove_all(folder_.path());
    CopyArchitecture(GetParam(), folder_ / "bf16");
    ConvertRequest request = RequestFor(folder_ / "bf16", folder_ / "hf");
    request.target = TargetKind::kHuggingFace;
    request.dtype = dtype;
    Execute(request);
    ExpectBack(folder_ / "hf");
    EXPECT_EQ(ReadJson(folder_ / "back/config.json").Find("dtype")->AsString(),
              dtype == DType::kF16 ? "float16" : "float32");
  }
}

INSTANTIATE_TEST_SUITE_P(Each, GgufRoundTrip, ::testing::ValuesIn(ArchitectureNames()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace lbrx
