#include "carat/text/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "carat/base/atomic_file.h"
#include "carat/base/error.h"
#include "carat/base/file.h"
#include "tests/support/temporary_folder.h"
#include "tests/text/count_threads.h"
#include "tests/text/demo_tokenizer.h"
#include "tests/text/tokenizer_golden.h"

namespace carat::text {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;
using tests::DemoFolder;
using tests::DemoTokenizer;

// A tokenizer.json with the model and the other parts given.
std::string TokenizerJson(const std::string& parts) {
  return R"({"version": "1.0", "added_tokens": [
             {"id": 3, "content": "<end>", "single_word": false, "lstrip": false, "rstrip": false,
              "normalized": false, "special": true}], )" +
         parts + "}";
}

constexpr char kSmallModel[] =
    R"("model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]})";

TEST(Tokenizer, AgreesWithHuggingFaceOnTheDemoModel) {
  tests::ExpectAgreesWithGolden(DemoTokenizer(), "demo_tokenizer.json");
}

TEST(Tokenizer, TextsSurviveEncodingAndDecoding) {
  for (const std::string text : {"Hello, world!", " leading and trailing ", "日本 😀\n\ttabs", ""}) {
    EXPECT_EQ(DemoTokenizer().Decode(DemoTokenizer().Encode(text, SpecialTokens::kDoNotAdd),
                                     DecodeSpecial::kKeep),
              text);
  }
}

TEST(Tokenizer, KnowsItsTokens) {
  EXPECT_EQ(DemoTokenizer().vocab_size(), 2048);
  EXPECT_EQ(DemoTokenizer().TokenToId("<bos>"), 2);
  EXPECT_EQ(DemoTokenizer().TokenToId("<end_of_turn>"), 106);
  EXPECT_EQ(DemoTokenizer().TokenToId("no such token"), std::nullopt);
  EXPECT_EQ(DemoTokenizer().TokenToId("\xFF"), std::nullopt);
  EXPECT_EQ(DemoTokenizer().IdToToken(106), "<end_of_turn>");
  EXPECT_EQ(DemoTokenizer().IdToToken(1 << 20), "");
  EXPECT_EQ(DemoTokenizer().IdToToken(-1), "");
  EXPECT_TRUE(DemoTokenizer().IsSpecial(106));
  EXPECT_FALSE(DemoTokenizer().IsSpecial(500));
  EXPECT_FALSE(DemoTokenizer().IsSpecial(-1));
  EXPECT_TRUE(DemoTokenizer().IsByteToken(*DemoTokenizer().TokenToId("<0xFF>")));
  EXPECT_FALSE(DemoTokenizer().IsByteToken(*DemoTokenizer().TokenToId("<bos>")));
}

TEST(Tokenizer, BytesAreTokensOnlyWhereTheDecoderSaysSo) {
  const std::string model = R"("model": {"type": "BPE", "vocab": {"<0x41>": 0}, "merges": []})";
  const Tokenizer plain = Tokenizer::FromJson(TokenizerJson(model), "plain");
  EXPECT_FALSE(plain.IsByteToken(0));
  const Tokenizer with_bytes = Tokenizer::FromJson(
      TokenizerJson(model + R"(, "decoder": {"type": "ByteFallback"})"), "with_bytes");
  EXPECT_TRUE(with_bytes.IsByteToken(0));
}

TEST(Tokenizer, UnknownIdsDecodeToNothing) {
  const std::vector<TokenId> tokens = {500, 1 << 20, -1, 500};
  const std::vector<TokenId> known = {500, 500};
  EXPECT_EQ(DemoTokenizer().Decode(tokens, DecodeSpecial::kKeep),
            DemoTokenizer().Decode(known, DecodeSpecial::kKeep));
}

TEST(Tokenizer, TextThatIsNotUtf8IsRefused) {
  EXPECT_THAT([] { DemoTokenizer().Encode("ab\xFFz", SpecialTokens::kAdd); },
              ThrowsMessage<Error>(AllOf(HasSubstr("not UTF-8"), HasSubstr("byte 2"))));
}

