// Sources: the expressions of llama.cpp's src/llama-vocab.cpp (llm_tokenizer_bpe) and, where that
// approximates them, those of the models' tokenizer.json.
#include "tokenizer/pre_patterns.h"

#include <algorithm>
#include <array>

namespace lbrx {

// Pieces that many models share. Macros, as expressions are joined at compile time.
#define CONTRACTIONS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define SPACES R"(|\s+(?!\S)|\s+)"
#define LETTERS R"([^\r\n\p{L}\p{N}]?\p{L}+)"
#define SYMBOLS R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+)"
#define UPPER R"([\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])"
#define LOWER R"([\p{Ll}\p{Lm}\p{Lo}\p{M}])"
#define CASED(end) \
  R"([^\r\n\p{L}\p{N}]?)" UPPER "*" LOWER "+" end R"(|[^\r\n\p{L}\p{N}]?)" UPPER "+" LOWER "*" end
#define CASED_SYMBOLS R"(| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+)"
#define MARKED_WORDS                                    \
  R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|)" \
  R"([^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+)"
#define GPT2_WORDS R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"
#define HAN_KANA "[一-龥぀-ゟ゠-ヿ]+"
#define DIGIT R"(\p{N})"
#define THREE_DIGITS R"(\p{N}{1,3})"

const std::string_view kGpt2Words = GPT2_WORDS;

namespace {

using Expressions1 = std::array<std::string_view, 1>;
using Expressions2 = std::array<std::string_view, 2>;
using Expressions3 = std::array<std::string_view, 3>;
using Expressions4 = std::array<std::string_view, 4>;
using Expressions5 = std::array<std::string_view, 5>;
using Expressions6 = std::array<std::string_view, 6>;

constexpr Expressions1 kGpt2 = {GPT2_WORDS};
constexpr Expressions2 kStarcoder = {DIGIT, GPT2_WORDS};
constexpr Expressions1 kLlama3 = {CONTRACTIONS "|" LETTERS "|" THREE_DIGITS SYMBOLS SPACES};
constexpr Expressions1 kQwen2 = {CONTRACTIONS "|" LETTERS "|" DIGIT SYMBOLS SPACES};
constexpr Expressions1 kQwen35 = {
    CONTRACTIONS
    R"(|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+)" SPACES};
constexpr Expressions1 kUfakzeka = {LETTERS "|" DIGIT SYMBOLS SPACES};
constexpr Expressions1 kJais2 = {
    CONTRACTIONS
    "|" LETTERS "|" THREE_DIGITS SYMBOLS
    R"(|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S))"
    R"(|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1})"};
constexpr Expressions1 kTekken = {CASED("") "|" DIGIT CASED_SYMBOLS SPACES};
constexpr Expressions1 kGpt4o = {CASED(CONTRACTIONS "?") "|" THREE_DIGITS CASED_SYMBOLS SPACES};
constexpr Expressions2 kTinyAya = {R"(\d{1,3}(?=(?:\d{3})*\b))",
                                   CASED(CONTRACTIONS "?") "|" THREE_DIGITS CASED_SYMBOLS SPACES};
constexpr Expressions2 kYoutu = {
    "[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|" HAN_KANA,
    CASED(CONTRACTIONS "?") "|" DIGIT CASED_SYMBOLS SPACES};
constexpr Expressions1 kKimiK2 = {
    R"([\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*)"
    R"([\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+)" CONTRACTIONS
    R"(?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+)"
    R"([\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*)" CONTRACTIONS "?|" THREE_DIGITS SYMBOLS SPACES};
constexpr Expressions1 kBailing = {
    R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*)"
    R"(|\s*[\r\n])" SPACES};
constexpr Expressions1 kSeedCoder = {
    CONTRACTIONS "|" LETTERS R"(|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+)" SPACES};
constexpr Expressions1 kExaoneMoe = {
    CONTRACTIONS
    R"(|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?)"
    R"(|\s*[\r\n])" SPACES};
constexpr Expressions2 kMinicpm5 = {THREE_DIGITS,
                                    CONTRACTIONS "|" LETTERS R"(|\p{N}+)" SYMBOLS SPACES};
constexpr Expressions2 kLaguna = {R"([^\n]+|[\n]+)",
                                  CONTRACTIONS "|" LETTERS "|" DIGIT SYMBOLS SPACES};
constexpr Expressions3 kDeepseekV3 = {THREE_DIGITS, HAN_KANA,
                                      MARKED_WORDS R"([\r\n]*|\s*[\r\n]+)" SPACES};
constexpr Expressions4 kSpark = {THREE_DIGITS, HAN_KANA, MARKED_WORDS R"(|[\r\n])" SPACES, DIGIT};
constexpr Expressions3 kAfmoe = {
    R"(\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N})))",
    "[一-鿿㐀-䶿豈-﫿぀-ゟ゠-ヿ･-ﾟ⼀-⿟เ-๿຀-໿ក-៿က-႟ꩠ-"
    "ꩿꧠ-꧿가-힯ᄀ-ᇿ]+",
    MARKED_WORDS R"([\r\n]*|\s*[\r\n]+)" SPACES};
constexpr Expressions6 kDeepseekLlm = {
    R"([\r\n])",
    R"(\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚ)"
    R"(Ḁ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄ)"
    R"(Ⰰ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+)",
    R"(\s?[!-/:-~！-／：-～‘-‟　-。]+)",
    R"(\s+$)",
    "[一-龥ࠀ-一가-퟿]+",
    R"(\p{N}+)"};
constexpr Expressions5 kDeepseekCoder = {R"([\r\n])", R"(\s?\p{L}+)", R"(\s?\p{P}+)",
                                         "[一-龥ࠀ-一가-퟿]+", DIGIT};
constexpr Expressions3 kFalcon = {R"([\p{P}$+<=>^~|`]+)", GPT2_WORDS, "[0-9][0-9][0-9]"};
constexpr Expressions4 kDefault = {R"([\p{P}$+<=>^~|]+)", GPT2_WORDS, R"(\p{N}+)",
                                   "[0-9][0-9][0-9]"};
constexpr Expressions1 kBloom = {R"( ?[^(\s|[.,!?…。，、।۔،])]+)"};
constexpr Expressions2 kViking = {R"( ?[^(\s|[.,!?…。，、।۔،])]+)", DIGIT};
constexpr Expressions6 kChameleon = {
    "<sentinel:[0-9]+>",       "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z",
    R"(([\t\n]|    |  ))",     DIGIT,
    R"([\p{P}!-/:-@\[-`{-~])", GPT2_WORDS};
constexpr Expressions2 kSuperBpe = {R"(\p{N}+)", R"((?=(\d{3})+(?!\d)))"};
constexpr Expressions1 kLines = {R"([^\n]+|[\n]+)"};
constexpr Expressions1 kBlanks = {R"(\S+)"};

#undef CONTRACTIONS
#undef SPACES
#undef LETTERS
#undef SYMBOLS
#undef UPPER
#undef LOWER
#undef CASED
#undef CASED_SYMBOLS
#undef MARKED_WORDS
#undef GPT2_WORDS
#undef HAN_KANA
#undef DIGIT
#undef THREE_DIGITS

constexpr std::array<PrePattern, 30> kPatterns = {{
    {"gpt-2", kGpt2},
    {"starcoder", kStarcoder},
    {"llama-bpe", kLlama3},
    {"qwen2", kQwen2},
    {"qwen35", kQwen35},
    {"ufakzeka", kUfakzeka},
    {"jais-2", kJais2},
    {"tekken", kTekken},
    {"gpt-4o", kGpt4o},
    {"tiny_aya", kTinyAya},
    {"youtu", kYoutu},
    {"kimi-k2", kKimiK2},
    {"bailingmoe", kBailing},
    {"seed-coder", kSeedCoder},
    {"exaone-moe", kExaoneMoe},
    {"minicpm5", kMinicpm5},
    {"laguna", kLaguna},
    {"deepseek-v3", kDeepseekV3},
    {"spark2_5", kSpark},
    {"afmoe", kAfmoe},
    {"deepseek-llm", kDeepseekLlm},
    {"deepseek-coder", kDeepseekCoder},
    {"falcon", kFalcon},
    {"default", kDefault},
    {"bloom", kBloom},
    {"viking", kViking},
    {"chameleon", kChameleon},
    {"superbpe", kSuperBpe},
    {"gemma4", kLines, false},
    {"whitespace", kBlanks, false},
}};

// name, pattern, ignore_merges, add_bos, architecture
constexpr std::array<PreName, 91> kNames = {{
    {"llama-bpe", "llama-bpe", true, true},
    {"llama3", "llama-bpe", true, true},
    {"llama-v3", "llama-bpe", true, true},
    {"falcon3", "llama-bpe", true, true},
    {"falcon-h1", "llama-bpe", true, true, "falcon-h1"},
    {"pixtral", "llama-bpe", true, true},
    {"midm-2.0", "llama-bpe", true, true},
    {"lfm2", "llama-bpe", true, true, "lfm2"},
    {"jina-v5-nano", "llama-bpe", true, true},
    {"dbrx", "llama-bpe", false, false, "dbrx"},
    {"smaug-bpe", "llama-bpe"},
    {"chatglm-bpe", "llama-bpe", false, false, "chatglm"},
    {"glm4", "llama-bpe", true, false, "glm4"},
    {"glm5", "llama-bpe", true},
    {"jais-2", "jais-2", false, false, "jais2"},
    {"minicpm5", "minicpm5", true},
    {"deepseek-llm", "deepseek-llm"},
    {"deepseek-coder", "deepseek-coder"},
    {"deepseek-v3", "deepseek-v3"},
    {"hunyuan-dense", "deepseek-v3", false, false, "hunyuan-dense"},
    {"joyai-llm", "deepseek-v3"},
    {"hy_v4", "deepseek-v3"},
    {"spark2_5", "spark2_5"},
    {"youtu", "youtu", true},
    {"falcon", "falcon"},
    {"default", "default"},
    {"gpt-2", "gpt-2"},
    {"phi-2", "gpt-2", false, false, "phi2"},
    {"jina-es", "gpt-2"},
    {"jina-de", "gpt-2"},
    {"gigachat", "gpt-2"},
    {"jina-v1-en", "gpt-2"},
    {"jina-v2-es", "gpt-2"},
    {"jina-v2-de", "gpt-2"},
    {"jina-v2-code", "gpt-2"},
    {"roberta-bpe", "gpt-2"},
    {"a.x-4.0", "gpt-2"},
    {"mellum", "gpt-2"},
    {"modern-bert", "gpt-2", false, false, "modern-bert"},
    {"mpt", "gpt-2", false, false, "mpt"},
    {"olmo", "gpt-2", false, false, "olmo"},
    {"jais", "gpt-2", false, false, "jais"},
    {"exaone4", "gpt-2", false, false, "exaone4"},
    {"trillion", "gpt-2"},
    {"granite-docling", "gpt-2"},
    {"starcoder", "starcoder"},
    {"refact", "starcoder", false, false, "refact"},
    {"command-r", "starcoder", false, false, "command-r"},
    {"smollm", "starcoder"},
    {"codeshell", "starcoder", false, false, "codeshell"},
    {"exaone", "starcoder", false, false, "exaone"},
    {"minerva-7b", "starcoder"},
    {"mellum2", "starcoder"},
    {"qwen2", "qwen2"},
    {"deepseek-r1-qwen", "qwen2"},
    {"kormo", "qwen2"},
    {"f2llmv2", "qwen2"},
    {"megrez", "qwen2"},
    {"stablelm2", "qwen2", false, false, "stablelm"},
    {"hunyuan", "qwen2", false, false, "hunyuan-moe"},
    {"solar-open", "qwen2"},
    {"grok-2", "qwen2", false, false, "grok"},
    {"qwen35", "qwen35"},
    {"ufakzeka", "ufakzeka"},
    {"poro-chat", "bloom"},
    {"bloom", "bloom", false, false, "bloom"},
    {"gpt3-finnish", "bloom"},
    {"viking", "viking"},
    {"tekken", "tekken", true, true},
    {"chameleon", "chameleon", false, true, "chameleon"},
    {"gpt-4o", "gpt-4o"},
    {"llama4", "gpt-4o", false, false, "llama4"},
    {"kanana2", "gpt-4o"},
    {"talkie", "gpt-4o"},
    {"minimax-m2", "gpt-4o", false, false, "minimax-m2"},
    {"granite-embed-multi-97m", "gpt-4o", true},
    {"tiny_aya", "tiny_aya"},
    {"cohere2moe", "tiny_aya", false, false, "cohere2moe"},
    {"kimi-k2", "kimi-k2"},
    {"superbpe", "superbpe"},
    {"bailingmoe", "bailingmoe"},
    {"bailingmoe2", "bailingmoe", false, false, "bailingmoe2"},
    {"llada-moe", "bailingmoe", false, false, "llada-moe"},
    {"seed-coder", "seed-coder"},
    {"afmoe", "afmoe", false, false, "afmoe"},
    {"laguna", "laguna"},
    {"exaone-moe", "exaone-moe", false, false, "exaone-moe"},
    {"gemma4", "gemma4", false, true},
    {"granite-embed-multi-311m", "gemma4", false, true},
    {"sarvam-moe", "gemma4"},
    {"whitespace", "whitespace"},
}};

}  // namespace

std::span<const PrePattern> PrePatterns() {
  return kPatterns;
}

std::span<const PreName> PreNames() {
  return kNames;
}

const PrePattern* FindPrePattern(std::string_view id) {
  const auto* row = std::find_if(kPatterns.begin(), kPatterns.end(),
                                 [&](const PrePattern& pattern) { return pattern.id == id; });
  return row == kPatterns.end() ? nullptr : &*row;
}

const PreName* FindPreName(std::string_view name) {
  const auto* row = std::find_if(kNames.begin(), kNames.end(),
                                 [&](const PreName& candidate) { return candidate.name == name; });
  return row == kNames.end() ? nullptr : &*row;
}

}  // namespace lbrx
