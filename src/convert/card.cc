#include "convert/card.h"

#include <algorithm>
#include <map>

#include "convert/command.h"
#include "convert/front_matter.h"
#include "convert/markdown.h"
#include "core/base/format.h"
#include "core/base/plain_text.h"

namespace lbrx {
namespace {

constexpr const char* kCardName = "README.md";
constexpr uint64_t kCardLimit = uint64_t{4} << 20;
// How a card of ours is known. Who edits one takes this line out.
constexpr std::string_view kMark =
    "<!-- Written by lbrx, which writes it anew when it converts this "
    "folder. Take this line out to keep the text. -->";

// Where the source is from, as far as that is certain.
struct Origin {
  std::string name;      // "org/name" on the hub; empty: not known
  std::string revision;  // the commit; empty: not known
};

Origin OriginOf(const Checkpoint& source) {
  if (const std::optional<HubSnapshot> snapshot = HubSnapshotOf(source.folder)) {
    return {.name = snapshot->name, .revision = snapshot->revision};
  }
  const Json* name = source.config.Find("_name_or_path");
  if (name != nullptr && name->is_string() && IsHubName(name->AsString())) {
    return {.name = name->AsString(), .revision = ""};
  }
  return {};
}

// What the output has of one scheme, or of all.
struct Share {
  uint64_t tensors = 0;
  uint64_t weights = 0;
  uint64_t bytes = 0;

  void Add(const OutputTensor& tensor) {
    ++tensors;
    weights += tensor.shape.elements();
    for (const OutputPlane& plane : tensor.planes) {
      bytes += plane.bytes;
    }
  }

  std::string Bits() const {
    return Format("{:.2f}",
                  weights == 0 ? 0 : static_cast<double>(bytes) * 8 / static_cast<double>(weights));
  }

