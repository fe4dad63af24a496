// mlc-chat-config.json, with which MLC-LLM and WebLLM know a model: the shapes (model_config), the
// sizes a library is compiled for, the tokenizer's files, the conversation template, and how to
// sample. Fields and their order are those that MLC's gen_config writes.
//
// Three values differ from gen_config's, where those do not suit Gemma 3:
//   - context_window_size is what was asked for, or 8192 but never beyond
//     max_position_embeddings; MLC sets at least 8192 always.
//   - sliding_window_size is -1 outside text_config: the window is that of the sliding layers, and
//     WebLLM refuses a model that has both a context window and a sliding window.
//   - a token id that no file gives is Gemma's, not Llama's.

#ifndef CARAT_MODEL_MLC_CHAT_CONFIG_H_
#define CARAT_MODEL_MLC_CHAT_CONFIG_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "carat/base/json.h"
#include "carat/model/config.h"

namespace carat::model {

inline constexpr std::string_view kMlcChatConfigFile = "mlc-chat-config.json";

struct MlcChatOptions {
  std::string quantization;   // "q4f16_1"
  std::string conv_template;  // "gemma3_instruction" or "gemma_instruction"
  std::string model_type;     // "gemma3_text" or "gemma3"; empty: config.json's
  std::optional<int64_t> context_window_size;
  std::optional<int64_t> sliding_window_size;  // of the sliding layers
  std::optional<int64_t> prefill_chunk_size;
  int64_t max_batch_size = 128;
  std::optional<int64_t> active_vocab_size;  // tokens the tokenizer knows; default: vocab_size
};

// The names that conv_template may have.
std::span<const std::string_view> ConversationTemplates();

// The files of a Hugging Face folder that go beside the config, of those that exist there.
std::vector<std::string> TokenizerFiles(const std::filesystem::path& folder);

// The text of mlc-chat-config.json for the folder of `config_json`, a Hugging Face config.json:
// generation_config.json and tokenizer.json beside it are read where they exist. Throws Error for
// options that no model has (InvalidArgumentError) and for sizes that do not fit this one.
std::string MlcChatConfigText(const std::filesystem::path& config_json,
                              const MlcChatOptions& options);

// model_config of an mlc-chat-config.json, spelled as Hugging Face's config.json (transformers 4),
// with the special tokens. What MLC's model_config has no place for has been kept by gen_config in
// kwargs, and is found there. `file` names the JSON in errors.
Json HuggingFaceConfig(const Json& mlc_chat_config, std::string_view file);

}  // namespace carat::model

#endif  // CARAT_MODEL_MLC_CHAT_CONFIG_H_
