#include "carat/text/stream_decoder.h"

#include <algorithm>
#include <string_view>

namespace carat::text {
namespace {

constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

// The window is decoded again with every token, so it stays short; half of it stays as context.
constexpr size_t kMaxWindow = 16;

}  // namespace

std::string StreamDecoder::Push(TokenId token) {
  window_.push_back(token);
  // Tokens that leave no text of their own do not end a run of bytes either.
  const bool is_skipped = special_ == DecodeSpecial::kSkip && tokenizer_.IsSpecial(token);
  const bool is_unknown = tokenizer_.IdToToken(token).empty();
  if (is_skipped || is_unknown || tokenizer_.IsByteToken(token)) return "";
  return Advance(/*at_end=*/false);
}

std::string StreamDecoder::Finish() {
  std::string rest = Advance(/*at_end=*/true);
  window_.clear();
  handed_out_bytes_ = 0;
  return rest;
}

std::string StreamDecoder::Advance(bool at_end) {
  const std::string text = tokenizer_.Decode(window_, special_);
  size_t certain_bytes = text.size();
  if (!at_end && text.ends_with(kReplacementCharacter)) {
    certain_bytes -= kReplacementCharacter.size();
  }
  const size_t begin = std::min(handed_out_bytes_, text.size());
  certain_bytes = std::max(certain_bytes, begin);
  std::string piece = text.substr(begin, certain_bytes - begin);
  handed_out_bytes_ = certain_bytes;

  // Context must have text, or its first token would count as the first of all; and it must read as
  // it does in the window, which it does not if it begins inside a character.
  const size_t waiting_bytes = text.size() - certain_bytes;
  if (window_.size() > kMaxWindow) {
    const std::vector<TokenId> context(window_.end() - kMaxWindow / 2, window_.end());
    const std::string context_text = tokenizer_.Decode(context, special_);
    if (context_text.size() > waiting_bytes && text.ends_with(context_text)) {
      window_ = context;
      handed_out_bytes_ = context_text.size() - waiting_bytes;
    }
  }
  return piece;
}

}  // namespace carat::text