  std::string Row(const std::string& label) const {
    return Format("| {} | {} | {} | {} | {} |\n", label, tensors, weights, Bits(), bytes);
  }
};

// The bits that most of the quantized weights have; 0: none are quantized.
uint8_t MainBits(const Plan& plan) {
  std::map<uint8_t, uint64_t> weights;
  for (const PlannedTensor& tensor : plan.tensors) {
    if (tensor.output.encoding.scheme != Scheme::kPlain) {
      weights[tensor.output.encoding.bits] += tensor.output.shape.elements();
    }
  }
  const auto most =
      std::max_element(weights.begin(), weights.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == weights.end() ? 0 : most->first;
}

std::string SchemeTableOf(const Plan& plan) {
  std::map<std::string, Share> shares;
  Share all;
  for (const PlannedTensor& tensor : plan.tensors) {
    shares[SchemeLabel(tensor.output.encoding)].Add(tensor.output);
    all.Add(tensor.output);
  }
  std::string out =
      "| scheme | tensors | weights | bits a weight | bytes |\n|---|---:|---:|---:|---:|\n";
  for (const auto& [label, share] : shares) {
    out += share.Row(label);
  }
  return out + all.Row("all");
}

// A code block, its fence longer than any run of backticks inside.
std::string UseOf(TargetKind target) {
  if (target == TargetKind::kMlx) {
    return Fenced("bash",
                  "pip install mlx-lm\n"
                  "mlx_lm.generate --model DST --prompt \"Once upon a time\"");
  }
  return Fenced("python",
                "from transformers import AutoModelForCausalLM, AutoTokenizer\n\n"
                "model = AutoModelForCausalLM.from_pretrained(\"DST\")\n"
                "tokenizer = AutoTokenizer.from_pretrained(\"DST\")");
}

std::string LicenceNote(const Plan& plan) {
  for (const SideFile& file : plan.copies) {
    if (file.name == "LICENSE" || file.name == "LICENSE.txt" || file.name == "LICENSE.md") {
      return Format("The licence that the source came with is in [{0}]({0}).\n\n", file.name);
    }
  }
  return "";
}

std::string TextOf(const ConvertRequest& request, const SourceFacts& facts, const Origin& origin,
                   TargetKind target, const Plan& plan) {
  const std::string architecture(
      facts.naming.architecture == nullptr ? "model" : facts.naming.architecture->name);
  std::string from = "another checkpoint";
  if (!origin.name.empty()) {
    from = Format("[{0}](https://huggingface.co/{0})", origin.name);
    from += origin.revision.empty() ? "" : Format(" at revision {}", origin.revision);
  }
  std::string out =
      Format("\n{}\n\n# {}\n\n", kMark, origin.name.empty() ? architecture : BaseName(origin.name));
  out += Format("Made from {} by lbrx {}.\n\n", from, LBRX_VERSION);
  out += SchemeTableOf(plan) + "\n" + LicenceNote(plan) + "## Use\n\n" + UseOf(target);
  out += "\nDST is this folder.\n\n## How it was made\n\n";
  out += Fenced("bash", CommandOf(request, origin.name.empty() ? "SRC" : origin.name));
  return out +
         "\nThe same source, command and version give the same bytes, on any machine and "
         "number of threads; `lbrx diff` measures how far they are from the source.\n";
}

// Whether nobody but lbrx wrote the text.
bool IsOurs(const FrontMatter& card) {
  return card.text().empty() || card.text().find(kMark) != std::string::npos;
}

void SetMetadata(const SourceFacts& facts, const Origin& origin, TargetKind target,
                 const Plan& plan, FrontMatter& card) {
  const uint8_t bits = MainBits(plan);
  const bool ours = IsOurs(card);
  if (ours) {
    card.Remove("tags");
  }
  if (!origin.name.empty()) {
    card.Set("base_model", origin.name);
  }
  if (!origin.name.empty() || ours) {
    // None of the hub's relations is a mere conversion, and the source's own is to its base.
    card.Remove("base_model_relation");
    if (bits != 0 && card.Has("base_model")) {
      card.Set("base_model_relation", "quantized");
    }
  }
  if (target == TargetKind::kMlx) {
    card.Set("library_name", "mlx");
  } else if (!card.Has("library_name")) {
    card.Set("library_name", "transformers");
  }
  const bool text = facts.naming.architecture != nullptr && facts.naming.wrapper == nullptr;
  if (text && !card.Has("pipeline_tag")) {
    card.Set("pipeline_tag", "text-generation");
  }
  if (target == TargetKind::kMlx) {
    card.AddTag("mlx");
  }
  if (bits != 0) {
    card.AddTag(Format("{}-bit", bits));
  }
}

// The source's card; nullopt: it has none that can be read.
std::optional<std::string> SourceCard(const Checkpoint& source) {
  const std::string path = JoinPath(source.folder, kCardName);
  if (source.folder.empty() || !IsRegularFile(path) || File::OpenRead(path)->Size() > kCardLimit) {
    return std::nullopt;
  }
  return ReadWholeFile(path, kCardLimit);
}

// On file systems that ignore case, "readme.md" is the same file.
bool IsCardName(const std::string& name) {
  return EqualIgnoringCase(name, kCardName);
}

}  // namespace

void AddCard(const ConvertRequest& request, const Checkpoint& source, const SourceFacts& facts,
             TargetKind target, Plan& plan) {
  const auto is_card = [](const auto& file) { return IsCardName(file.name); };
  const bool carried = std::any_of(plan.copies.begin(), plan.copies.end(), is_card) ||
                       std::any_of(plan.texts.begin(), plan.texts.end(), is_card);
  if (!request.card || carried) {
    return;
  }
  const std::optional<std::string> source_card = SourceCard(source);
  std::optional<FrontMatter> card = FrontMatter::Read(source_card.value_or(""));
  std::string content = source_card.value_or("");
  if (card) {
    const Origin origin = OriginOf(source);
    SetMetadata(facts, origin, target, plan, *card);
    if (IsOurs(*card)) {
      card->set_text(TextOf(request, facts, origin, target, plan));
    }
    content = card->ToString();
  } else {
    plan.notices.emplace_back(
        "the front matter of the source's README.md is not in a form that can be added to; it is "
        "carried as it is, so base_model and tags are the source's");
  }
  plan.texts.insert(plan.texts.begin(), {.name = kCardName, .content = std::move(content)});
}

}  // namespace lbrx
