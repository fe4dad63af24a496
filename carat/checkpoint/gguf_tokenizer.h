// The tokenizer of a GGUF file of a Gemma 3, in the form of Hugging Face's tokenizer.json and
// tokenizer_config.json.
//
// A GGUF file has SentencePiece's vocabulary: texts, scores, and types. tokenizer.json wants
// merges. SentencePiece merges the two neighbours whose joined text has the best score, so the
// merges are all ways of splitting a token in two others, best score first; texts that the model's
// authors defined (runs of spaces, of newlines, HTML tags) come before all others.

#ifndef CARAT_CHECKPOINT_GGUF_TOKENIZER_H_
#define CARAT_CHECKPOINT_GGUF_TOKENIZER_H_

#include <string>

#include "carat/checkpoint/gguf.h"

namespace carat::checkpoint {

std::string TokenizerJsonFromGguf(const Gguf& gguf);

std::string TokenizerConfigJsonFromGguf(const Gguf& gguf);

}  // namespace carat::checkpoint

#endif  // CARAT_CHECKPOINT_GGUF_TOKENIZER_H_
