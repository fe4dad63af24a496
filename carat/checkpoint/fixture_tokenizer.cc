#include "carat/checkpoint/fixture_tokenizer.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "carat/base/error.h"
#include "carat/base/json.h"
#include "carat/checkpoint/bpe_tokenizer_json.h"

namespace carat::checkpoint {
namespace {

constexpr size_t kBos = 2;
constexpr size_t kUnknown = 3;
constexpr size_t kStartOfTurn = 105;
constexpr std::array<std::string_view, 5> kControlTokens = {"<pad>", "<eos>", "<bos>", "<unk>",
                                                            "<mask>"};

// Gemma's: the system message goes before the first user message, turns alternate.
constexpr std::string_view kChatTemplate =
    R"({{ bos_token }})"
    R"({% if messages[0]['role'] == 'system' %})"
    R"({% set first_user_prefix = messages[0]['content'] + '\n\n' %})"
    R"({% set loop_messages = messages[1:] %})"
    R"({% else %}{% set first_user_prefix = '' %}{% set loop_messages = messages %}{% endif %})"
    R"({% for message in loop_messages %})"
    R"({% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %})"
    R"({{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }})"
    R"({% endif %})"
    R"({% set role = 'model' if message['role'] == 'assistant' else message['role'] %})"
    R"({{ '<start_of_turn>' + role + '\n' + (first_user_prefix if loop.first else '') }})"
    R"({{ message['content'] | trim }}{{ '<end_of_turn>\n' }}{% endfor %})"
    R"({% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %})";

// Tokens in the order of their ids, and which two pieces a merged one is made of.
class Vocabulary {
 public:
  explicit Vocabulary(int64_t size) : size_(static_cast<size_t>(size)) { pieces_.reserve(size_); }

  bool IsFull() const { return pieces_.size() >= size_; }

  void Add(std::string piece) { pieces_.push_back(std::move(piece)); }

  void AddMerged(std::string_view left, std::string_view right) {
    if (IsFull()) return;
    pieces_.push_back(std::string(left).append(right));
    merges_.emplace_back(left, right);
  }

  void Write(BpeTokenizerJson& json) const {
    for (size_t id = 0; id < pieces_.size(); ++id) json.AddToken(id, pieces_[id]);
    for (const auto& [left, right] : merges_) json.AddMerge(left, right);
  }

 private:
  size_t size_;
  std::vector<std::string> pieces_;
  std::vector<std::pair<std::string, std::string>> merges_;
};

// The tokens with ids below 107: none of them comes out of text by merging.
std::vector<std::string> AddedTokens() {
  std::vector<std::string> tokens(kControlTokens.begin(), kControlTokens.end());
  for (int i = 0; tokens.size() < kStartOfTurn; ++i) tokens.push_back(fmt::format("<unused{}>", i));
  tokens.emplace_back("<start_of_turn>");
  tokens.emplace_back("<end_of_turn>");
  return tokens;
}

std::vector<std::string> Letters(char first, char last) {
  std::vector<std::string> letters;
  for (char letter = first; letter <= last; ++letter) letters.emplace_back(1, letter);
  return letters;
}

// Adds left + right for every combination, and returns the pieces.
std::vector<std::string> AddMerges(const std::vector<std::string>& left,
                                   const std::vector<std::string>& right, Vocabulary& vocabulary) {
  std::vector<std::string> pieces;
  for (const std::string& b : right) {
    for (const std::string& a : left) {
      vocabulary.AddMerged(a, b);
      pieces.push_back(a + b);
    }
    if (vocabulary.IsFull()) break;
  }
  return pieces;
}

}  // namespace

std::string FixtureTokenizerJson(int64_t vocab_size) {
  if (vocab_size < kMinFixtureVocabSize) {
    throw Error("a fixture's vocab_size is {}, at least {} are needed", vocab_size,
                kMinFixtureVocabSize);
  }
  Vocabulary vocabulary(vocab_size);
  const std::vector<std::string> added_tokens = AddedTokens();
  for (const std::string& token : added_tokens) vocabulary.Add(token);
  for (int byte = 0; byte < 256; ++byte) vocabulary.Add(fmt::format("<0x{:02X}>", byte));
  vocabulary.Add("\n");
  vocabulary.Add(std::string(kSentencePieceSpace));
  for (char c = '!'; c <= '~'; ++c) vocabulary.Add(std::string(1, c));

  const std::vector<std::string> lower = Letters('a', 'z');
  const std::vector<std::string> space = {std::string(kSentencePieceSpace)};
  const std::vector<std::string> pairs = AddMerges(lower, lower, vocabulary);
  AddMerges(Letters('A', 'Z'), lower, vocabulary);
  AddMerges(space, pairs, vocabulary);
  AddMerges(space, lower, vocabulary);
  AddMerges(pairs, pairs, vocabulary);
  AddMerges(pairs, lower, vocabulary);
  if (!vocabulary.IsFull()) {
    throw Error("a fixture's vocab_size is {}, more than its tokenizer has pieces for", vocab_size);
  }
  BpeTokenizerJson json;
  for (size_t id = 0; id < added_tokens.size(); ++id) {
    const bool is_special = id < kControlTokens.size() || id >= kStartOfTurn;
    json.AddWholeToken(id, added_tokens[id], is_special);
  }
  json.SetBos(kBos, kControlTokens[kBos]);
  json.SetUnknown(kControlTokens[kUnknown]);
  vocabulary.Write(json);
  return json.Text();
}

std::string FixtureTokenizerConfigJson(int64_t model_max_length) {
  const Json config = {{"add_bos_token", true},
                       {"add_eos_token", false},
                       {"bos_token", "<bos>"},
                       {"chat_template", kChatTemplate},
                       {"clean_up_tokenization_spaces", false},
                       {"eos_token", "<eos>"},
                       {"model_max_length", model_max_length},
                       {"pad_token", "<pad>"},
                       {"tokenizer_class", "GemmaTokenizer"},
                       {"unk_token", "<unk>"}};
  return config.dump(2) + "\n";
}

}  // namespace carat::checkpoint
