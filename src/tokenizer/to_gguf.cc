// Which kind of vocabulary a folder has, and its keys in the converter's order.
#include "core/base/error.h"
#include "core/base/format.h"
#include "tokenizer/chat_templates.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/special_tokens.h"
#include "tokenizer/token_keys.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/tokenizer_folder.h"
#include "tokenizer/vocabulary.h"

namespace lbrx {
namespace {

class KeyWriter {
 public:
  KeyWriter(const TokenizerSource& source, GgufKeys& keys, std::vector<std::string>& notices)
      : source_(source),
        folder_(OpenTokenizerFolder(source.folder)),
        keys_(keys),
        notices_(notices) {}

  void Write(const std::string& pre) { WriteByteLevel(pre); }

 private:
  void WriteByteLevel(const std::string& pre) {
    const std::string name = PreTokenizerName(folder_.hf, pre, source_.architecture);
    keys_.Set(kModelKey, GgufValue::String("gpt2"));
    keys_.Set(kPreKey, GgufValue::String(name));
    ByteLevelVocabulary(folder_, source_.vocabulary).Write(folder_.hf.file, keys_);
    keys_.Set(kMergesKey, GgufValue::Strings(folder_.hf.merges));
    ReadSpecialTokens(folder_, source_.config, source_.vocabulary, notices_).Write(keys_);
    AddChatTemplates(folder_, keys_, notices_);
  }

  const TokenizerSource& source_;
  TokenizerFolder folder_;
  GgufKeys& keys_;
  std::vector<std::string>& notices_;
};

}  // namespace

void AddTokenizerKeys(const TokenizerSource& source, const std::string& pre, GgufKeys& keys,
                      std::vector<std::string>& notices) {
  KeyWriter(source, keys, notices).Write(pre);
}

}  // namespace lbrx
