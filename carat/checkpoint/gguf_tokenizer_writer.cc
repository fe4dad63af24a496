#include "carat/checkpoint/gguf_tokenizer_writer.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "carat/base/error.h"
#include "carat/checkpoint/bpe_tokenizer_json.h"
#include "carat/checkpoint/gguf_token_type.h"

namespace carat::checkpoint {
namespace {

// Of tokens that nothing merges to; llama.cpp's converter writes the same.
constexpr float kAddedScore = -1000;
constexpr float kUnusedScore = -10000;

struct Tokens {
  std::vector<std::string> texts;
  std::vector<float> scores;
  std::vector<int32_t> types;

  void Set(size_t id, std::string text, float score, GgufTokenType type) {
    texts[id] = std::move(text);
    scores[id] = score;
    types[id] = static_cast<int32_t>(type);
  }
};

bool IsByte(std::string_view text) {
  return text.size() == 6 && text.starts_with("<0x") && text.ends_with('>');
}

// Tokens that tokenizer.json does not call special but llama.cpp's converter treats so.
bool LooksSpecial(std::string_view text) {
  return text == "<pad>" || text == "<mask>" ||
         (text.starts_with("<unused") && text.ends_with('>'));
}

std::string WithPlainSpaces(std::string text) {
  for (size_t i = text.find(kSentencePieceSpace); i != std::string::npos;
       i = text.find(kSentencePieceSpace, i + 1)) {
    text.replace(i, kSentencePieceSpace.size(), " ");
  }
  return text;
}

void CheckIsSentencePiece(const JsonObject& tokenizer, const JsonObject& model) {
  if (model.String("type") != "BPE") throw model.Wrong("type", "\"BPE\", as Gemma 3 has it");
  if (!model.OptionalBool("byte_fallback").value_or(false)) {
    throw model.Wrong("byte_fallback", "true, as Gemma 3 has it");
  }
  const JsonObject normalizer = tokenizer.Object("normalizer");
  if (normalizer.String("type") != "Replace" ||
      normalizer.String("content") != kSentencePieceSpace) {
    throw tokenizer.Wrong("normalizer", "the one that replaces spaces, as Gemma 3 has it");
  }
}

// The text that a merge gives. Merges are pairs or, in older files, texts with a space in between.
std::string Merged(const JsonObject& model, const Json& merge) {
  if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
    return merge[0].get<std::string>() + merge[1].get<std::string>();
  }
  if (merge.is_string()) {
    auto text = merge.get<std::string>();
    if (const size_t space = text.find(' '); space != std::string::npos)
      return text.erase(space, 1);
  }
  throw Error("{} holds {}, expected pairs of tokens", model.Where("merges"), merge.dump());
}

// The rank of the first merge that gives a text: the earlier, the better.
std::unordered_map<std::string, size_t> MergeRanks(const JsonObject& model) {
  const Json* merges = model.Find("merges");
  if (merges == nullptr || !merges->is_array()) throw model.Wrong("merges", "a list");
  std::unordered_map<std::string, size_t> ranks;
  for (const Json& merge : *merges) ranks.emplace(Merged(model, merge), ranks.size());
  return ranks;
}

// The id, unless it lies beyond the model's vocabulary.
std::optional<size_t> CheckedId(const JsonObject& object, std::string_view name,
                                size_t vocab_size) {
  const int64_t id = object.Int(name);
  if (id < 0) throw object.Wrong(name, "a token's id");
  return static_cast<size_t>(id) < vocab_size ? std::optional(static_cast<size_t>(id))
                                              : std::nullopt;
}

void SetVocabulary(const JsonObject& model, Tokens& tokens) {
  const std::unordered_map<std::string, size_t> ranks = MergeRanks(model);
  const JsonObject vocabulary = model.Object("vocab");
  for (const auto& [text, value] : vocabulary.json().items()) {
    const std::optional<size_t> id = CheckedId(vocabulary, text, tokens.texts.size());
    if (!id) continue;
    const auto rank = ranks.find(text);
    const size_t place = rank == ranks.end() ? ranks.size() : rank->second;
    tokens.Set(*id, text, -static_cast<float>(place),
               IsByte(text) ? GgufTokenType::kByte : GgufTokenType::kNormal);
  }
}

void SetAddedTokens(const JsonObject& tokenizer, Tokens& tokens) {
  const Json* list = tokenizer.Find("added_tokens");
  if (list == nullptr) return;
  for (const Json& value : *list) {
    const JsonObject added(value, fmt::format("{}: added_tokens", tokenizer.file()));
    const std::optional<size_t> id = CheckedId(added, "id", tokens.texts.size());
    if (!id) continue;
    std::string text = added.String("content");
    const bool is_special = added.OptionalBool("special").value_or(false) || LooksSpecial(text);
    if (!is_special) text = WithPlainSpaces(std::move(text));
    tokens.Set(*id, std::move(text), kAddedScore,
               is_special ? GgufTokenType::kControl : GgufTokenType::kUserDefined);
  }
}

// The id of the token that tokenizer_config.json gives a part, as a text or an object.
std::optional<uint32_t> SpecialToken(const JsonObject& config, std::string_view name,
                                     const Tokens& tokens) {
  const Json* value = config.Find(name);
  if (value == nullptr) return std::nullopt;
  const std::string text =
      value->is_object() ? config.Object(name).String("content") : config.String(name);
  for (size_t id = 0; id < tokens.texts.size(); ++id) {
    if (tokens.texts[id] == text) return static_cast<uint32_t>(id);
  }
  throw config.Wrong(name, "a token of tokenizer.json");
}

}  // namespace

void AddTokenizer(const JsonObject& tokenizer, const JsonObject& tokenizer_config,
                  int64_t vocab_size, GgufMetadata& metadata) {
  const JsonObject model = tokenizer.Object("model");
  CheckIsSentencePiece(tokenizer, model);

  const auto num_tokens = static_cast<size_t>(vocab_size);
  Tokens tokens{std::vector<std::string>(num_tokens), std::vector<float>(num_tokens),
                std::vector<int32_t>(num_tokens)};
  for (size_t id = 0; id < num_tokens; ++id) {
    tokens.Set(id, fmt::format("[PAD{}]", id), kUnusedScore, GgufTokenType::kUnused);
  }
  SetVocabulary(model, tokens);
  SetAddedTokens(tokenizer, tokens);

  metadata.AddString("tokenizer.ggml.model", "llama");
  metadata.AddString("tokenizer.ggml.pre", "default");
  metadata.AddStrings("tokenizer.ggml.tokens", tokens.texts);
  metadata.AddFloat32s("tokenizer.ggml.scores", tokens.scores);
  metadata.AddInt32s("tokenizer.ggml.token_type", tokens.types);
  struct Role {
    std::string_view name;
    std::string_view key;
  };
  for (const auto& [name, key] : {Role{"bos_token", "tokenizer.ggml.bos_token_id"},
                                  Role{"eos_token", "tokenizer.ggml.eos_token_id"},
                                  Role{"unk_token", "tokenizer.ggml.unknown_token_id"},
                                  Role{"pad_token", "tokenizer.ggml.padding_token_id"}}) {
    if (const auto id = SpecialToken(tokenizer_config, name, tokens)) metadata.AddUint32(key, *id);
  }
  metadata.AddBool("tokenizer.ggml.add_bos_token", tokenizer.Has("post_processor"));
  metadata.AddBool("tokenizer.ggml.add_eos_token", false);
  metadata.AddBool("tokenizer.ggml.add_space_prefix", false);
}

}  // namespace carat::checkpoint
