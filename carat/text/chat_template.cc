#include "carat/text/chat_template.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "carat/base/error.h"
#include "carat/base/file.h"
#include "carat/base/json.h"
#include "carat/text/carat_text.h"
#include "carat/text/rust_bytes.h"

namespace carat::text {
namespace {

constexpr std::string_view kConfigFile = "tokenizer_config.json";
constexpr std::string_view kTokensFile = "special_tokens_map.json";
constexpr std::string_view kJinjaFile = "chat_template.jinja";

constexpr size_t kMaxTemplateBytes = size_t{1} << 20;

// The text of a special token: "<bos>", or {"content": "<bos>", ...} in older files.
std::optional<std::string> TokenText(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_object()) return std::nullopt;
  const auto content = value.find("content");
  if (content == value.end() || !content->is_string()) return std::nullopt;
  return content->get<std::string>();
}

// Adds the fields bos_token, eos_token, ... of one file to `tokens`; what is there already stays.
void AddSpecialTokens(const Json& config, ChatTemplate::SpecialTokens& tokens) {
  if (!config.is_object()) return;
  for (const auto& [name, value] : config.items()) {
    if (!name.ends_with("_token")) continue;
    if (const std::optional<std::string> text = TokenText(value)) tokens.emplace(name, *text);
  }
}

// The text of the one named "default", or of the only one.
std::string ChooseTemplate(const Json& templates, std::string_view file) {
  const auto text_of = [&](const Json& entry) {
    return JsonObject(entry, std::string(file) + ": chat_template").String("template");
  };
  for (const Json& entry : templates) {
    const JsonObject named(entry, std::string(file) + ": chat_template");
    if (named.OptionalString("name") == "default") return text_of(entry);
  }
  if (templates.size() == 1) return text_of(templates[0]);
  throw Error(
      "{}: field 'chat_template' lists {} templates and none is named \"default\"; save the one "
      "to use as chat_template.jinja beside it",
      file, templates.size());
}

// The field chat_template; nullopt if there is none.
std::optional<std::string> TemplateOfConfig(const Json& config, std::string_view file) {
  const JsonObject object(config, std::string(file));
  const Json* chat_template = object.Find("chat_template");
  if (chat_template == nullptr) return std::nullopt;
  if (chat_template->is_array()) return ChooseTemplate(*chat_template, file);
  return object.String("chat_template");
}

}  // namespace

void ChatTemplate::Free::operator()(CaratChatTemplate* chat_template) const {
  carat_chat_template_free(chat_template);
}

ChatTemplate::ChatTemplate(std::unique_ptr<CaratChatTemplate, Free> chat_template,
                           SpecialTokens special_tokens)
    : template_(std::move(chat_template)), special_tokens_(std::move(special_tokens)) {}

std::optional<ChatTemplate> ChatTemplate::Find(const std::filesystem::path& folder) {
  const auto read = [&](std::string_view name) -> std::optional<std::string> {
    if (!std::filesystem::exists(folder / name)) return std::nullopt;
    return ReadTextFile(folder / name);
  };
  return Find(read, folder);
}

std::optional<ChatTemplate> ChatTemplate::Find(const ReadFile& read,
                                               const std::filesystem::path& folder) {
  std::optional<std::string> source;
  std::string where;
  SpecialTokens special_tokens;
  if (const auto text = read(kConfigFile)) {
    const Json config = ParseJson(*text, kConfigFile);
    where = (folder / kConfigFile).string();
    source = TemplateOfConfig(config, where);
    AddSpecialTokens(config, special_tokens);
  }
  if (const auto text = read(kTokensFile)) {
    AddSpecialTokens(ParseJson(*text, kTokensFile), special_tokens);
  }
  if (auto text = read(kJinjaFile)) {
    source = std::move(text);
    where = (folder / kJinjaFile).string();
  }
  if (!source) return std::nullopt;
  if (source->size() > kMaxTemplateBytes) {
    throw Error("{}: the chat template has {} bytes, at most {} are read", where, source->size(),
                kMaxTemplateBytes);
  }
  return Compile(*source, where, std::move(special_tokens));
}

ChatTemplate ChatTemplate::Load(const std::filesystem::path& folder) {
  if (std::optional<ChatTemplate> found = Find(folder)) return std::move(*found);
  throw Error(
      "{}: the model brings no chat template; put its chat_template.jinja into the folder, or "
      "prompt it with plain text: 'carat generate --raw' does",
      folder.string());
}

ChatTemplate ChatTemplate::Compile(std::string_view source, std::string_view where,
                                   SpecialTokens special_tokens) {
  CaratChatTemplate* compiled = nullptr;
  RustBytes error;
  if (!carat_chat_template_compile(where.data(), where.size(), source.data(), source.size(),
                                   &compiled, error.out())) {
    const std::string problem(error.view());
    // What cannot be read at all does not get as far as a name.
    throw Error(problem.starts_with(where) ? problem : fmt::format("{}: {}", where, problem));
  }
  return ChatTemplate(std::unique_ptr<CaratChatTemplate, Free>(compiled),
                      std::move(special_tokens));
}

std::string ChatTemplate::Render(std::span<const ChatMessage> messages,
                                 GenerationPrompt generation_prompt) const {
  // Fields keep their order: templates may go through them, and tojson writes them so.
  nlohmann::ordered_json variables = {
      {"messages", nlohmann::ordered_json::array()},
      {"add_generation_prompt", generation_prompt == GenerationPrompt::kAdd},
      {"tools", nullptr},      // transformers always passes these two,
      {"documents", nullptr},  // and templates ask `is not none`
  };
  for (const auto& [name, text] : special_tokens_) variables[name] = text;
  for (const ChatMessage& message : messages) {
    variables["messages"].push_back(
        nlohmann::ordered_json({{"role", message.role}, {"content", message.content}}));
  }

  std::string text;
  try {
    text = variables.dump();
  } catch (const Json::exception&) {
    throw Error("the conversation has a message that is not UTF-8 text");
  }
  RustBytes rendered;
  RustBytes error;
  if (!carat_chat_template_render(template_.get(), text.data(), text.size(), rendered.out(),
                                  error.out())) {
    throw Error(std::string(error.view()));
  }
  return std::string(rendered.view());
}

}  // namespace carat::text
