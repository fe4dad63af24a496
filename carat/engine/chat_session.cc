#include "carat/engine/chat_session.h"

#include <string_view>
#include <utility>

#include "carat/base/error.h"

namespace carat::engine {

ChatSession::ChatSession(TextModel model, text::ChatTemplate chat_template)
    : generator_(std::move(model)), chat_template_(std::move(chat_template)) {}

void ChatSession::Reset() {
  messages_.clear();
  transcript_ = {};
  generator_.Reset();
}

TextResult ChatSession::Ask(const std::string& message, const ChatOptions& options,
                            const TextCallback& on_text,
                            const std::function<bool()>& is_interrupted) {
  messages_.push_back({"user", message});
  try {
    TextResult result = Answer(options, on_text, is_interrupted);
    const bool was_answered =
        !result.text.empty() || result.generation.finish_reason != FinishReason::kInterrupted;
    if (was_answered) {
      messages_.push_back({"assistant", result.text});
    } else {
      messages_.pop_back();
    }
    return result;
  } catch (...) {
    messages_.pop_back();
    throw;
  }
}

TextResult ChatSession::Answer(const ChatOptions& options, const TextCallback& on_text,
                               const std::function<bool()>& is_interrupted) {
  Transcript transcript = MakePrompt(options.system_prompt);
  const int64_t context_window_size = model().context_window_size();
  if (std::ssize(transcript.tokens) >= context_window_size) {
    throw Error(
        "the conversation has {} tokens with this message, and the context window of {} leaves no "
        "room for an answer; shorten it, or compile with a larger --context-window-size",
        transcript.tokens.size(), context_window_size);
  }
  GenerationRequest request;
  request.prompt = transcript.tokens;
  request.sampling = options.sampling;
  request.stop_tokens = model().config().generation.eos_token_ids;
  request.max_tokens = options.max_tokens;
  request.is_interrupted = is_interrupted;
  TextResult result = generator_.Generate(std::move(request), on_text);

  const std::vector<TokenId>& answer = result.generation.tokens;
  transcript.text += result.text;
  transcript.tokens.insert(transcript.tokens.end(), answer.begin(), answer.end());
  transcript_ = std::move(transcript);
  return result;
}

// Before the template and the tokenizer work on the text.
void ChatSession::CheckBytes(const std::string& system_prompt) const {
  size_t num_bytes = system_prompt.size();
  for (const text::ChatMessage& message : messages_) num_bytes += message.content.size();
  CheckPromptBytes(num_bytes, model().context_window_size());
}

std::string ChatSession::Render(const std::string& system_prompt) const {
  if (system_prompt.empty()) {
    return chat_template_.Render(messages_, text::GenerationPrompt::kAdd);
  }
  std::vector<text::ChatMessage> messages = {{"system", system_prompt}};
  messages.insert(messages.end(), messages_.begin(), messages_.end());
  return chat_template_.Render(messages, text::GenerationPrompt::kAdd);
}

// Where the new prompt goes on from the transcript, only what is new is encoded. A model may spell
// its answer in other tokens than the tokenizer would; encoding the answer's text again would then
// make the model read the conversation again from there.
ChatSession::Transcript ChatSession::MakePrompt(const std::string& system_prompt) const {
  const text::Tokenizer& tokenizer = generator_.tokenizer();
  CheckBytes(system_prompt);
  std::string prompt = Render(system_prompt);
  CheckPromptBytes(prompt.size(), model().context_window_size());
  if (!transcript_.tokens.empty() && prompt.starts_with(transcript_.text)) {
    const std::string_view rest = std::string_view(prompt).substr(transcript_.text.size());
    const std::vector<TokenId> more = tokenizer.Encode(rest, text::SpecialTokens::kDoNotAdd);
    // Nothing merges across a special token, so text may be cut before one.
    if (!more.empty() && tokenizer.IsSpecial(more.front())) {
      std::vector<TokenId> tokens = transcript_.tokens;
      tokens.insert(tokens.end(), more.begin(), more.end());
      return {std::move(prompt), std::move(tokens)};
    }
  }
  std::vector<TokenId> tokens = tokenizer.Encode(prompt, text::SpecialTokens::kDoNotAdd);
  return {std::move(prompt), std::move(tokens)};
}

}  // namespace carat::engine
