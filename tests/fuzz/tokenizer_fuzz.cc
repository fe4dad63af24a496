// Any bytes are a tokenizer that encodes and decodes, or an Error.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "carat/base/error.h"
#include "carat/text/stream_decoder.h"
#include "carat/text/tokenizer.h"

namespace {

using carat::TokenId;
using carat::text::DecodeSpecial;
using carat::text::SpecialTokens;
using carat::text::StreamDecoder;
using carat::text::Tokenizer;

void UseTokenizer(std::string_view json) {
  const Tokenizer tokenizer = Tokenizer::FromJson(json, "tokenizer.json");
  for (const SpecialTokens special : {SpecialTokens::kAdd, SpecialTokens::kDoNotAdd}) {
    const std::vector<TokenId> tokens = tokenizer.Encode("Ab  ▁é😀\n<eos>", special);
    if (std::ranges::any_of(tokens, [](TokenId token) { return token < 0; })) std::abort();
  }
  std::vector<TokenId> ids(std::min<int64_t>(tokenizer.vocab_size(), 64) + 2);
  std::iota(ids.begin(), ids.end(), -1);
  tokenizer.Decode(ids, DecodeSpecial::kSkip);
  StreamDecoder decoder(tokenizer);
  for (const TokenId id : ids) decoder.Push(id);
  decoder.Finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    UseTokenizer({reinterpret_cast<const char*>(data), size});
  } catch (const carat::Error&) {
  }
  return 0;
}
