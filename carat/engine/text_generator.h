// Text in, text out: a generator between a tokenizer and a stream of text.

#ifndef CARAT_ENGINE_TEXT_GENERATOR_H_
#define CARAT_ENGINE_TEXT_GENERATOR_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "carat/engine/generator.h"
#include "carat/runtime/model.h"
#include "carat/text/tokenizer.h"

namespace carat::engine {

// A compiled model and the tokenizer of its folder.
struct TextModel {
  std::shared_ptr<runtime::Model> model;
  std::shared_ptr<const text::Tokenizer> tokenizer;
};

// Loads both, side by side: a tokenizer of 262,144 tokens takes longer than the mapped weights.
// Throws Error if one of them is broken or they do not belong together.
TextModel LoadTextModel(const std::filesystem::path& dist_folder,
                        const runtime::ModelOptions& options = {});

// Text that no context window is given, since what it is read into is not bounded by it: 64 bytes
// for each of its tokens, several times as much as text takes.
int64_t MaxPromptBytes(int64_t context_window_size);

// Throws Error for a prompt longer than that.
void CheckPromptBytes(size_t num_bytes, int64_t context_window_size);

// Called with the answer's text as it becomes certain: whole characters, in order.
using TextCallback = std::function<void(std::string_view)>;

struct TextResult {
  std::string text;
  GenerationResult generation;
};

class TextGenerator {
 public:
  explicit TextGenerator(TextModel model);

  // As Generator::Generate; `request.on_token` is called before the token's text goes to `on_text`,
  // which may be empty. Special tokens do not show in the text.
  TextResult Generate(GenerationRequest request, const TextCallback& on_text);

  // Forgets what the sequence holds.
  void Reset() { generator_.Reset(); }

  const runtime::Model& model() const { return *model_.model; }
  const text::Tokenizer& tokenizer() const { return *model_.tokenizer; }
  int64_t num_cached_tokens() const { return std::ssize(generator_.tokens()); }

 private:
  TextModel model_;
  Generator generator_;
};

}  // namespace carat::engine

#endif  // CARAT_ENGINE_TEXT_GENERATOR_H_
