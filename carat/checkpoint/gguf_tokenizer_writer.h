// A tokenizer.json of Gemma 3's kind as a GGUF file holds it: SentencePiece's texts, scores and
// types, as llama.cpp's converter writes them.

#ifndef CARAT_CHECKPOINT_GGUF_TOKENIZER_WRITER_H_
#define CARAT_CHECKPOINT_GGUF_TOKENIZER_WRITER_H_

#include <cstdint>

#include "carat/base/json.h"
#include "carat/checkpoint/gguf_writer.h"

namespace carat::checkpoint {

// Adds tokenizer.ggml.*: `vocab_size` tokens, as many as the embedding has rows. `tokenizer` is
// tokenizer.json, `tokenizer_config` tokenizer_config.json, which names the special tokens.
void AddTokenizer(const JsonObject& tokenizer, const JsonObject& tokenizer_config,
                  int64_t vocab_size, GgufMetadata& metadata);

}  // namespace carat::checkpoint

#endif  // CARAT_CHECKPOINT_GGUF_TOKENIZER_WRITER_H_