TEST(Tokenizer, ZeroBytesAreText) {
  const std::string text("a\0b", 3);
  EXPECT_EQ(DemoTokenizer().Decode(DemoTokenizer().Encode(text, SpecialTokens::kDoNotAdd),
                                   DecodeSpecial::kKeep),
            text);
}

TEST(Tokenizer, LimitsOfTheTrainingRunDoNotCutPrompts) {
  const Tokenizer tokenizer =
      Tokenizer::FromJson(TokenizerJson(std::string(kSmallModel) +
                                        R"(, "truncation": {"direction": "Right", "max_length": 2,
                         "strategy": "LongestFirst", "stride": 0},
                       "padding": {"strategy": {"Fixed": 9}, "direction": "Right",
                         "pad_to_multiple_of": null, "pad_id": 3, "pad_type_id": 0,
                         "pad_token": "<end>"})"),
                          "limits");
  EXPECT_EQ(tokenizer.Encode("aaaab", SpecialTokens::kAdd), (std::vector<TokenId>{0, 0, 0, 2}));
}

TEST(Tokenizer, OtherKindsOfModelsLoad) {
  const Tokenizer tokenizer =
      Tokenizer::FromJson(TokenizerJson(R"("pre_tokenizer": {"type": "Whitespace"},
                       "model": {"type": "WordLevel", "vocab": {"yes": 0, "no": 1, "?": 2},
                                 "unk_token": "?"})"),
                          "words");
  EXPECT_EQ(tokenizer.Encode("no yes maybe", SpecialTokens::kAdd), (std::vector<TokenId>{1, 0, 2}));
}

TEST(Tokenizer, VocabularyMustFitTheModel) {
  EXPECT_NO_THROW(DemoTokenizer().CheckFits(2048));
  EXPECT_NO_THROW(DemoTokenizer().CheckFits(4096));
  EXPECT_THAT([] { DemoTokenizer().CheckFits(2047); },
              ThrowsMessage<Error>(
                  AllOf(HasSubstr("tokenizer.json"), HasSubstr("2048"), HasSubstr("2047"))));
}

TEST(Tokenizer, AddedTokensMayLieBeyondTheModelUntilTheyAreUsed) {
  const Tokenizer tokenizer = Tokenizer::FromJson(TokenizerJson(kSmallModel), "small");
  EXPECT_EQ(tokenizer.vocab_size(), 4);
  EXPECT_NO_THROW(tokenizer.CheckFits(3));
  EXPECT_NO_THROW(tokenizer.CheckTokens(tokenizer.Encode("ab", SpecialTokens::kAdd), 3));
  EXPECT_THAT([&] { tokenizer.CheckTokens(tokenizer.Encode("ab<end>", SpecialTokens::kAdd), 3); },
              ThrowsMessage<Error>(AllOf(HasSubstr("<end>"), HasSubstr("id 3"))));
}

TEST(Tokenizer, GapsInTheVocabularyCount) {
  const Tokenizer tokenizer = Tokenizer::FromJson(
      TokenizerJson(R"("model": {"type": "BPE", "vocab": {"a": 0, "b": 90}, "merges": []})"),
      "gap");
  EXPECT_THAT([&] { tokenizer.CheckFits(90); }, ThrowsMessage<Error>(HasSubstr("91")));
}

TEST(Tokenizer, MissingFileSaysWhatIsNeeded) {
  const tests::TemporaryFolder folder;
  EXPECT_THAT([&] { Tokenizer::Load(folder.path()); },
              ThrowsMessage<Error>(HasSubstr("tokenizer.json: there is no such file")));
}

