// Writes a tokenizer.json of Gemma's kind: byte-pair encoding with SentencePiece's spaces and byte
// fallback, in the format of the tokenizers library.

#ifndef CARAT_CHECKPOINT_BPE_TOKENIZER_JSON_H_
#define CARAT_CHECKPOINT_BPE_TOKENIZER_JSON_H_

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "carat/base/json.h"

namespace carat::checkpoint {

inline constexpr std::string_view kSentencePieceSpace = "\u2581";

class BpeTokenizerJson {
 public:
  // Ids ascend.
  void AddToken(size_t id, std::string_view text);
  // Best merges first, between tokens that were added.
  void AddMerge(std::string_view left, std::string_view right);

  // A token found in a text before anything is merged. Decoding can leave out special ones.
  void AddWholeToken(size_t id, std::string_view text, bool is_special);

  // The token that stands before a text, and before either of two.
  void SetBos(size_t id, std::string_view text);
  void SetUnknown(std::string_view text);

  std::string Text() const;

 private:
  Json added_tokens_ = Json::array();
  Json post_processor_;
  Json unknown_;
  // Hundreds of thousands of entries: text, not Json.
  std::string vocabulary_;
  std::string merges_;
};

}  // namespace carat::checkpoint

#endif  // CARAT_CHECKPOINT_BPE_TOKENIZER_JSON_H_
