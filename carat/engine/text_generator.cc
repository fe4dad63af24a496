#include "carat/engine/text_generator.h"

#include <algorithm>
#include <future>
#include <limits>
#include <utility>

#include "carat/base/error.h"
#include "carat/text/stream_decoder.h"

namespace carat::engine {

TextModel LoadTextModel(const std::filesystem::path& dist_folder,
                        const runtime::ModelOptions& options) {
  // On a thread of its own where the system grants one.
  auto tokenizer = std::async(std::launch::async | std::launch::deferred, [&] {
    return std::make_shared<const text::Tokenizer>(text::Tokenizer::Load(dist_folder));
  });
  TextModel loaded;
  loaded.model = runtime::Model::Load(dist_folder, options);
  loaded.tokenizer = tokenizer.get();
  loaded.tokenizer->CheckFits(loaded.model->vocab_size());
  return loaded;
}

int64_t MaxPromptBytes(int64_t context_window_size) {
  constexpr int64_t kBytesPerToken = 64;
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max() / kBytesPerToken;  // of any folder
  return kBytesPerToken * std::min(context_window_size, kMost);
}

void CheckPromptBytes(size_t num_bytes, int64_t context_window_size) {
  const int64_t max_bytes = MaxPromptBytes(context_window_size);
  if (static_cast<int64_t>(num_bytes) <= max_bytes) return;
  throw Error(
      "the prompt has more than {} bytes, which is too much for the context window of {} tokens; "
      "shorten it, or compile with a larger --context-window-size",
      max_bytes, context_window_size);
}

TextGenerator::TextGenerator(TextModel model)
    : model_(std::move(model)), generator_(model_.model) {}

TextResult TextGenerator::Generate(GenerationRequest request, const TextCallback& on_text) {
  model_.tokenizer->CheckTokens(request.prompt, model_.model->vocab_size());
  text::StreamDecoder decoder(*model_.tokenizer);
  TextResult result;
  const auto append = [&](const std::string& piece) {
    if (piece.empty()) return;
    result.text += piece;
    if (on_text) on_text(piece);
  };
  request.on_token = [&, on_token = std::move(request.on_token)](const GeneratedToken& generated) {
    const Continue next = on_token ? on_token(generated) : Continue::kYes;
    append(decoder.Push(generated.token));
    return next;
  };
  result.generation = generator_.Generate(request);
  append(decoder.Finish());
  return result;
}

}  // namespace carat::engine