TEST(Tokenizer, BadFilesAreRefusedByName) {
  const tests::TemporaryFolder folder;
  const std::string good = ReadTextFile(DemoFolder() / "tokenizer.json");
  const std::vector<std::string> bad = {
      "",
      "{",
      "[]",
      "null",
      "\xFF\xFE",
      good.substr(0, good.size() / 2),
      R"({"version": "9.9", "model": {"type": "BPE", "vocab": {}, "merges": []}})",
      R"({"model": {"type": "BPE", "vocab": {"a": -1}, "merges": []}})",
      R"({"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [["a", "nope"]]}})",
      R"({"model": {"type": "BPE", "vocab": {"a": 0, "é": 1}, "merges": [["a", "é"]],
          "continuing_subword_prefix": "#"}})",
      R"({"model": {"type": "BPE", "vocab": {"a": 4294967295}, "merges": []}})",
      R"({"model": {"type": "Nonsense"}})",
      std::string(100000, '['),
  };
  for (const std::string& text : bad) {
    WriteFileAtomically(folder / "tokenizer.json", text);
    EXPECT_THAT([&] { Tokenizer::Load(folder.path()); },
                ThrowsMessage<Error>(HasSubstr("tokenizer.json: not a tokenizer: ")))
        << text.substr(0, 100);
  }
}

TEST(Tokenizer, HugeFilesAreNotRead) {
  const tests::TemporaryFolder folder;
  std::ofstream(folder / "tokenizer.json");
  std::filesystem::resize_file(folder / "tokenizer.json", uintmax_t{1} << 40);
  EXPECT_THAT([&] { Tokenizer::Load(folder.path()); },
              ThrowsMessage<Error>(HasSubstr("tokenizer.json")));
}

// A part of tokenizer.json that makes a text longer each time it is repeated.
struct Growing {
  std::string part;     // the file's field
  std::string members;  // the field of a Sequence
  std::string member;
};

// 100 for one, and ByteLevel two bytes for each that is not ASCII.
const std::string kHundred = R"({"type": "Replace", "pattern": {"String": "a"}, "content": ")" +
                             std::string(100, 'a') + R"("})";
const Growing kGrowingNormalizer = {"normalizer", "normalizers", kHundred};
const Growing kGrowingDecoder = {"decoder", "decoders", kHundred};
const Growing kGrowingPreTokenizer = {
    "pre_tokenizer", "pretokenizers",
    R"({"type": "ByteLevel", "add_prefix_space": false, "use_regex": false, "trim_offsets": true})"};

std::string GrowingJson(const Growing& growing, int times) {
  std::string members = growing.member;
  for (int i = 1; i < times; ++i) members += "," + growing.member;
  return TokenizerJson(kSmallModel + (R"(, ")" + growing.part) + R"(": {"type": "Sequence", ")" +
                       growing.members + R"(": [)" + members + "]}");
}

Tokenizer WithGrowing(const Growing& growing, int times) {
  return Tokenizer::FromJson(GrowingJson(growing, times), "tokenizer.json");
}

TEST(Tokenizer, PartsMayGrowTextsWithinLimits) {
  EXPECT_EQ(WithGrowing(kGrowingNormalizer, 2).Encode("a", SpecialTokens::kAdd),
            std::vector<TokenId>(10000, 0));
  EXPECT_EQ(WithGrowing(kGrowingDecoder, 2).Decode(std::vector<TokenId>{0}, DecodeSpecial::kKeep),
            std::string(10000, 'a'));
  EXPECT_EQ(WithGrowing(kGrowingPreTokenizer, 40).Encode("ab", SpecialTokens::kAdd),
            std::vector<TokenId>{2});
}

// Whether time or memory ends first depends on the machine.
TEST(Tokenizer, PartsThatGrowTextsWithoutEndAreErrors) {
  const Tokenizer normalizer = WithGrowing(kGrowingNormalizer, 40);
  const Tokenizer pre_tokenizer = WithGrowing(kGrowingPreTokenizer, 40);
  const Tokenizer decoder = WithGrowing(kGrowingDecoder, 40);
  EXPECT_THAT([&] { normalizer.Encode("a", SpecialTokens::kAdd); },
              ThrowsMessage<Error>(StartsWith("tokenizer.json: cannot encode this text: its "
                                              "normalizer grows the text and ")));
  EXPECT_THAT([&] { pre_tokenizer.Encode("é", SpecialTokens::kAdd); },
              ThrowsMessage<Error>(HasSubstr("its pre_tokenizer grows the text and ")));
  EXPECT_THAT([&] { decoder.Decode(std::vector<TokenId>{0}, DecodeSpecial::kKeep); },
              ThrowsMessage<Error>(StartsWith("tokenizer.json: cannot decode these tokens: its "
                                              "decoder grows the text and ")));
}

