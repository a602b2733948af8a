// Codes of eight bytes packed and taken apart, against the packing of streams.
#include "quant/recode_words.h"

#include <gtest/gtest.h>

#include "quant/ggml_rows.h"
#include "quant/schemes/packing.h"

namespace lbrx {
namespace {

TEST(RecodeWordsTest, WordsJoinAsThePackedStreamHasThem) {
  GgmlRandom random(3);
  const auto check = [&](auto bits) {
    constexpr int kBits = decltype(bits)::value;
    for (int i = 0; i < 500; ++i) {
      uint8_t codes[8];
      for (uint8_t& code : codes) {
        code = static_cast<uint8_t>(random.Bits(kBits));
      }
      std::byte packed[8] = {};
      PackCodes(codes, 8, kBits, packed);
      ASSERT_EQ(JoinCodes<kBits>(LoadBytes<8>(codes)), LoadBytes<kBits>(packed)) << kBits;
      ASSERT_EQ(SplitCodes<kBits>(LoadBytes<kBits>(packed)), LoadBytes<8>(codes)) << kBits;
    }
  };
  check(std::integral_constant<int, 1>());
  check(std::integral_constant<int, 2>());
  check(std::integral_constant<int, 3>());
  check(std::integral_constant<int, 4>());
  check(std::integral_constant<int, 5>());
  check(std::integral_constant<int, 8>());
  for (int byte = 0; byte < 256; ++byte) {
    const uint64_t spread = SpreadBits(static_cast<uint8_t>(byte));
    for (int i = 0; i < 8; ++i) {
      ASSERT_EQ(spread >> (8 * i) & 255, byte >> i & 1U);
    }
    ASSERT_EQ(GatherBits(spread), byte);
  }
}

}  // namespace
}  // namespace lbrx
