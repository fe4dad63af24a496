// Text to token ids and back, as tokenizer.json of a Hugging Face folder describes it.

#ifndef CARAT_TEXT_TOKENIZER_H_
#define CARAT_TEXT_TOKENIZER_H_

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carat/base/types.h"

struct CaratTokenizer;

namespace carat::text {

// Whether the tokens that the tokenizer's template adds (Gemma: a leading <bos>) come with the
// text's. A rendered chat template has them in its text already.
enum class SpecialTokens { kAdd, kDoNotAdd };

// Whether special tokens (<bos>, <end_of_turn>) appear in decoded text.
enum class DecodeSpecial { kSkip, kKeep };

// Everything is const and may be called from several threads at once.
//
// A tokenizer.json whose parts can make a text many times longer is used within limits of time and
// memory, one call at a time; once it breaks one, each later such call throws the same Error.
class Tokenizer {
 public:
  // Reads `path`, a tokenizer.json or the folder that has one.
  static Tokenizer Load(const std::filesystem::path& path);

  // Parses what a tokenizer.json contains; `where` names it in errors.
  static Tokenizer FromJson(std::string_view json, std::string_view where);

  // The text of a special token, such as "<end_of_turn>", becomes that token. Throws Error if
  // `text` is not UTF-8.
  std::vector<TokenId> Encode(std::string_view text, SpecialTokens special_tokens) const;

  // Ids that no token has (a model's vocabulary may be padded) decode to nothing. Bytes that are
  // not UTF-8 become U+FFFD.
  std::string Decode(std::span<const TokenId> tokens, DecodeSpecial special) const;

  std::optional<TokenId> TokenToId(std::string_view token) const;
  std::string IdToToken(TokenId id) const;  // empty if there is none
  bool IsSpecial(TokenId id) const;

  // True for tokens that stand for one byte, as <0x0A> does.
  bool IsByteToken(TokenId id) const;

  // One more than the largest id.
  int64_t vocab_size() const;

  // Throws Error if the vocabulary has ids that a model of `model_vocab_size` has not. Tokens that
  // were added later may lie beyond: Gemma's <image_soft_token> does in its text-only models.
  void CheckFits(int64_t model_vocab_size) const;

  // Throws Error naming the first token that a model of `model_vocab_size` has not.
  void CheckTokens(std::span<const TokenId> tokens, int64_t model_vocab_size) const;

 private:
  struct Free {
    void operator()(CaratTokenizer* tokenizer) const;
  };

  Tokenizer(std::unique_ptr<CaratTokenizer, Free> tokenizer, std::string where);

  std::unique_ptr<CaratTokenizer, Free> tokenizer_;
  std::string where_;
};

}  // namespace carat::text

#endif  // CARAT_TEXT_TOKENIZER_H_
