// A conversation to the text of a prompt, by the template that the model's folder brings.

#ifndef CARAT_TEXT_CHAT_TEMPLATE_H_
#define CARAT_TEXT_CHAT_TEMPLATE_H_

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

struct CaratChatTemplate;

namespace carat::text {

struct ChatMessage {
  std::string role;  // "system", "user" or "assistant"
  std::string content;
};

// Whether the text ends with the opening of the model's turn, for the model to go on.
enum class GenerationPrompt { kAdd, kDoNotAdd };

// Everything is const and may be called from several threads at once; renderings wait for each
// other.
class ChatTemplate {
 public:
  // Special tokens by the name a template knows them by: {"bos_token": "<bos>"}.
  using SpecialTokens = std::map<std::string, std::string, std::less<>>;

  // Finds the template in `folder`: chat_template.jinja, else the field chat_template of
  // tokenizer_config.json (a text, or a list of {name, template} of which "default" is taken). A
  // folder without one gives nullopt: its model is to be prompted with plain text.
  static std::optional<ChatTemplate> Find(const std::filesystem::path& folder);

  // The same for files that lie elsewhere: `read` gives the text of one, or nothing. Errors name
  // them by their names, or as if they were in `folder`.
  using ReadFile = std::function<std::optional<std::string>(std::string_view name)>;
  static std::optional<ChatTemplate> Find(const ReadFile& read,
                                          const std::filesystem::path& folder);

  // The same; a folder without one is an Error that says what to do.
  static ChatTemplate Load(const std::filesystem::path& folder);

  // Compiles the Jinja text `source`; `where` names its file in errors.
  static ChatTemplate Compile(std::string_view source, std::string_view where,
                              SpecialTokens special_tokens);

  // The prompt's text, special tokens spelled out (so encode it with SpecialTokens::kDoNotAdd).
  // Throws Error if the template refuses the conversation, is wrong, or does not end within its
  // limits of time and memory; once it has broken one, each later call throws the same Error.
  std::string Render(std::span<const ChatMessage> messages,
                     GenerationPrompt generation_prompt) const;

 private:
  struct Free {
    void operator()(CaratChatTemplate* chat_template) const;
  };

  ChatTemplate(std::unique_ptr<CaratChatTemplate, Free> chat_template,
               SpecialTokens special_tokens);

  std::unique_ptr<CaratChatTemplate, Free> template_;
  SpecialTokens special_tokens_;
};

}  // namespace carat::text

#endif  // CARAT_TEXT_CHAT_TEMPLATE_H_
