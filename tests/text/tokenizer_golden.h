// What Hugging Face's tokenizers (Python) made of the same texts: tests/text/data/*_tokenizer.json.

#ifndef CARAT_TESTS_TEXT_TOKENIZER_GOLDEN_H_
#define CARAT_TESTS_TEXT_TOKENIZER_GOLDEN_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "carat/base/json.h"
#include "carat/text/stream_decoder.h"
#include "carat/text/tokenizer.h"

namespace carat::tests {

inline std::filesystem::path TextData(const std::string& name) {
  return std::filesystem::path(CARAT_SOURCE_DIR) / "tests/text/data" / name;
}

// The pieces of a streamed decoding, and that they are sound: each is UTF-8 of its own.
inline std::string DecodeStreamed(const text::Tokenizer& tokenizer,
                                  const std::vector<TokenId>& tokens, text::DecodeSpecial special) {
  text::StreamDecoder decoder(tokenizer, special);
  std::string whole;
  const auto add = [&](const std::string& piece) {
    EXPECT_NO_THROW(Json(piece).dump()) << "a piece cuts a character";
    whole += piece;
  };
  for (const TokenId token : tokens) add(decoder.Push(token));
  add(decoder.Finish());
  return whole;
}

inline void ExpectAgreesWithGolden(const text::Tokenizer& tokenizer, const std::string& name) {
  const Json golden = ParseJsonFile(TextData(name));
  for (const Json& example : golden.at("texts")) {
    const auto text = example.at("text").get<std::string>();
    EXPECT_EQ(tokenizer.Encode(text, text::SpecialTokens::kAdd), example.at("ids")) << text;
    const std::vector<TokenId> plain = tokenizer.Encode(text, text::SpecialTokens::kDoNotAdd);
    EXPECT_EQ(plain, example.at("ids_without_special")) << text;
    EXPECT_EQ(DecodeStreamed(tokenizer, plain, text::DecodeSpecial::kKeep),
              tokenizer.Decode(plain, text::DecodeSpecial::kKeep));
  }
  for (const Json& example : golden.at("decodings")) {
    const auto ids = example.at("ids").get<std::vector<TokenId>>();
    EXPECT_EQ(tokenizer.Decode(ids, text::DecodeSpecial::kKeep), example.at("text"));
    EXPECT_EQ(tokenizer.Decode(ids, text::DecodeSpecial::kSkip),
              example.at("text_without_special"));
    EXPECT_EQ(DecodeStreamed(tokenizer, ids, text::DecodeSpecial::kKeep), example.at("text"));
    EXPECT_EQ(DecodeStreamed(tokenizer, ids, text::DecodeSpecial::kSkip),
              example.at("text_without_special"));
  }
}

}  // namespace carat::tests

#endif  // CARAT_TESTS_TEXT_TOKENIZER_GOLDEN_H_
