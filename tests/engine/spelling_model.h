// The fake model with a tokenizer: a model that spells.
//
// It counts (tests/runtime/fake_library.cc): after token t comes t + 1. Here 14 opens the model's
// turn and 19 ends it, so every answer is 15 16 17 18, spelled "pqrs". The tokenizer itself would
// spell that "pq" "r" "s".

#ifndef CARAT_TESTS_ENGINE_SPELLING_MODEL_H_
#define CARAT_TESTS_ENGINE_SPELLING_MODEL_H_

#include <memory>

#include "carat/engine/text_generator.h"
#include "tests/runtime/fake_model.h"

namespace carat::tests {

inline constexpr char kSpellingTokenizer[] = R"({"version": "1.0",
  "added_tokens": [
    {"id": 14, "content": "<m>", "single_word": false, "lstrip": false, "rstrip": false,
     "normalized": false, "special": true},
    {"id": 19, "content": "<e>", "single_word": false, "lstrip": false, "rstrip": false,
     "normalized": false, "special": true},
    {"id": 20, "content": "<u>", "single_word": false, "lstrip": false, "rstrip": false,
     "normalized": false, "special": true},
    {"id": 21, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false,
     "normalized": false, "special": true}],
  "decoder": {"type": "Fuse"},
  "model": {"type": "BPE", "merges": [["p", "q"]],
    "vocab": {"a": 2, "b": 3, "c": 4, "<m>": 14, "p": 15, "q": 16, "r": 17, "s": 18, "<e>": 19,
              "<u>": 20, "<s>": 21, "pq": 22}}})";

inline constexpr char kSpellingTemplate[] =
    "{% for m in messages %}{{ {'user': '<u>', 'assistant': '<m>', 'system': '<s>'}[m.role] }}"
    "{{ m.content }}<e>{% endfor %}<m>";

class SpellingModelFolder : public FakeModelFolder {
 public:
  SpellingModelFolder() {
    library::DistConfig ends_turns = config();
    ends_turns.generation.eos_token_ids = {19};
    WriteConfig(ends_turns);
  }

  engine::TextModel Load() const {
    return {runtime::Model::Load(path(), {.num_threads = 1}),
            std::make_shared<const text::Tokenizer>(
                text::Tokenizer::FromJson(kSpellingTokenizer, "tokenizer.json"))};
  }
};

}  // namespace carat::tests

#endif  // CARAT_TESTS_ENGINE_SPELLING_MODEL_H_
