// A conversation with a model: keeps the messages, builds each turn's prompt with the chat
// template, and lets the model read only what it has not read yet.

#ifndef CARAT_ENGINE_CHAT_SESSION_H_
#define CARAT_ENGINE_CHAT_SESSION_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "carat/engine/sampler.h"
#include "carat/engine/text_generator.h"
#include "carat/text/chat_template.h"

namespace carat::engine {

struct ChatOptions {
  SamplingParameters sampling;
  int64_t max_tokens = -1;    // of one answer; -1: until the context window is full
  std::string system_prompt;  // before the first message; empty: none
};

class ChatSession {
 public:
  ChatSession(TextModel model, text::ChatTemplate chat_template);

  // Sends a message and returns the answer, which goes to `on_text` as it comes. An interrupted
  // answer stays in the conversation as far as it came.
  //
  // Throws Error if the conversation with `message` no longer fits the context window or the
  // template refuses it; the conversation is as before then.
  TextResult Ask(const std::string& message, const ChatOptions& options,
                 const TextCallback& on_text, const std::function<bool()>& is_interrupted = {});

  // Begins a new conversation.
  void Reset();

  std::span<const text::ChatMessage> messages() const { return messages_; }
  int64_t num_cached_tokens() const { return generator_.num_cached_tokens(); }
  const runtime::Model& model() const { return generator_.model(); }

 private:
  // What the model has seen or said: text and tokens say the same.
  struct Transcript {
    std::string text;
    std::vector<TokenId> tokens;
  };

  void CheckBytes(const std::string& system_prompt) const;
  std::string Render(const std::string& system_prompt) const;
  Transcript MakePrompt(const std::string& system_prompt) const;
  TextResult Answer(const ChatOptions& options, const TextCallback& on_text,
                    const std::function<bool()>& is_interrupted);

  TextGenerator generator_;
  text::ChatTemplate chat_template_;
  std::vector<text::ChatMessage> messages_;
  Transcript transcript_;
};

}  // namespace carat::engine

#endif  // CARAT_ENGINE_CHAT_SESSION_H_
