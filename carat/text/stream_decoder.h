// Tokens in, text out, as they come: what is handed out is never taken back, never cuts a
// character, and adds up to Tokenizer::Decode of all the tokens.
//
//     StreamDecoder decoder(tokenizer);
//     for (TokenId token : answer) out << decoder.Push(token);
//     out << decoder.Finish();
//
// Text waits while later tokens can still change it: a run of byte tokens (<0xF0> <0x9F> ...)
// decodes to U+FFFD altogether if one of its bytes does not fit, so it is decided at the run's end;
// elsewhere a U+FFFD at the end may be a character whose bytes are not all there.

#ifndef CARAT_TEXT_STREAM_DECODER_H_
#define CARAT_TEXT_STREAM_DECODER_H_

#include <string>
#include <vector>

#include "carat/base/types.h"
#include "carat/text/tokenizer.h"

namespace carat::text {

class StreamDecoder {
 public:
  // The tokenizer must outlive the decoder.
  explicit StreamDecoder(const Tokenizer& tokenizer, DecodeSpecial special = DecodeSpecial::kSkip)
      : tokenizer_(tokenizer), special_(special) {}

  // The text that is certain now; often one token's, sometimes none.
  std::string Push(TokenId token);

  // The text that still waited. Afterwards the decoder is as new.
  std::string Finish();

 private:
  std::string Advance(bool at_end);

  const Tokenizer& tokenizer_;
  DecodeSpecial special_;
  // The latest tokens, and how many bytes of their text are handed out. Decoding is not a map over
  // tokens (the first loses its leading space in some tokenizers), so some that are done stay as
  // context.
  std::vector<TokenId> window_;
  size_t handed_out_bytes_ = 0;
};

}  // namespace carat::text

#endif  // CARAT_TEXT_STREAM_DECODER_H_
