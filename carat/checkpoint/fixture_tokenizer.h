// tokenizer.json and tokenizer_config.json of a fixture: byte-fallback BPE in the layout of
// Gemma's.
//
//   0 <pad>  1 <eos>  2 <bos>  3 <unk>  4 <mask>  5... <unused0>...  105 <start_of_turn>
//   106 <end_of_turn>  107... the 256 bytes  then newline, U+2581 (a space) and printable ASCII,
//   then merged pieces of two to four letters up to the size of the vocabulary
//
// Every token has its own text, and every merged piece its merge, so any text is encoded and
// decoded, and any token that random weights choose has words for it.

#ifndef CARAT_CHECKPOINT_FIXTURE_TOKENIZER_H_
#define CARAT_CHECKPOINT_FIXTURE_TOKENIZER_H_

#include <cstdint>
#include <string>

namespace carat::checkpoint {

// The smallest vocabulary that holds the tokens that are always there.
inline constexpr int64_t kMinFixtureVocabSize = 512;

std::string FixtureTokenizerJson(int64_t vocab_size);
std::string FixtureTokenizerConfigJson(int64_t model_max_length);

}  // namespace carat::checkpoint

#endif  // CARAT_CHECKPOINT_FIXTURE_TOKENIZER_H_
