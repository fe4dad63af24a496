#include "carat/checkpoint/gguf_tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "carat/base/error.h"
#include "carat/base/json.h"
#include "carat/base/utf8.h"
#include "carat/checkpoint/bpe_tokenizer_json.h"
#include "carat/checkpoint/gguf_token_type.h"

namespace carat::checkpoint {
namespace {

constexpr std::string_view kTokensKey = "tokenizer.ggml.tokens";
constexpr std::string_view kScoresKey = "tokenizer.ggml.scores";
constexpr std::string_view kTypesKey = "tokenizer.ggml.token_type";
constexpr std::string_view kBosKey = "tokenizer.ggml.bos_token_id";
constexpr std::string_view kEosKey = "tokenizer.ggml.eos_token_id";
constexpr std::string_view kPadKey = "tokenizer.ggml.padding_token_id";
constexpr std::string_view kUnknownKey = "tokenizer.ggml.unknown_token_id";
constexpr std::string_view kAddBosKey = "tokenizer.ggml.add_bos_token";

// Gemma has 262,144 tokens of up to 93 bytes and 514,906 merges. Beyond these limits a file would
// be made to waste time or memory.
constexpr size_t kMaxTokens = size_t{1} << 20;
constexpr size_t kMaxTokenBytes = 256;
constexpr size_t kMaxMerges = size_t{1} << 23;

struct Token {
  std::string text;
  double score = 0;
  GgufTokenType type = GgufTokenType::kNormal;

  // Whether it comes out of text by merging.
  bool IsMerged() const {
    return type == GgufTokenType::kNormal || type == GgufTokenType::kUserDefined;
  }
  // Whether its text becomes it before anything is merged.
  bool IsAdded() const { return IsSpecial() || type == GgufTokenType::kUserDefined; }
  bool IsSpecial() const {
    return type == GgufTokenType::kControl || type == GgufTokenType::kUnknown;
  }
};

// llama.cpp's converter writes the spaces of texts that were defined by authors as they are in
// text, the others as SentencePiece has them.
std::string WithSentencePieceSpaces(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == ' ') {
      result += kSentencePieceSpace;
    } else {
      result += c;
    }
  }
  return result;
}

template <typename T>
void CheckCount(const Gguf& gguf, std::string_view key, const std::vector<T>& values,
                size_t num_tokens) {
  if (values.size() == num_tokens) return;
  throw gguf.Wrong(key, fmt::format("one for each of the {} tokens", num_tokens));
}

std::vector<Token> ReadTokens(const Gguf& gguf) {
  constexpr std::string_view kModelKey = "tokenizer.ggml.model";
  if (gguf.String(kModelKey) != "llama") {
    throw gguf.Wrong(kModelKey, "\"llama\", the SentencePiece vocabulary of Gemma 3");
  }
  for (const std::string_view key :
       {"tokenizer.ggml.add_space_prefix", "tokenizer.ggml.add_eos_token"}) {
    if (gguf.OptionalBool(key).value_or(false)) throw gguf.Wrong(key, "false, as Gemma 3 has it");
  }
  const std::vector<std::string_view> texts = gguf.Strings(kTokensKey);
  const std::vector<double> scores = gguf.Floats(kScoresKey);
  const std::vector<int64_t> types = gguf.Ints(kTypesKey);
  CheckCount(gguf, kScoresKey, scores, texts.size());
  CheckCount(gguf, kTypesKey, types, texts.size());
  if (texts.size() > kMaxTokens) {
    throw gguf.Wrong(kTokensKey, fmt::format("at most {} tokens", kMaxTokens));
  }
  std::vector<Token> tokens;
  for (size_t id = 0; id < texts.size(); ++id) {
    const std::optional<GgufTokenType> type = FindGgufTokenType(types[id]);
    if (!type) throw Error("{} gives token {} the type {}", gguf.Where(kTypesKey), id, types[id]);
    if (texts[id].size() > kMaxTokenBytes) {
      throw Error("{}: token {} is {} bytes long, at most {} are supported", gguf.Where(kTokensKey),
                  id, texts[id].size(), kMaxTokenBytes);
    }
    const bool is_user_defined = *type == GgufTokenType::kUserDefined;
    tokens.push_back({is_user_defined ? WithSentencePieceSpaces(texts[id]) : std::string(texts[id]),
                      is_user_defined ? std::numeric_limits<double>::infinity() : scores[id],
                      *type});
  }
  return tokens;
}

// Ids by text; those that are unused, as the ones that pad a vocabulary, are not in it.
using Vocabulary = std::unordered_map<std::string_view, uint32_t>;

Vocabulary MakeVocabulary(const Gguf& gguf, const std::vector<Token>& tokens) {
  Vocabulary vocabulary;
  for (uint32_t id = 0; id < tokens.size(); ++id) {
    if (tokens[id].type == GgufTokenType::kUnused) continue;
    const auto [other, is_new] = vocabulary.emplace(tokens[id].text, id);
    if (!is_new) {
      throw Error("{}: tokens {} and {} have the same text {}", gguf.Where(kTokensKey),
                  other->second, id, Json(tokens[id].text).dump());
    }
  }
  return vocabulary;
}