// An added token is normalized when the file is read.
TEST(Tokenizer, FilesThatGrowWhenReadAreErrors) {
  std::string json = GrowingJson(kGrowingNormalizer, 40);
  const std::string as_it_is = R"("added_tokens": [)";
  const std::string normalized = R"({"id": 0, "content": "a", "single_word": false, "lstrip": false,
      "rstrip": false, "normalized": true, "special": false},)";
  json.insert(json.find(as_it_is) + as_it_is.size(), normalized);
  EXPECT_THAT([&] { Tokenizer::FromJson(json, "tokenizer.json"); },
              ThrowsMessage<Error>(StartsWith("tokenizer.json: not a tokenizer: reading it and ")));
}

TEST(Tokenizer, ALongUnknownTokenIsAnErrorWhereItGrowsTexts) {
  const std::string token(size_t{1} << 20, 'x');
  const Tokenizer tokenizer =
      Tokenizer::FromJson(TokenizerJson(R"("model": {"type": "BPE", "vocab": {")" + token +
                                        R"(": 0}, "merges": [], "unk_token": ")" + token + R"("})"),
                          "tokenizer.json");
  EXPECT_EQ(tokenizer.Encode("a", SpecialTokens::kAdd), std::vector<TokenId>{0});
  EXPECT_THAT([&] { tokenizer.Encode(std::string(1000, 'a'), SpecialTokens::kAdd); },
              ThrowsMessage<Error>(HasSubstr("its vocabulary grows the text and ")));
}

TEST(Tokenizer, ATemplateMayHoldTheTextManyTimes) {
  std::string sequences = R"({"Sequence": {"id": "A", "type_id": 0}})";
  for (int i = 0; i < 10; ++i) sequences += "," + sequences;
  const Tokenizer tokenizer = Tokenizer::FromJson(
      TokenizerJson(kSmallModel +
                    (R"(, "post_processor": {"type": "TemplateProcessing", "single": [)" +
                     sequences + R"(], "pair": [], "special_tokens": {}})")),
      "tokenizer.json");
  EXPECT_EQ(tokenizer.Encode("ab", SpecialTokens::kAdd), std::vector<TokenId>(1024, 2));
}

TEST(Tokenizer, AfterABrokenLimitTheSameErrorComesAtOnce) {
  const Tokenizer tokenizer = WithGrowing(kGrowingDecoder, 40);
  const auto error_of = [&](TokenId token) -> std::string {
    try {
      return tokenizer.Decode(std::vector<TokenId>{token}, DecodeSpecial::kKeep);
    } catch (const Error& error) {
      return error.what();
    }
  };
  const std::string first = error_of(0);
  EXPECT_THAT(first, HasSubstr("its decoder grows the text and "));
  const int num_threads = tests::CountThreads();
  EXPECT_EQ(error_of(0), first);
  EXPECT_EQ(error_of(1), first);
  EXPECT_EQ(tests::CountThreads(), num_threads);
}

TEST(Tokenizer, MayBeSharedByThreads) {
  const std::string text = "The quick brown fox jumps over the lazy dog 😀.";
  const std::vector<TokenId> expected = DemoTokenizer().Encode(text, SpecialTokens::kAdd);
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (int& errors : wrong) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        const std::vector<TokenId> tokens = DemoTokenizer().Encode(text, SpecialTokens::kAdd);
        errors += tokens != expected;
        errors += DemoTokenizer().Decode(tokens, DecodeSpecial::kSkip) != text;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4));
}

}  // namespace
}  // namespace carat::text
