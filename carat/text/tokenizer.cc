#include "carat/text/tokenizer.h"

#include "carat/base/error.h"
#include "carat/base/file.h"
#include "carat/text/carat_text.h"
#include "carat/text/rust_bytes.h"

namespace carat::text {
namespace {

// Gemma's, with 262,144 tokens, has 33 MB.
constexpr size_t kMaxTokenizerBytes = size_t{256} << 20;

}  // namespace

void Tokenizer::Free::operator()(CaratTokenizer* tokenizer) const {
  carat_tokenizer_free(tokenizer);
}

Tokenizer::Tokenizer(std::unique_ptr<CaratTokenizer, Free> tokenizer, std::string where)
    : tokenizer_(std::move(tokenizer)), where_(std::move(where)) {}

Tokenizer Tokenizer::Load(const std::filesystem::path& path) {
  const bool is_folder = std::filesystem::is_directory(path);
  const std::filesystem::path file = is_folder ? path / "tokenizer.json" : path;
  if (!std::filesystem::exists(file)) {
    throw Error(
        "{}: there is no such file; a model folder needs the tokenizer.json it was published with",
        file.string());
  }
  return FromJson(ReadTextFile(file, kMaxTokenizerBytes), file.string());
}

Tokenizer Tokenizer::FromJson(std::string_view json, std::string_view where) {
  CaratTokenizer* tokenizer = nullptr;
  RustBytes error;
  if (!carat_tokenizer_from_json(json.data(), json.size(), &tokenizer, error.out())) {
    throw Error("{}: not a tokenizer: {}", where, error.view());
  }
  return Tokenizer(std::unique_ptr<CaratTokenizer, Free>(tokenizer), std::string(where));
}

std::vector<TokenId> Tokenizer::Encode(std::string_view text, SpecialTokens special_tokens) const {
  RustTokens tokens;
  RustBytes error;
  if (!carat_tokenizer_encode(tokenizer_.get(), text.data(), text.size(),
                              special_tokens == SpecialTokens::kAdd, tokens.out(), error.out())) {
    throw Error("{}: cannot encode this text: {}", where_, error.view());
  }
  return std::vector<TokenId>(tokens.view().begin(), tokens.view().end());
}

std::string Tokenizer::Decode(std::span<const TokenId> tokens, DecodeSpecial special) const {
  // A negative id becomes a huge one, which no token has.
  const std::vector<uint32_t> ids(tokens.begin(), tokens.end());
  RustBytes text;
  RustBytes error;
  if (!carat_tokenizer_decode(tokenizer_.get(), ids.data(), ids.size(),
                              special == DecodeSpecial::kSkip, text.out(), error.out())) {
    throw Error("{}: cannot decode these tokens: {}", where_, error.view());
  }
  return std::string(text.view());
}

std::optional<TokenId> Tokenizer::TokenToId(std::string_view token) const {
  const int64_t id = carat_tokenizer_token_to_id(tokenizer_.get(), token.data(), token.size());
  return id < 0 ? std::nullopt : std::optional<TokenId>(static_cast<TokenId>(id));
}

std::string Tokenizer::IdToToken(TokenId id) const {
  const RustBytes token(carat_tokenizer_id_to_token(tokenizer_.get(), static_cast<uint32_t>(id)));
  return std::string(token.view());
}

bool Tokenizer::IsSpecial(TokenId id) const {
  return carat_tokenizer_is_special(tokenizer_.get(), static_cast<uint32_t>(id));
}

bool Tokenizer::IsByteToken(TokenId id) const {
  return carat_tokenizer_is_byte_token(tokenizer_.get(), static_cast<uint32_t>(id));
}

int64_t Tokenizer::vocab_size() const { return carat_tokenizer_vocab_size(tokenizer_.get()); }

void Tokenizer::CheckFits(int64_t model_vocab_size) const {
  const int64_t base_vocab_size = carat_tokenizer_base_vocab_size(tokenizer_.get());
  if (base_vocab_size <= model_vocab_size) return;
  throw Error(
      "{}: has {} tokens but the model's vocab_size is {}; the tokenizer belongs to another model, "
      "take the tokenizer.json that was published with this one",
      where_, base_vocab_size, model_vocab_size);
}

void Tokenizer::CheckTokens(std::span<const TokenId> tokens, int64_t model_vocab_size) const {
  for (const TokenId token : tokens) {
    if (token >= 0 && token < model_vocab_size) continue;
    throw Error("the text holds the token '{}' (id {}), but the model's vocab_size is {}",
                IdToToken(token), token, model_vocab_size);
  }
}

}  // namespace carat::text
