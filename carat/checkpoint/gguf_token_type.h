// What tokenizer.ggml.token_type of a GGUF file says of a token, by llama.cpp's numbers.

#ifndef CARAT_CHECKPOINT_GGUF_TOKEN_TYPE_H_
#define CARAT_CHECKPOINT_GGUF_TOKEN_TYPE_H_

#include <cstdint>
#include <optional>

namespace carat::checkpoint {

enum class GgufTokenType : int32_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,      // <bos>
  kUserDefined = 4,  // a text that the model's authors want to be one token
  kUnused = 5,       // fills the vocabulary up
  kByte = 6,         // <0x0A>
};

inline std::optional<GgufTokenType> FindGgufTokenType(int64_t number) {
  return number >= 1 && number <= 6 ? std::optional(static_cast<GgufTokenType>(number))
                                    : std::nullopt;
}

}  // namespace carat::checkpoint

#endif  // CARAT_CHECKPOINT_GGUF_TOKEN_TYPE_H_
