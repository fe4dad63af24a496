#include "carat/text/stream_decoder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/text/demo_tokenizer.h"
#include "tests/text/tokenizer_golden.h"

namespace carat::text {
namespace {

TokenId Byte(int value) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  return *tests::DemoTokenizer().TokenToId(std::string("<0x") + kDigits[value / 16] +
                                           kDigits[value % 16] + ">");
}

TokenId Letter() { return tests::DemoTokenizer().Encode("a", SpecialTokens::kDoNotAdd).at(0); }

// A GPT-2-like tokenizer, whose tokens are bytes spelled as letters; ids 0..255 are the bytes.
Tokenizer ByteLevel() {
  std::string vocab;
  int next_stand_in = 256;
  for (int byte = 0; byte < 256; ++byte) {
    const bool stands_for_itself =
        (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    const int letter = stands_for_itself ? byte : next_stand_in++;
    vocab += fmt::format("{}\"\\u{:04x}\": {}", byte == 0 ? "" : ", ", letter, byte);
  }
  return Tokenizer::FromJson(
      R"({"version": "1.0", "decoder": {"type": "ByteLevel", "add_prefix_space": false,
          "trim_offsets": true, "use_regex": true},
          "model": {"type": "BPE", "merges": [], "vocab": {)" +
          vocab + "}}}",
      "byte level");
}

// A Llama-like one, which drops the text's first space.
Tokenizer LeadingSpaceDropped() {
  return Tokenizer::FromJson(
      R"({"version": "1.0",
          "added_tokens": [{"id": 6, "content": "<s>", "single_word": false, "lstrip": false,
                            "rstrip": false, "normalized": false, "special": true}],
          "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
            {"type": "ByteFallback"}, {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
          "model": {"type": "BPE", "byte_fallback": true, "merges": [],
            "vocab": {"▁": 0, "a": 1, "▁b": 2, "<0xC3>": 3, "<0xA9>": 4, "é": 5}}})",
      "leading space");
}

TEST(StreamDecoder, TextComesWithItsToken) {
  StreamDecoder decoder(tests::DemoTokenizer());
  for (const TokenId token :
       tests::DemoTokenizer().Encode("Hello world, here we are.", SpecialTokens::kDoNotAdd)) {
    EXPECT_EQ(decoder.Push(token),
              tests::DemoTokenizer().Decode({&token, 1}, DecodeSpecial::kSkip));
  }
  EXPECT_EQ(decoder.Finish(), "");
}

TEST(StreamDecoder, ARunOfBytesWaitsForItsEnd) {
  StreamDecoder decoder(tests::DemoTokenizer());
  for (const int byte : {0xF0, 0x9F, 0x98, 0x80}) EXPECT_EQ(decoder.Push(Byte(byte)), "");
  EXPECT_EQ(decoder.Push(Letter()), "😀a");
}

TEST(StreamDecoder, ABrokenRunOfBytesIsReplacedAltogether) {
  StreamDecoder decoder(tests::DemoTokenizer());
  for (const int byte : {0xC3, 0xA9, 0xFF}) EXPECT_EQ(decoder.Push(Byte(byte)), "");
  EXPECT_EQ(decoder.Push(Letter()), "���a");
}

TEST(StreamDecoder, FinishGivesWhatWaits) {
  StreamDecoder decoder(tests::DemoTokenizer());
  EXPECT_EQ(decoder.Push(Byte(0xC3)), "");
  EXPECT_EQ(decoder.Push(Byte(0xA9)), "");
  EXPECT_EQ(decoder.Finish(), "é");
  EXPECT_EQ(decoder.Finish(), "");
  EXPECT_EQ(decoder.Push(Letter()), "a") << "it begins anew";
}

TEST(StreamDecoder, SpecialTokensShowOnlyIfKept) {
  const TokenId end_of_turn = *tests::DemoTokenizer().TokenToId("<end_of_turn>");
  EXPECT_EQ(StreamDecoder(tests::DemoTokenizer(), DecodeSpecial::kSkip).Push(end_of_turn), "");
  EXPECT_EQ(StreamDecoder(tests::DemoTokenizer(), DecodeSpecial::kKeep).Push(end_of_turn),
            "<end_of_turn>");
}

TEST(StreamDecoder, ASkippedTokenDoesNotEndARunOfBytes) {
  const std::vector<TokenId> tokens = {
      Byte(0xC3), *tests::DemoTokenizer().TokenToId("<end_of_turn>"), Byte(0xA9)};
  EXPECT_EQ(tests::DecodeStreamed(tests::DemoTokenizer(), tokens, DecodeSpecial::kSkip), "é");
}

TEST(StreamDecoder, ByteLevelCharactersComeWhole) {
  const Tokenizer tokenizer = ByteLevel();
  StreamDecoder decoder(tokenizer);
  EXPECT_EQ(decoder.Push('a'), "a");
  EXPECT_EQ(decoder.Push(0xC3), "");
  EXPECT_EQ(decoder.Push(0xA9), "é");
  EXPECT_EQ(decoder.Push(0xF0), "");
  EXPECT_EQ(decoder.Push(0x9F), "");
  EXPECT_EQ(decoder.Push('b'), "�b");
}

TEST(StreamDecoder, OnlyTheFirstSpaceOfAllIsDropped) {
  const Tokenizer tokenizer = LeadingSpaceDropped();
  for (const std::vector<TokenId>& tokens :
       {std::vector<TokenId>{2, 2, 2}, {6, 2, 6, 2}, {0, 0, 2}, {1, 2, 0, 0}}) {
    EXPECT_EQ(tests::DecodeStreamed(tokenizer, tokens, DecodeSpecial::kSkip),
              tokenizer.Decode(tokens, DecodeSpecial::kSkip));
  }
  // Beyond the context that is kept, too.
  const std::vector<TokenId> many(100, 2);
  EXPECT_EQ(tests::DecodeStreamed(tokenizer, many, DecodeSpecial::kSkip),
            tokenizer.Decode(many, DecodeSpecial::kSkip));
}

// The promise of the header, on random tokens with many bytes and special tokens among them.
void ExpectStreamedIsWhole(const Tokenizer& tokenizer, const std::vector<TokenId>& frequent) {
  std::mt19937 random(11);
  const auto below = [&](size_t n) { return random() % n; };
  for (int round = 0; round < 300; ++round) {
    std::vector<TokenId> tokens(below(120));
    for (TokenId& token : tokens) {
      token = below(2) == 0 ? static_cast<TokenId>(below(tokenizer.vocab_size() + 5))
                            : frequent[below(frequent.size())];
    }
    for (const DecodeSpecial special : {DecodeSpecial::kSkip, DecodeSpecial::kKeep}) {
      ASSERT_EQ(tests::DecodeStreamed(tokenizer, tokens, special),
                tokenizer.Decode(tokens, special))
          << ::testing::PrintToString(tokens);
    }
  }
}

TEST(StreamDecoder, PiecesAddUpToTheWhole) {
  std::vector<TokenId> frequent = {*tests::DemoTokenizer().TokenToId("<end_of_turn>"),
                                   *tests::DemoTokenizer().TokenToId("▁")};
  for (const int byte : {0xF0, 0x9F, 0x98, 0x80, 0xC3, 0xA9, 0xEF, 0xBF, 0xBD, 0x41}) {
    frequent.push_back(Byte(byte));
  }
  ExpectStreamedIsWhole(tests::DemoTokenizer(), frequent);
  ExpectStreamedIsWhole(ByteLevel(), {0xF0, 0x9F, 0x98, 0x80, 0xC3, 0xA9, 0xEF, 0xBF, 0xBD, 0x20});
  ExpectStreamedIsWhole(LeadingSpaceDropped(), {0, 1, 2, 3, 4, 6});
}

TEST(StreamDecoder, EndlessGarbageStaysCheap) {
  const Tokenizer tokenizer = ByteLevel();
  StreamDecoder decoder(tokenizer);
  std::string text;
  for (int i = 0; i < 20000; ++i) text += decoder.Push(0x80);
  text += decoder.Finish();
  EXPECT_EQ(text.size(), 3 * 20000);
}

}  // namespace
}  // namespace carat::text