struct Merge {
  double score = 0;  // of the merged token
  size_t left_length = 0;
  size_t right_length = 0;  // in characters
  uint32_t left = 0;
  uint32_t right = 0;
};

// The splits of a token, the first parts in the order of their ids.
void AddMerges(const Token& token, const std::vector<Token>& tokens, const Vocabulary& vocabulary,
               std::vector<Merge>& merges) {
  const auto find = [&](std::string_view text) -> std::optional<uint32_t> {
    const auto id = vocabulary.find(text);
    if (id == vocabulary.end() || !tokens[id->second].IsMerged()) return std::nullopt;
    return id->second;
  };
  const std::string_view text = token.text;
  const size_t length = CountCodePoints(text);
  const auto first = static_cast<std::ptrdiff_t>(merges.size());
  size_t left_length = 0;
  for (size_t i = 1; i < text.size(); ++i) {
    if ((static_cast<uint8_t>(text[i]) & 0xc0) == 0x80) continue;  // inside a character
    ++left_length;
    const std::optional<uint32_t> left = find(text.substr(0, i));
    if (!left) continue;
    const std::optional<uint32_t> right = find(text.substr(i));
    if (right) merges.push_back({token.score, left_length, length - left_length, *left, *right});
  }
  std::sort(merges.begin() + first, merges.end(), [](const Merge& a, const Merge& b) {
    return std::pair(a.left, a.right) < std::pair(b.left, b.right);
  });
}

// In the order of transformers' converter: best score first, then the longest left and right parts,
// then the tokens' ids.
std::vector<Merge> MakeMerges(const Gguf& gguf, const std::vector<Token>& tokens,
                              const Vocabulary& vocabulary) {
  std::vector<Merge> merges;
  for (const Token& token : tokens) {
    if (token.IsMerged()) AddMerges(token, tokens, vocabulary, merges);
    if (merges.size() > kMaxMerges) {
      throw Error("{} can be merged in more than {} ways, which no tokenizer needs",
                  gguf.Where(kTokensKey), kMaxMerges);
    }
  }
  std::stable_sort(merges.begin(), merges.end(), [](const Merge& a, const Merge& b) {
    return std::tie(a.score, a.left_length, a.right_length) >
           std::tie(b.score, b.left_length, b.right_length);
  });
  return merges;
}

// The id that a key names, if the file has it.
std::optional<size_t> TokenId(const Gguf& gguf, std::string_view key, size_t num_tokens) {
  const std::optional<int64_t> id = gguf.OptionalInt(key);
  if (!id) return std::nullopt;
  if (*id < 0 || static_cast<uint64_t>(*id) >= num_tokens) {
    throw gguf.Wrong(key, fmt::format("the id of one of {} tokens", num_tokens));
  }
  return static_cast<size_t>(*id);
}

// Puts <bos> before a text, unless the file says not to.
void SetBos(const Gguf& gguf, const std::vector<Token>& tokens, BpeTokenizerJson& json) {
  if (!gguf.OptionalBool(kAddBosKey).value_or(true)) return;
  const std::optional<size_t> id = TokenId(gguf, kBosKey, tokens.size());
  if (!id) {
    throw Error("{} is missing, the id of the token that begins a text", gguf.Where(kBosKey));
  }
  json.SetBos(*id, tokens[*id].text);
}

}  // namespace

std::string TokenizerJsonFromGguf(const Gguf& gguf) {
  const std::vector<Token> tokens = ReadTokens(gguf);
  const Vocabulary vocabulary = MakeVocabulary(gguf, tokens);
  BpeTokenizerJson json;
  for (size_t id = 0; id < tokens.size(); ++id) {
    const Token& token = tokens[id];
    if (token.IsAdded()) json.AddWholeToken(id, token.text, token.IsSpecial());
    if (token.type != GgufTokenType::kUnused) json.AddToken(id, token.text);
  }
  SetBos(gguf, tokens, json);
  if (const auto unknown = TokenId(gguf, kUnknownKey, tokens.size())) {
    json.SetUnknown(tokens[*unknown].text);
  }
  for (const Merge& merge : MakeMerges(gguf, tokens, vocabulary)) {
    json.AddMerge(tokens[merge.left].text, tokens[merge.right].text);
  }
  return json.Text();
}

std::string TokenizerConfigJsonFromGguf(const Gguf& gguf) {
  const std::vector<std::string_view> tokens = gguf.Strings(kTokensKey);
  Json config = {{"add_bos_token", gguf.OptionalBool(kAddBosKey).value_or(true)},
                 {"add_eos_token", false},
                 {"clean_up_tokenization_spaces", false},
                 {"tokenizer_class", "GemmaTokenizer"}};
  struct SpecialToken {
    std::string_view key;
    const char* name;
  };
  for (const auto& [key, name] :
       {SpecialToken{kBosKey, "bos_token"}, SpecialToken{kEosKey, "eos_token"},
        SpecialToken{kPadKey, "pad_token"}, SpecialToken{kUnknownKey, "unk_token"}}) {
    if (const auto id = TokenId(gguf, key, tokens.size())) config[name] = tokens[*id];
  }
  if (const auto chat_template = gguf.OptionalString("tokenizer.chat_template")) {
    config["chat_template"] = *chat_template;
  }
  return config.dump(2) + "\n";
}

}  // namespace carat::checkpoint
